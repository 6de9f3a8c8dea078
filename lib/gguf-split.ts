const partName = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/s;

/** Most parts a split model may have: five digits, and libllama keeps the number in 16 bits. */
const partLimit = 65_535;

/**
 * Names of all parts of the split model that `path` belongs to, first part first; `[path]` for a file of its own.
 *
 * The naming is that of `llama_split_path`: `prefix-00001-of-00003.gguf`.
 */
export function splitPartNames(path: string): string[] {
  const match = partName.exec(path);
  if (!match) return [path];
  const [, prefix, part, digits] = match as unknown as [string, string, string, string];
  const total = Number(digits);
  if (total > partLimit || Number(part) < 1 || Number(part) > total) return [path];
  return Array.from(
    { length: total },
    (_, index) => `${prefix}-${String(index + 1).padStart(5, "0")}-of-${digits}.gguf`,
  );
}
