import { float, integer, type Runtime } from "./call-arguments.ts";
import { ArrayValue, BooleanValue, type RuntimeValue } from "./jinja-library.ts";
import { keyOf } from "./mapping-keys.ts";
import { textOf } from "./python-text.ts";
import {
  isArray,
  isFloat,
  isInteger,
  isMapping,
  isMissing,
  isString,
  isUndefined,
  list,
  numberOf,
  text,
  typeName,
} from "./runtime-values.ts";
import { percentFormat } from "./text-format.ts";

type Compared = -1 | 0 | 1;

/**
 * `left operator right`, except for `and` and `or`, as Python has it; more lenient in that text may be joined with any value,
 * where nothing (undefined or none) counts as no text, which templates rely on.
 *
 * @throws Error when the operator does not fit the values.
 */
export function applyOperator(
  runtime: Runtime,
  operator: string,
  left: RuntimeValue,
  right: RuntimeValue,
): RuntimeValue {
  switch (operator) {
    case "==":
      return new BooleanValue(equals(runtime, left, right));
    case "!=":
      return new BooleanValue(!equals(runtime, left, right));
    case "in":
      return new BooleanValue(contains(runtime, right, left));
    case "not in":
      return new BooleanValue(!contains(runtime, right, left));
    case "~":
      return join(runtime, left, right);
    case "<":
      return new BooleanValue(compare(runtime, left, right) < 0);
    case "<=":
      return new BooleanValue(compare(runtime, left, right) <= 0);
    case ">":
      return new BooleanValue(compare(runtime, left, right) > 0);
    case ">=":
      return new BooleanValue(compare(runtime, left, right) >= 0);
    default:
      return compute(runtime, operator, left, right);
  }
}

function join(runtime: Runtime, left: RuntimeValue, right: RuntimeValue): RuntimeValue {
  const { budget, measure } = runtime;
  budget.allocate(measure.characters(left) + measure.characters(right));
  return text((isMissing(left) ? "" : textOf(left)) + (isMissing(right) ? "" : textOf(right)));
}

function compute(runtime: Runtime, operator: string, left: RuntimeValue, right: RuntimeValue): RuntimeValue {
  const { budget } = runtime;
  if (operator === "+") {
    if (isString(left) || isString(right)) return join(runtime, left, right);
    if (isArray(left) && isArray(right)) {
      budget.spend(left.value.length + right.value.length);
      return list(left.value.concat(right.value));
    }
  }
  if (operator === "%" && isString(left)) return percentFormat(runtime, left.value, right);
  if (operator === "*") {
    const [repeated, times] = isInteger(left) ? [right, left] : [left, right];
    if (isInteger(times) && isString(repeated)) {
      const count = Math.max(times.value, 0);
      budget.allocate(repeated.value.length * count);
      return text(repeated.value.repeat(count));
    }
    if (isInteger(times) && isArray(repeated)) {
      const count = Math.max(times.value, 0);
      budget.spend(count + repeated.value.length * count);
      return new ArrayValue(Array.from({ length: count }, () => repeated.value).flat());
    }
  }
  const a = numberOf(left);
  const b = numberOf(right);
  if (a === undefined || b === undefined) {
    throw new Error(`${typeName(left)} ${operator} ${typeName(right)} cannot be computed`);
  }
  const result = arithmetic(operator, a, b);
  const isReal = isFloat(left) || isFloat(right) || operator === "/" || (operator === "**" && b < 0);
  return isReal ? float(result) : integer(result);
}

function arithmetic(operator: string, a: number, b: number): number {
  const divides = operator === "/" || operator === "//" || operator === "%";
  if ((divides && b === 0) || (operator === "**" && a === 0 && b < 0)) throw new Error("division by zero");
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "//":
      return Math.floor(a / b);
    case "%":
      // The sign is the divisor's.
      return a - b * Math.floor(a / b);
    case "**": {
      const power = a ** b;
      if (Number.isFinite(power)) return power;
      throw new Error(`${a} ** ${b} is no finite real number`);
    }
    default:
      throw new Error(`there is no operator "${operator}"`);
  }
}

function isComposite(value: RuntimeValue): boolean {
  return isArray(value) || isMapping(value);
}

/** Python's `==`: by value and without conversion, but for booleans and numbers. */
export function equals(runtime: Runtime, left: RuntimeValue, right: RuntimeValue): boolean {
  if (left === right) return true;
  if (isComposite(left) && isComposite(right)) {
    const { budget, measure } = runtime;
    budget.spend(Math.min(measure.measure(left).nodes, measure.measure(right).nodes));
  }
  return sameValue(runtime, left, right);
}

function sameValue(runtime: Runtime, left: RuntimeValue, right: RuntimeValue): boolean {
  if (isString(left) && isString(right)) {
    runtime.budget.touch(Math.min(left.value.length, right.value.length));
    return left.value === right.value;
  }
  const a = numberOf(left);
  if (a !== undefined) return a === numberOf(right);
  if (left.type !== right.type) return false;
  if (isArray(left) && isArray(right)) {
    if (left.value.length !== right.value.length) return false;
    return left.value.every((item, index) => sameValue(runtime, item, right.value[index]!));
  }
  if (isMapping(left) && isMapping(right)) {
    if (left.value.size !== right.value.size) return false;
    return [...left.value].every(([key, item]) => {
      const other = right.value.get(key);
      return other !== undefined && sameValue(runtime, item, other);
    });
  }
  return left.value === right.value;
}

/** Python's `in`; nothing is in what is undefined or none. */
export function contains(runtime: Runtime, container: RuntimeValue, item: RuntimeValue): boolean {
  const { budget } = runtime;
  if (isMissing(container)) return false;
  if (isString(container)) {
    if (isMissing(item)) return false;
    if (!isString(item)) throw new Error(`${typeName(item)} cannot be in a string`);
    budget.search(item.value.length, container.value.length);
    return container.value.includes(item.value);
  }
  if (isArray(container)) {
    budget.spend(container.value.length);
    return container.value.some((candidate) => equals(runtime, item, candidate));
  }
  if (isMapping(container)) {
    const key = keyOf(item);
    return key !== undefined && container.value.has(key);
  }
  throw new Error(`nothing can be in ${typeName(container)}`);
}

/**
 * Order of two values: numbers, strings by code points, and lists item by item.
 *
 * @throws Error for values that have no order.
 */
export function compare(runtime: Runtime, left: RuntimeValue, right: RuntimeValue): Compared {
  const a = numberOf(left);
  const b = numberOf(right);
  if (a !== undefined && b !== undefined) return order(a, b);
  if (isString(left) && isString(right)) {
    runtime.budget.touch(Math.min(left.value.length, right.value.length));
    return compareText(left.value, right.value);
  }
  if (isArray(left) && isArray(right)) {
    const shared = Math.min(left.value.length, right.value.length);
    runtime.budget.spend(shared);
    for (let i = 0; i < shared; i++) {
      const first = left.value[i]!;
      const second = right.value[i]!;
      if (!equals(runtime, first, second)) return compare(runtime, first, second);
    }
    return order(left.value.length, right.value.length);
  }
  if (isUndefined(left) && isUndefined(right)) return 0;
  throw new Error(`${typeName(left)} and ${typeName(right)} have no order`);
}

function order(a: number, b: number): Compared {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By code points: JavaScript's `<` puts characters beyond U+FFFF before some below. */
function compareText(left: string, right: string): Compared {
  const shared = Math.min(left.length, right.length);
  for (let i = 0; i < shared; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) return order(surrogateLast(a), surrogateLast(b));
  }
  return order(left.length, right.length);
}

function surrogateLast(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
