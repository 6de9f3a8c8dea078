import type { Compiler } from "./compiler.ts";
import { compareNumbers, decimalOf, neighbour, roundedInteger } from "./decimal.ts";
import type { Bounds } from "./decimal-range.ts";
import { integerFormats } from "./formats.ts";
import type { SchemaNode } from "./schema-document.ts";

/** More than what is finite to JavaScript. */
const beyondAll = 10n ** 309n;

export interface Bound {
  readonly value: number | bigint;
  readonly exclusive: boolean;
}

/** The narrowest of the bounds that schemas set. */
export function boundsOf({ keywords }: Compiler, nodes: readonly SchemaNode[]): Bounds<Bound> {
  const lows: Bound[] = [];
  const highs: Bound[] = [];
  for (const node of nodes) {
    const collect = (into: Bound[], keyword: string) => {
      const value = keywords.number(node, keyword);
      if (value !== undefined) into.push({ value, exclusive: keyword.startsWith("exclusive") });
    };
    collect(lows, "minimum");
    collect(lows, "exclusiveMinimum");
    collect(highs, "maximum");
    collect(highs, "exclusiveMaximum");
    const format = integerFormats.get(keywords.string(node, "format") ?? "");
    if (format) {
      lows.push({ value: format.low, exclusive: false });
      highs.push({ value: format.high, exclusive: false });
    }
  }
  // Of two equal bounds the exclusive one is the narrower, on either side.
  lows.sort((a, b) => compareNumbers(a.value, b.value) || Number(a.exclusive) - Number(b.exclusive));
  highs.sort((a, b) => compareNumbers(a.value, b.value) || Number(b.exclusive) - Number(a.exclusive));
  return { low: lows.at(-1), high: highs[0] };
}

/** What is left of a range without some values, from below. */
export function rangesWithout(
  { low, high }: Bounds<Bound>,
  values: readonly (number | bigint)[],
): readonly Bounds<Bound>[] {
  const ranges: Bounds<Bound>[] = [];
  let from = low;
  for (const value of [...values].sort(compareNumbers)) {
    if (low && compareNumbers(value, low.value) < 0) continue;
    if (high && compareNumbers(value, high.value) > 0) break;
    const gap = { value, exclusive: true };
    ranges.push({ low: from, high: gap });
    from = gap;
  }
  return [...ranges, { low: from, high }];
}

/** The integers within bounds. */
export function integersIn({ low, high }: Bounds<Bound>): Bounds<bigint> {
  return { low: low && innerInteger(low, "up"), high: high && innerInteger(high, "down") };
}

function innerInteger({ value, exclusive }: Bound, direction: "up" | "down"): bigint {
  const rounded = roundedInteger(value, direction);
  if (!exclusive || decimalOf(value).magnitude.fraction !== "") return rounded;
  const step = direction === "up" ? 1n : -1n;
  if (typeof value === "bigint" || Number.isSafeInteger(value)) return rounded + step;
  // Next to a bound that large, JavaScript would read the neighbour as the bound itself.
  const next = neighbour(value, direction);
  return Number.isFinite(next) ? roundedInteger(next, direction) : step * beyondAll;
}

/** The numbers within bounds, the outermost included. */
export function numbersIn({ low, high }: Bounds<Bound>): Bounds<number | bigint> {
  return { low: low && innermost(low, "up"), high: high && innermost(high, "down") };
}

function innermost({ value, exclusive }: Bound, direction: "up" | "down"): number | bigint {
  if (!exclusive) return value;
  const nearest = Number(value);
  // There are no numbers between integers that large.
  if (typeof value === "bigint" && !Number.isSafeInteger(nearest))
    return value + (direction === "up" ? 1n : -1n);
  return neighbour(nearest, direction);
}
