/**
 * The fields that a client asked for, named by paths such as "timings/prompt_n", which come under their last name; what
 * there is not is left out.
 */
export function pickFields(source: object, paths: readonly string[]): object {
  const picked: Record<string, unknown> = Object.create(null);
  for (const path of paths) {
    const names = path.split("/");
    let value: unknown = source;
    for (const name of names) {
      value =
        typeof value === "object" && value !== null && Object.hasOwn(value, name)
          ? (value as Record<string, unknown>)[name]
          : undefined;
    }
    if (value !== undefined) picked[names.at(-1)!] = value;
  }
  return picked;
}
