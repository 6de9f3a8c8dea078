import { argument, type CallArguments, integer, printed, type Runtime } from "./call-arguments.ts";
import type { RuntimeValue } from "./jinja-library.ts";
import { keyOf } from "./mapping-keys.ts";
import { compare, contains, equals } from "./operators.ts";
import {
  isArray,
  isBoolean,
  isFloat,
  isFunction,
  isInteger,
  isMapping,
  isString,
  isUndefined,
  type MappingValue,
  nothing,
  numberOf,
  text,
  typeName,
} from "./runtime-values.ts";
import { isLower, isUpper } from "./string-methods.ts";

/** A test behind `is`. */
export type ValueTest = (runtime: Runtime, value: RuntimeValue, args: CallArguments) => boolean;

function withOther(test: (runtime: Runtime, value: RuntimeValue, other: RuntimeValue) => boolean): ValueTest {
  return (runtime, value, args) => {
    const other = argument(args, 0);
    if (!other) throw new Error("this test needs a value to compare with");
    return test(runtime, value, other);
  };
}

function ofNumber(test: (value: number) => boolean): ValueTest {
  return (_, value) => {
    const number = numberOf(value);
    if (number === undefined) throw new Error(`${typeName(value)} is neither odd nor even`);
    return test(number);
  };
}

const equal = withOther(equals);
const isDictionary = (value: RuntimeValue) => isMapping(value) && value.type !== "NamespaceValue";
/** Undefined values too: Jinja's own can be gone through, and have no items. */
const hasItems: ValueTest = (_, value) =>
  isString(value) || isArray(value) || isDictionary(value) || isUndefined(value);
const notEqual = withOther((runtime, value, other) => !equals(runtime, value, other));
const less = withOther((runtime, value, other) => compare(runtime, value, other) < 0);
const atMost = withOther((runtime, value, other) => compare(runtime, value, other) <= 0);
const greater = withOther((runtime, value, other) => compare(runtime, value, other) > 0);
const atLeast = withOther((runtime, value, other) => compare(runtime, value, other) >= 0);

const TESTS: ReadonlyMap<string, ValueTest> = new Map<string, ValueTest>([
  ["boolean", (_, value) => isBoolean(value)],
  ["callable", (_, value) => isFunction(value)],
  ["defined", (_, value) => !isUndefined(value)],
  [
    "divisibleby",
    withOther((_, value, other) => {
      const divisor = numberOf(other);
      if (!divisor) throw new Error("divisibleby needs a number that is not zero");
      return (numberOf(value) ?? Number.NaN) % divisor === 0;
    }),
  ],
  ["eq", equal],
  ["equalto", equal],
  ["==", equal],
  ["even", ofNumber((value) => value % 2 === 0)],
  ["false", (_, value) => isBoolean(value) && value.value === false],
  ["float", (_, value) => isFloat(value)],
  ["ge", atLeast],
  [">=", atLeast],
  ["greaterthan", greater],
  ["gt", greater],
  [">", greater],
  ["in", withOther((runtime, value, other) => contains(runtime, other, value))],
  ["integer", (_, value) => isInteger(value)],
  ["iterable", hasItems],
  ["le", atMost],
  ["<=", atMost],
  ["lessthan", less],
  ["lower", (runtime, value) => isLower(printed(runtime, value))],
  ["lt", less],
  ["<", less],
  ["mapping", (_, value) => isDictionary(value)],
  ["ne", notEqual],
  ["!=", notEqual],
  ["none", (_, value) => value.type === "NullValue"],
  ["number", (_, value) => numberOf(value) !== undefined],
  ["odd", ofNumber((value) => value % 2 !== 0)],
  ["test", (_, value) => isString(value) && TESTS.has(value.value)],
  ["sameas", withOther((_, value, other) => value === other || isSameConstant(value, other))],
  ["sequence", hasItems],
  ["string", (_, value) => isString(value)],
  ["true", (_, value) => isBoolean(value) && value.value === true],
  ["undefined", (_, value) => isUndefined(value)],
  ["upper", (runtime, value) => isUpper(printed(runtime, value))],
]);

/** Python has one `True`, one `None`, and one of each small integer and short string. */
function isSameConstant(value: RuntimeValue, other: RuntimeValue): boolean {
  return value.type === other.type && !isArray(value) && !isMapping(value) && value.value === other.value;
}

/** @throws Error for a name that no test has. */
export function testOf(name: string): ValueTest {
  const test = TESTS.get(name);
  if (!test) throw new Error(`there is no test "${name}"`);
  return test;
}

/** An attribute by its path, such as `function.name` or `0`; undefined where there is none. */
export function attributeOf(runtime: Runtime, value: RuntimeValue, attribute: RuntimeValue): RuntimeValue {
  if (isInteger(attribute)) return memberOf(value, attribute) ?? nothing();
  const name = printed(runtime, attribute);
  runtime.budget.touch(name.length);
  const path = name.split(".");
  runtime.budget.spend(path.length);
  let found: RuntimeValue | undefined = value;
  for (const part of path) {
    const isPlace: boolean = isArray(found) && /^\d+$/.test(part);
    found = found && memberOf(found, isPlace ? integer(Number(part)) : text(part));
  }
  return found ?? nothing();
}

/** What a list or a dictionary has at a place or under a key. */
export function memberOf(value: RuntimeValue, key: RuntimeValue): RuntimeValue | undefined {
  if (isArray(value)) return isInteger(key) ? value.value.at(key.value) : undefined;
  const name = isMapping(value) ? keyOf(key) : undefined;
  return name === undefined ? undefined : (value as MappingValue).value.get(name);
}
