import { argument, integer, integerArgument, type Operation, type Runtime } from "./call-arguments.ts";
import { iterate } from "./iterate.ts";
import { NullValue, ObjectValue, type RuntimeValue, TupleValue } from "./jinja-library.ts";
import { keyOf, keyValue } from "./mapping-keys.ts";
import { equals } from "./operators.ts";
import { isArray, isMapping, isMissing, list, typeName } from "./runtime-values.ts";

function itemsOf(value: RuntimeValue): RuntimeValue[] {
  if (isArray(value)) return value.value;
  throw new Error(`${typeName(value)} is no list`);
}

function entriesOf({ budget }: Runtime, value: RuntimeValue): ReadonlyMap<string, RuntimeValue> {
  if (!isMapping(value)) throw new Error(`${typeName(value)} is no dictionary`);
  budget.spend(value.value.size);
  return value.value;
}

/** The list is about to change: what is known of values that hold it does not hold any more. */
function changing({ measure }: Runtime, value: RuntimeValue): RuntimeValue[] {
  if (value.type !== "ArrayValue") throw new Error(`${typeName(value)} cannot be changed`);
  measure.forget();
  return itemsOf(value);
}

/** Pairs of a dictionary; nothing has none. */
export const items: Operation = (runtime, operand) => {
  if (isMissing(operand)) return list([]);
  const entries = entriesOf(runtime, operand);
  return list(Array.from(entries, ([key, value]) => new TupleValue([keyValue(key), value])));
};

/** Methods of Python's dictionaries that change nothing. */
export const MAPPING_METHODS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["items", items],
  ["keys", (runtime, operand) => list(Array.from(entriesOf(runtime, operand).keys(), keyValue))],
  ["values", (runtime, operand) => list([...entriesOf(runtime, operand).values()])],
  ["copy", (runtime, operand) => new ObjectValue(new Map(entriesOf(runtime, operand)))],
  [
    "get",
    (_, operand, args) => {
      const given = argument(args, 0, "key");
      const key = given && keyOf(given);
      const found = isMapping(operand) && key !== undefined ? operand.value.get(key) : undefined;
      return found ?? argument(args, 1, "default") ?? new NullValue(null);
    },
  ],
]);

/** Methods of Python's lists, with those that change a list which templates use. */
export const LIST_METHODS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  [
    "append",
    (runtime, operand, args) => {
      const item = argument(args, 0);
      if (!item) throw new Error("append needs an item");
      changing(runtime, operand).push(item);
      return new NullValue(null);
    },
  ],
  [
    "extend",
    (runtime, operand, args) => {
      const given = argument(args, 0);
      // A copy: a list may be given to itself.
      const added = given ? [...iterate(runtime, given)] : [];
      const target = changing(runtime, operand);
      for (const item of added) target.push(item);
      return new NullValue(null);
    },
  ],
  [
    "insert",
    (runtime, operand, args) => {
      const item = argument(args, 1);
      if (!item) throw new Error("insert needs a place and an item");
      changing(runtime, operand).splice(integerArgument(args, 0, "index"), 0, item);
      return new NullValue(null);
    },
  ],
  [
    "pop",
    (runtime, operand, args) => {
      const target = changing(runtime, operand);
      const index = integerArgument(args, 0, "index", -1);
      const item = target.at(index);
      if (!item) throw new Error(`pop finds no item ${index}`);
      target.splice(index, 1);
      return item;
    },
  ],
  [
    "index",
    (runtime, operand, args) => {
      const item = argument(args, 0);
      const at = itemsOf(operand).findIndex((candidate) => item && equals(runtime, candidate, item));
      if (at < 0) throw new Error("index finds no such item");
      return integer(at);
    },
  ],
  [
    "count",
    (runtime, operand, args) => {
      const item = argument(args, 0);
      return integer(itemsOf(operand).filter((candidate) => item && equals(runtime, candidate, item)).length);
    },
  ],
  ["copy", (_, operand) => list([...itemsOf(operand)])],
]);
