import type { Leaf } from "./alternatives.ts";
import type { Compiler } from "./compiler.ts";
import { compareNumbers, decimalOf } from "./decimal.ts";
import { type Bounds, DecimalRanges } from "./decimal-range.ts";
import { type Expression, isNothing, nothing } from "./expression.ts";
import { integerFormats } from "./formats.ts";
import { plainCharacter } from "./json-characters.ts";
import { JsonSchemaError } from "./json-schema-error.ts";
import { fractionBit, typeBits } from "./keywords.ts";
import { type Bound, boundsOf, integersIn, numbersIn, rangesWithout } from "./number-bounds.ts";
import { patternTerm } from "./pattern.ts";
import type { SchemaNode } from "./schema-document.ts";
import type { Term, TermFactory } from "./term.ts";
import { textChoice } from "./text-choice.ts";
import { expressionOf, structure } from "./text-rules.ts";

/** Integers that JavaScript can tell from their neighbours. */
const safe = BigInt(Number.MAX_SAFE_INTEGER);
/** Multiples that are listed rather than recognised. */
const listedMultiples = 2000;
/** The largest divisor that is recognised by remainders, zeros at its end apart. */
const largestDivisor = 64n;

/** Excluded values up to which ranges are written as they are built. */
const fewExcluded = 16;
/** Digits of bounds up to which they are. */
const shortBound = 100;

/** What is asked of a number. */
interface NumberShape {
  readonly kind: "integer" | "number" | "fraction";
  readonly bounds: Bounds<Bound>;
  /** Integers that divide it. */
  readonly divisors: readonly bigint[];
  readonly excluded: readonly (number | bigint)[];
}

/** A number that all leaves allow. */
export function numberExpression(
  compiler: Compiler,
  leaves: readonly Leaf[],
  types: number,
  excluded: readonly unknown[],
  hint: string,
): Expression {
  const nodes = leaves.map(({ node }) => node);
  const multiples = multiplesOf(compiler, nodes);
  const divisors = multiples.filter((value) => Number.isInteger(Number(value))).map(BigInt);
  const recognised = divisors.filter((divisor) => withoutZeros(divisor).rest <= largestDivisor);
  const integral = (types & fractionBit) === 0 || divisors.length > 0 || hasIntegerFormat(compiler, nodes);
  if (integral && (types & typeBits.integer) === 0) {
    explain(compiler, nodes);
    return nothing;
  }
  const shape: NumberShape = {
    kind: integral ? "integer" : (types & typeBits.integer) === 0 ? "fraction" : "number",
    bounds: boundsOf(compiler, nodes),
    divisors: recognised,
    excluded: excluded.filter((value) => typeof value === "number" || typeof value === "bigint"),
  };
  const key = JSON.stringify(shape, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  const expression =
    recognised.length < multiples.length
      ? listedMultiplesOf(compiler, nodes, shape, multiples)
      : compiler.rules.cached(`number ${key}`, hint, () => written(compiler, nodes, shape, hint));
  if (isNothing(expression)) explain(compiler, nodes);
  return expression;
}

function written(
  compiler: Compiler,
  nodes: readonly SchemaNode[],
  shape: NumberShape,
  hint: string,
): Expression {
  const { terms, rules } = compiler;
  const term = numberTerm(terms, shape);
  const { low, high } = shape.bounds;
  // A range as it is built is read in few ways; many beside one another are not, and its groups are as deep as bounds are long.
  const isPlain =
    shape.excluded.length <= fewExcluded &&
    [low, high].every((bound) => String(bound?.value ?? "").length <= shortBound);
  const built = isPlain ? structure(term, plainCharacter) : undefined;
  const expression = built ?? expressionOf(terms, term, rules, hint, plainCharacter);
  if (expression) return expression;
  const message = "needs too many states with what stands beside it";
  const node = nodes.find((one) => compiler.keywords.value(one, "multipleOf") !== undefined);
  if (node) throw compiler.keywords.error(node, "multipleOf", message);
  throw new JsonSchemaError(nodes[0]!.pointer, undefined, `the number ${message}`);
}

function numberTerm(terms: TermFactory, { kind, bounds, divisors, excluded }: NumberShape): Term {
  const ranges = new DecimalRanges(terms);
  // What lies so close to an excluded value that JavaScript reads it as that goes with it.
  const allowed = rangesWithout(bounds, excluded).map((range) =>
    kind === "integer"
      ? ranges.integers(withinSafe(integersIn(range), divisors))
      : decimals(terms, ranges, numbersIn(range)),
  );
  const parts = [terms.union(...allowed)];
  if (kind === "fraction") parts.push(ranges.fractional());
  for (const divisor of divisors) {
    if (divisor === 1n) continue;
    const { rest, zeros } = withoutZeros(divisor);
    const digits = terms.concat(terms.multiple(Number(rest)), terms.literal("0".repeat(zeros)));
    parts.push(terms.union(terms.literal("0"), terms.concat(terms.optional(terms.literal("-")), digits)));
  }
  return terms.intersection(...parts);
}

/** Remembers a keyword that may be the reason why there is no number. */
function explain(compiler: Compiler, nodes: readonly SchemaNode[]): void {
  for (const keyword of ["minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "not"]) {
    const node = nodes.find((one) => compiler.keywords.value(one, keyword) !== undefined);
    if (node) compiler.impossible(node, keyword, "no number lies within the bounds");
  }
}

function hasIntegerFormat({ keywords }: Compiler, nodes: readonly SchemaNode[]): boolean {
  return nodes.some((node) => integerFormats.has(keywords.string(node, "format") ?? ""));
}

function multiplesOf({ keywords }: Compiler, nodes: readonly SchemaNode[]): readonly (number | bigint)[] {
  return nodes.flatMap((node) => {
    const value = keywords.number(node, "multipleOf");
    if (value !== undefined && value <= 0) throw keywords.error(node, "multipleOf", "must be above 0");
    return value === undefined ? [] : [value];
  });
}

/** A divisor as one without zeros at its end, and how many those were. */
function withoutZeros(divisor: bigint): { rest: bigint; zeros: number } {
  const zeros = /0*$/.exec(String(divisor))![0].length;
  return { rest: divisor / 10n ** BigInt(zeros), zeros };
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
function decimals(terms: TermFactory, ranges: DecimalRanges, { low, high }: Bounds<number | bigint>): Term {
  if (low === Number.POSITIVE_INFINITY || high === Number.NEGATIVE_INFINITY) return terms.never;
  if (low !== undefined && high !== undefined && compareNumbers(low, high) > 0) return terms.never;
  const parts: Term[] = [];
  const side = (sign: "" | "-", least: number | bigint | undefined, most: number | bigint | undefined) => {
    const from = least === undefined || least <= 0 ? 0 : least;
    const [first, last] = [decimalOf(from), most === undefined ? undefined : decimalOf(most)];
    parts.push(terms.concat(terms.literal(sign), ranges.magnitudes(first.magnitude, last?.magnitude)));
    const exponents: string[] = [];
    if (most === undefined && from <= 1e21) exponents.push("\\+(?:2[1-9]|[3-9][0-9]|[12][0-9][0-9]|30[0-7])");
    if (from <= Number.MIN_VALUE && (most === undefined || most >= 1e-6)) {
      exponents.push("-(?:[7-9]|[1-9][0-9]|[12][0-9][0-9]|30[0-7])");
    }
    for (const exponent of exponents) {
      parts.push(patternTerm(terms, `^${sign}[1-9](?:\\.[0-9]{1,16})?e${exponent}$`));
    }
  };
  if (high === undefined || high >= 0) side("", low, high);
  if (low === undefined || low < 0) {
    side("-", high === undefined ? undefined : -high, low === undefined ? undefined : -low);
  }
  return terms.union(...parts);
}

/** Multiples of numbers that are no integers, or large: listed, where the bounds leave few. */
function listedMultiplesOf(
  compiler: Compiler,
  nodes: readonly SchemaNode[],
  shape: NumberShape,
  multiples: readonly (number | bigint)[],
): Expression {
  const found = multiplesBetween(shape, multiples);
  compiler.spend((found ?? []).length * 30);
  if (found) return found.length === 0 ? nothing : textChoice(found.map(String), compiler.rules);
  const node = nodes.find((one) => compiler.keywords.value(one, "multipleOf") !== undefined)!;
  compiler.refuse(
    node,
    "multipleOf",
    `is no integer of at most ${largestDivisor}, and minimum and maximum leave more than ${listedMultiples} values`,
  );
  return written(compiler, nodes, shape, "number");
}

/** Multiples that JavaScript too takes for multiples, though it divides inexactly; undefined for too many. */
function multiplesBetween(
  { kind, bounds: { low, high }, excluded }: NumberShape,
  multiples: readonly (number | bigint)[],
): readonly number[] | undefined {
  if (!low || !high) return undefined;
  const step = Math.max(...multiples.map(Number));
  const [first, last] = [Math.floor(Number(low.value) / step), Math.ceil(Number(high.value) / step)];
  if (!(last - first <= listedMultiples) || Math.max(-first, last) * step >= 1e21) return undefined;
  // Counted in units of the last digit, so that multiples are exact.
  const { magnitude } = decimalOf(step);
  const scaled = BigInt(magnitude.whole + magnitude.fraction);
  const found: number[] = [];
  for (let count = first; count <= last; count++) {
    const value = Number(`${BigInt(count) * scaled}e-${magnitude.fraction.length}`);
    const above = low.exclusive ? value > low.value : value >= low.value;
    const below = high.exclusive ? value < high.value : value <= high.value;
    const divides = multiples.every((multiple) => Number.isInteger(value / Number(multiple)));
    const wanted = kind === "number" || Number.isInteger(value) === (kind === "integer");
    const isExcluded = excluded.some((other) => compareNumbers(other, value) === 0);
    if (above && below && divides && wanted && !isExcluded) found.push(value);
  }
  return found;
}
