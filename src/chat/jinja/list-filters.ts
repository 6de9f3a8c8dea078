import {
  argument,
  type CallArguments,
  integerArgument,
  type Operation,
  printed,
  type Runtime,
} from "./call-arguments.ts";
import { iterate } from "./iterate.ts";
import { type RuntimeValue, TupleValue } from "./jinja-library.ts";
import { keyValue } from "./mapping-keys.ts";
import { compare, equals } from "./operators.ts";
import { isMapping, isMissing, isString, isTrue, list, nothing, text, typeName } from "./runtime-values.ts";
import { joined } from "./string-methods.ts";
import { attributeOf } from "./value-tests.ts";

/** What a value is compared by: itself or its attributes, in lower case unless case matters. */
function keyOf(runtime: Runtime, args: CallArguments, index: { case: number; attribute: number }) {
  const attribute = argument(args, index.attribute, "attribute");
  const matters = isTrue(argument(args, index.case, "case_sensitive"));
  const paths = isString(attribute) ? attribute.value.split(",") : [];
  const plain = (item: RuntimeValue): RuntimeValue => {
    if (isMissing(attribute)) return item;
    if (paths.length < 2) return attributeOf(runtime, item, attribute!);
    return list(paths.map((path) => attributeOf(runtime, item, text(path.trim()))));
  };
  return (item: RuntimeValue): RuntimeValue => {
    const value = plain(item);
    if (matters || !isString(value)) return value;
    runtime.budget.touch(value.value.length);
    return text(value.value.toLowerCase());
  };
}

function sorted(
  runtime: Runtime,
  members: readonly RuntimeValue[],
  key: (item: RuntimeValue) => RuntimeValue,
  reverse: boolean,
): RuntimeValue[] {
  const { budget } = runtime;
  const keyed = members.map((item) => ({ item, key: key(item) }));
  budget.spend(members.length * Math.ceil(Math.log2(members.length + 1)));
  keyed.sort((a, b) => {
    const order = compare(runtime, a.key, b.key);
    return reverse ? -order : order;
  });
  return keyed.map(({ item }) => item);
}

const sort: Operation = (runtime, operand, args) => {
  const key = keyOf(runtime, args, { case: 1, attribute: 2 });
  return list(sorted(runtime, iterate(runtime, operand), key, isTrue(argument(args, 0, "reverse"))));
};

/** Pairs of a dictionary in the order of their keys or values. */
const dictsort: Operation = (runtime, operand, args) => {
  if (isMissing(operand)) return list([]);
  if (!isMapping(operand)) throw new Error(`${typeName(operand)} is no dictionary`);
  const matters = isTrue(argument(args, 0, "case_sensitive"));
  const by = argument(args, 1, "by");
  const place = isString(by) && by.value === "value" ? 1 : 0;
  const pairs = Array.from(operand.value, ([key, value]) => [keyValue(key), value] as const);
  const key = (pair: RuntimeValue): RuntimeValue => {
    const value = (pair.value as RuntimeValue[])[place]!;
    return isString(value) && !matters ? text(value.value.toLowerCase()) : value;
  };
  const tuples = pairs.map((pair) => new TupleValue([...pair]));
  return list(sorted(runtime, tuples, key, isTrue(argument(args, 2, "reverse"))));
};

function extreme(side: "min" | "max"): Operation {
  return (runtime, operand, args) => {
    const key = keyOf(runtime, args, { case: 0, attribute: 1 });
    let best: RuntimeValue | undefined;
    for (const item of iterate(runtime, operand)) {
      const order = best ? compare(runtime, key(item), key(best)) : 0;
      if (!best || (side === "min" ? order < 0 : order > 0)) best = item;
    }
    return best ?? nothing();
  };
}

const unique: Operation = (runtime, operand, args) => {
  const key = keyOf(runtime, args, { case: 0, attribute: 1 });
  const seen: RuntimeValue[] = [];
  return list(
    iterate(runtime, operand).filter((item) => {
      const own = key(item);
      runtime.budget.spend(seen.length);
      if (seen.some((other) => equals(runtime, own, other))) return false;
      seen.push(own);
      return true;
    }),
  );
};

const join: Operation = (runtime, operand, args) => {
  const separator = argument(args, 0, "d") ?? args.keywords.get("separator");
  const attribute = argument(args, 1, "attribute");
  const members = iterate(runtime, operand);
  const values = isMissing(attribute)
    ? members
    : members.map((item) => attributeOf(runtime, item, attribute!));
  return joined(runtime, values, separator ? printed(runtime, separator) : "");
};

const reverse: Operation = (runtime, operand) => {
  const reversed = iterate(runtime, operand).toReversed();
  return isString(operand) ? joined(runtime, reversed, "") : list(reversed);
};

/** Rows of so many items each; the last is filled up where there is something to fill with. */
const batch: Operation = (runtime, operand, args) => {
  const size = integerArgument(args, 0, "linecount");
  const fill = argument(args, 1, "fill_with");
  if (size < 1) throw new Error("batch needs a count of at least 1");
  const members = iterate(runtime, operand);
  const rows: RuntimeValue[] = [];
  for (let at = 0; at < members.length; at += size) {
    const row = members.slice(at, at + size);
    if (!isMissing(fill)) {
      runtime.budget.spend(size);
      while (row.length < size) row.push(fill!);
    }
    rows.push(list(row));
  }
  return list(rows);
};

/** So many columns of nearly the same length. */
const slice: Operation = (runtime, operand, args) => {
  const count = integerArgument(args, 0, "slices");
  const fill = argument(args, 1, "fill_with");
  if (count < 1) throw new Error("slice needs a count of at least 1");
  runtime.budget.spend(count);
  const members = iterate(runtime, operand);
  const short = Math.floor(members.length / count);
  const longer = members.length % count;
  return list(
    Array.from({ length: count }, (_, index) => {
      const start = index * short + Math.min(index, longer);
      const column = members.slice(start, start + short + (index < longer ? 1 : 0));
      if (!isMissing(fill) && index >= longer && longer > 0) column.push(fill!);
      return list(column);
    }),
  );
};

/** Pairs of a value and the items that have it, in the order of the values. */
const groupby: Operation = (runtime, operand, args) => {
  const attribute = argument(args, 0, "attribute");
  if (!attribute) throw new Error("groupby needs an attribute");
  const key = (item: RuntimeValue) => attributeOf(runtime, item, attribute);
  const groups: { own: RuntimeValue; members: RuntimeValue[] }[] = [];
  for (const item of sorted(runtime, iterate(runtime, operand), key, false)) {
    const own = key(item);
    const last = groups.at(-1);
    if (last && equals(runtime, last.own, own)) last.members.push(item);
    else groups.push({ own, members: [item] });
  }
  return list(groups.map(({ own, members }) => new TupleValue([own, list(members)])));
};

/** Filters that go through the items of their operand. */
export const LIST_FILTERS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["batch", batch],
  ["dictsort", dictsort],
  ["first", (runtime, operand) => iterate(runtime, operand)[0] ?? nothing()],
  ["groupby", groupby],
  ["join", join],
  ["last", (runtime, operand) => iterate(runtime, operand).at(-1) ?? nothing()],
  ["list", (runtime, operand) => list([...iterate(runtime, operand)])],
  ["max", extreme("max")],
  ["min", extreme("min")],
  ["reverse", reverse],
  ["slice", slice],
  ["sort", sort],
  ["unique", unique],
]);
