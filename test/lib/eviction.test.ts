import { expect, test } from "bun:test";
import { GreedyDual } from "../../lib/eviction.ts";

const all = (queue: GreedyDual<string>) => {
  const order: string[] = [];
  for (let key = queue.evict(); key !== undefined; key = queue.evict()) order.push(key);
  return order;
};

test("of equal cost, the longest unused goes first", () => {
  const queue = new GreedyDual<string>();
  for (const key of ["a", "b", "c", "a"]) queue.touch(key, 1);
  expect(queue.size).toBe(3);
  expect(all(queue)).toEqual(["b", "c", "a"]);
});

test("the cheap goes before the dear", () => {
  const queue = new GreedyDual<string>();
  queue.touch("dear", 5);
  queue.touch("cheap", 1);
  expect(all(queue)).toEqual(["cheap", "dear"]);
});

test("the dear, unused, goes in the end", () => {
  const queue = new GreedyDual<string>();
  queue.touch("dear", 5);
  const evicted: string[] = [];
  for (let round = 0; queue.has("dear") && round < 100; round++) {
    queue.touch(`cheap ${round}`, 1);
    evicted.push(queue.evict()!);
  }
  expect(queue.has("dear")).toBe(false);
  expect(evicted.length).toBeGreaterThan(2);
});

test("what is not allowed stays, and what is deleted is gone", () => {
  const queue = new GreedyDual<string>();
  queue.touch("a", 1);
  queue.touch("b", 2);
  expect(queue.evict((key) => key !== "a")).toBe("b");
  expect(queue.evict(() => false)).toBeUndefined();
  queue.delete("a");
  expect(queue.evict()).toBeUndefined();
  expect(() => queue.touch("a", Number.NaN)).toThrow(RangeError);
});
