import { expect, test } from "bun:test";
import { Tidier } from "../../src/engine/tidier.ts";

function counted() {
  const seen = { times: 0 };
  return { seen, tidier: new Tidier(() => seen.times++) };
}

test("a thread that always has something to do is tidied all the same, every so many turns", () => {
  const { seen, tidier } = counted();
  for (let turn = 1; turn < 2048; turn++) tidier.turned();
  expect(seen.times).toBe(0);
  tidier.turned();
  expect(seen.times).toBe(1);
  for (let turn = 0; turn < 3 * 2048; turn++) tidier.turned();
  expect(seen.times).toBe(4);
});

test("a thread that did something waits to be tidied, and then for work alone", () => {
  const { seen, tidier } = counted();
  expect(tidier.restMs).toBeUndefined();
  for (let turn = 0; turn < 64; turn++) tidier.turned();
  expect(tidier.restMs).toBeGreaterThan(0);
  tidier.rested();
  expect(seen.times).toBe(1);
  // The turn in which it finds that there is still nothing to do.
  tidier.turned();
  expect(tidier.restMs).toBeUndefined();
});
