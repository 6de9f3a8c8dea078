/**
 * How many random cases to try of what lies above the foreign function interface: `count` on the first, a third as many on the second,
 * which differs from it only below.
 */
export function randomCases(count: number): number {
  return process.env.CRIA_FFI === "koffi" ? Math.ceil(count / 3) : count;
}
