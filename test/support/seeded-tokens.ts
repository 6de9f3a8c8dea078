/** Tokens of the tiny model that tell prompts apart by `seed`; never the same twice. */
export function seededTokens(length: number, seed: number): number[] {
  return Array.from(
    { length },
    (_, index) => 300 + ((index * 7919 + seed * 104_729 + index * index * seed) % 700),
  );
}
