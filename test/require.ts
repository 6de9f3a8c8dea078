import { test } from "bun:test";

/**
 * `test` where a condition holds, a skipped test that says why where it does not. With CRIA_REQUIRE_ALL=1 (set in CI) a
 * missing condition fails instead, so that nothing is skipped in silence.
 */
export function requireOrSkip(condition: boolean, reason: string): typeof test {
  if (condition) return test;
  const missing = (name: string) => {
    if (process.env.CRIA_REQUIRE_ALL === "1") {
      test(name, () => {
        throw new Error(`skipped though CRIA_REQUIRE_ALL=1: ${reason}`);
      });
    } else {
      test.skip(`${name} (skipped: ${reason})`, () => {});
    }
  };
  return missing as unknown as typeof test;
}
