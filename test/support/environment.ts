/** Runs `body` with environment variables set (or removed: undefined), and puts the old ones back. */
export async function withEnvironment<T>(
  variables: Readonly<Record<string, string | undefined>>,
  body: () => T | Promise<T>,
): Promise<T> {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  const apply = (values: Readonly<Record<string, string | undefined>>) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  apply(variables);
  try {
    return await body();
  } finally {
    apply(before);
  }
}
