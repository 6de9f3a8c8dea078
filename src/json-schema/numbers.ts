import type { Leaf } from "./alternatives.ts";
import type { Compiler } from "./compiler.ts";
import { compareNumbers, decimalOf, neighbour, roundedInteger } from "./decimal.ts";
import { type Bounds, DecimalRanges } from "./decimal-range.ts";
import { type Expression, isNothing, nothing } from "./expression.ts";
import { integerFormats } from "./formats.ts";
import { plainCharacter } from "./json-characters.ts";
import { fractionBit, typeBits } from "./keywords.ts";
import { patternTerm } from "./pattern.ts";
import type { SchemaNode } from "./schema-document.ts";
import type { Term, TermFactory } from "./term.ts";
import { textChoice } from "./text-choice.ts";
import { expressionOf, structure } from "./text-rules.ts";

interface Bound {
  readonly value: number | bigint;
  readonly exclusive: boolean;
}

/** Integers that JavaScript can tell from their neighbours. */
const safe = BigInt(Number.MAX_SAFE_INTEGER);
/** Multiples that are listed rather than recognised, and the largest divisor that is recognised by remainders. */
const listedMultiples = 2000;
const largestDivisor = 2000n;
/** The smallest number other than zero that is written without an exponent. */
const smallest = 1e-22;

/** A number that all leaves allow. */
export function numberExpression(
  compiler: Compiler,
  leaves: readonly Leaf[],
  types: number,
  excluded: readonly unknown[],
  hint: string,
): Expression {
  const nodes = leaves.map(({ node }) => node);
  const { terms, rules } = compiler;
  const bounds = boundsOf(compiler, nodes);
  const multiples = multiplesOf(compiler, nodes);
  let integral =
    (types & fractionBit) === 0 || nodes.some((node) => integerFormat(compiler, node) !== undefined);
  const divisors = multiples.filter((value) => Number.isInteger(Number(value))).map(BigInt);
  const fractions = multiples.filter((value) => !Number.isInteger(Number(value)));
  if (divisors.length > 0) integral = true;
  const ranges = new DecimalRanges(terms);
  if (fractions.length > 0) {
    const listed = listedFractions(bounds, multiples, integral, excluded);
    if (listed)
      return isNothing(textChoice(listed, rules)) ? impossible(compiler, nodes) : textChoice(listed, rules);
    const node = nodes.find((one) => compiler.keywords.value(one, "multipleOf") !== undefined)!;
    compiler.refuse(
      node,
      "multipleOf",
      "is not an integer, and minimum and maximum do not leave few enough values to be listed",
    );
  }
  const integerBounds = integersIn(bounds);
  const parts = [
    integral
      ? ranges.integers(divisors.length > 0 ? withinSafe(integerBounds, divisors) : integerBounds)
      : decimals(terms, ranges, bounds),
  ];
  for (const divisor of divisors) {
    if (divisor > largestDivisor) {
      const node = nodes.find(
        (one) => Number(compiler.keywords.number(one, "multipleOf")) === Number(divisor),
      )!;
      compiler.refuse(node, "multipleOf", `is above ${largestDivisor}`);
    } else if (divisor > 1n) {
      parts.push(terms.concat(terms.optional(terms.literal("-")), terms.multiple(Number(divisor))));
    }
  }
  if ((types & typeBits.integer) === 0) parts.push(ranges.fractional());
  for (const value of excluded) {
    if (typeof value !== "number" && typeof value !== "bigint") continue;
    const { negative, magnitude } = decimalOf(value);
    parts.push(
      terms.complement(terms.union(ranges.spellings(negative, magnitude), terms.literal(String(value)))),
    );
  }
  const term = terms.intersection(...parts);
  const character = (codes: readonly number[]) => plainCharacter(codes);
  const expression = structure(term, character) ?? expressionOf(terms, term, rules, hint, character);
  if (!expression) {
    compiler.refuse(nodes[0]!, "multipleOf", "and the bounds need too many states");
    return nothing;
  }
  return isNothing(expression) ? impossible(compiler, nodes) : rules.named(hint, expression);
}

function impossible(compiler: Compiler, nodes: readonly SchemaNode[]): Expression {
  for (const keyword of ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"]) {
    const node = nodes.find((one) => compiler.keywords.value(one, keyword) !== undefined);
    if (node) compiler.impossible(node, keyword, "no number lies within the bounds");
  }
  return nothing;
}

function integerFormat(compiler: Compiler, node: SchemaNode) {
  const format = compiler.keywords.string(node, "format");
  return format !== undefined && Object.hasOwn(integerFormats, format) ? integerFormats[format] : undefined;
}

/** The narrowest of all bounds. */
function boundsOf(compiler: Compiler, nodes: readonly SchemaNode[]): Bounds<Bound> {
  let low: Bound | undefined;
  let high: Bound | undefined;
  const raise = (value: number | bigint | undefined, exclusive: boolean) => {
    if (value === undefined) return;
    const order = low ? compareNumbers(value, low.value) : 1;
    if (order > 0 || (order === 0 && exclusive)) low = { value, exclusive };
  };
  const lower = (value: number | bigint | undefined, exclusive: boolean) => {
    if (value === undefined) return;
    const order = high ? compareNumbers(value, high.value) : -1;
    if (order < 0 || (order === 0 && exclusive)) high = { value, exclusive };
  };
  for (const node of nodes) {
    raise(compiler.keywords.number(node, "minimum"), false);
    raise(compiler.keywords.number(node, "exclusiveMinimum"), true);
    lower(compiler.keywords.number(node, "maximum"), false);
    lower(compiler.keywords.number(node, "exclusiveMaximum"), true);
    const format = integerFormat(compiler, node);
    raise(format?.low, false);
    lower(format?.high, false);
  }
  return { low, high };
}

function multiplesOf(compiler: Compiler, nodes: readonly SchemaNode[]): readonly (number | bigint)[] {
  const multiples: (number | bigint)[] = [];
  for (const node of nodes) {
    const value = compiler.keywords.number(node, "multipleOf");
    if (value === undefined) continue;
    if (value <= 0) throw compiler.keywords.error(node, "multipleOf", "must be above 0");
    multiples.push(value);
  }
  return multiples;
}

function integersIn({ low, high }: Bounds<Bound>): Bounds<bigint> {
  const inner = ({ value, exclusive }: Bound, direction: "up" | "down") => {
    const rounded = roundedInteger(value, direction);
    if (!exclusive || compareNumbers(value, rounded) !== 0) return rounded;
    // Next to a bound that large, JavaScript would read the neighbour as the bound itself.
    if (typeof value === "number" && !Number.isSafeInteger(value))
      return roundedInteger(neighbour(value, direction), direction);
    return rounded + (direction === "up" ? 1n : -1n);
  };
  return { low: low && inner(low, "up"), high: high && inner(high, "down") };
}

/** Beyond these, JavaScript rounds numbers, and whether they are multiples is left to chance; 1 divides them all. */
function withinSafe({ low, high }: Bounds<bigint>, divisors: readonly bigint[]): Bounds<bigint> {
  if (divisors.every((divisor) => divisor === 1n)) return { low, high };
  return {
    low: low === undefined || low < -safe ? -safe : low,
    high: high === undefined || high > safe ? safe : high,
  };
}

/** Numbers of a range, those that JavaScript writes with an exponent included where the range holds them all. */
function decimals(terms: TermFactory, ranges: DecimalRanges, bounds: Bounds<Bound>): Term {
  const low = bounds.low && innermost(bounds.low, "up");
  const high = bounds.high && innermost(bounds.high, "down");
  if (low !== undefined && high !== undefined && compareNumbers(low, high) > 0) return terms.never;
  const parts: Term[] = [];
  const side = (sign: "" | "-", least: number | bigint | undefined, most: number | bigint | undefined) => {
    const from = least === undefined || compareNumbers(least, 0) <= 0 ? 0 : least;
    parts.push(
      terms.concat(
        terms.literal(sign),
        ranges.magnitudes(
          decimalOf(from).magnitude,
          most === undefined ? undefined : decimalOf(most).magnitude,
        ),
      ),
    );
    const exponents: string[] = [];
    if (most === undefined && from <= 1e21) exponents.push("\\+(?:2[1-9]|[3-9][0-9]|[12][0-9][0-9]|30[0-7])");
    if (from <= smallest && (most === undefined || most >= 1e-6)) {
      exponents.push("-(?:[7-9]|[1-9][0-9]|[12][0-9][0-9]|30[0-7])");
    }
    for (const exponent of exponents)
      parts.push(terms.concat(terms.literal(sign), scientific(terms, exponent)));
  };
  if (high === undefined || high >= 0) side("", low, high);
  if (low === undefined || low < 0)
    side("-", high === undefined ? undefined : -high, low === undefined ? undefined : -low);
  return terms.union(...parts);
}

/** The outermost number that a bound allows, of those that are written without an exponent. */
function innermost({ value, exclusive }: Bound, direction: "up" | "down"): number | bigint {
  if (!exclusive || typeof value === "bigint") return value;
  const next = neighbour(value, direction);
  if (Math.abs(next) >= smallest) return next;
  return direction === "up" ? smallest : -smallest;
}

function scientific(terms: TermFactory, exponent: string): Term {
  return patternTerm(terms, `^[1-9](?:\\.[0-9]{1,16})?e${exponent}$`);
}

/** Multiples between two bounds that JavaScript too takes for multiples, as texts; undefined for too many. */
function listedFractions(
  { low, high }: Bounds<Bound>,
  multiples: readonly (number | bigint)[],
  integral: boolean,
  excluded: readonly unknown[],
): readonly string[] | undefined {
  if (!low || !high) return undefined;
  const step = Math.max(...multiples.map(Number));
  const [first, last] = [Math.floor(Number(low.value) / step), Math.ceil(Number(high.value) / step)];
  if (!(last - first <= listedMultiples)) return undefined;
  // Counted in units of the last digit, so that multiples are exact.
  const { magnitude } = decimalOf(step);
  const unit = magnitude.fraction.length;
  const scaled = BigInt(magnitude.whole + magnitude.fraction);
  const found: string[] = [];
  for (let count = first; count <= last; count++) {
    const digits = String((count < 0 ? -1n : 1n) * BigInt(count) * scaled).padStart(unit + 1, "0");
    const value = Number(`${count < 0 ? "-" : ""}${digits.slice(0, -unit)}.${digits.slice(-unit)}`);
    const above = low.exclusive ? value > low.value : value >= low.value;
    const below = high.exclusive ? value < high.value : value <= high.value;
    const divides = multiples.every((multiple) => Number.isInteger(value / Number(multiple)));
    const wanted = (!integral || Number.isInteger(value)) && !excluded.includes(value);
    if (above && below && divides && wanted && Math.abs(value) < 1e21)
      found.push(String(value === 0 ? 0 : value));
  }
  return found;
}
