import {
  argument,
  type CallArguments,
  float,
  integer,
  integerArgument,
  NO_ARGUMENTS,
  type Operation,
  printed,
  stringArgument,
} from "./call-arguments.ts";
import { chargeUse } from "./charges.ts";
import { items } from "./container-methods.ts";
import { iterate } from "./iterate.ts";
import type { RuntimeValue } from "./jinja-library.ts";
import { jsonText } from "./json-text.ts";
import { LIST_FILTERS } from "./list-filters.ts";
import { applyOperator } from "./operators.ts";
import {
  isArray,
  isFloat,
  isInteger,
  isMapping,
  isMissing,
  isString,
  isTrue,
  isUndefined,
  list,
  nothing,
  numberOf,
  text,
  typeName,
} from "./runtime-values.ts";
import { center, replace, STRING_METHODS, trim } from "./string-methods.ts";
import { formatDirectives } from "./text-format.ts";
import { attributeOf, testOf } from "./value-tests.ts";

function method(name: string): Operation {
  const operation = STRING_METHODS.get(name);
  if (!operation) throw new Error(`strings have no method ${name}`);
  return operation;
}

const string: Operation = (runtime, operand) => text(printed(runtime, operand));

/** Hugging Face's arguments, `tojson(ensure_ascii, indent, separators, sort_keys)`, or Jinja's own, `tojson(indent)`. */
const tojson: Operation = ({ budget, measure }, operand, args) => {
  const [first, ...others] = args.positional;
  const given: CallArguments = isInteger(first)
    ? { ...args, positional: [nothing(), first, ...others] }
    : args;
  const indent = argument(given, 1, "indent");
  const width = isMissing(indent) ? undefined : Math.max(0, integerArgument(given, 1, "indent"));
  const separators = argument(given, 2, "separators");
  const pair = isArray(separators) ? separators.value : [];
  if (!isMissing(separators) && !(pair.length === 2 && pair.every(isString))) {
    throw new Error("separators must be a tuple of two strings");
  }
  const options = {
    indent: width,
    ensureAscii: isTrue(argument(given, 0, "ensure_ascii")),
    sortKeys: isTrue(argument(given, 3, "sort_keys")),
    itemSeparator: pair[0] ? (pair[0].value as string) : width === undefined ? ", " : ",",
    keySeparator: pair[1] ? (pair[1].value as string) : ": ",
  };
  const { characters, nodes, depth } = measure.measure(operand);
  const perNode =
    (width === undefined ? 0 : width * (depth + 1) + 1) +
    options.itemSeparator.length +
    options.keySeparator.length;
  budget.spend(nodes);
  budget.allocate((options.ensureAscii ? 6 : 1) * characters + nodes * perNode);
  return text(jsonText(operand, options));
};

const fallback: Operation = (_, operand, args) => {
  const value = argument(args, 0, "default_value") ?? text("");
  const replacesFalse = isTrue(argument(args, 1, "boolean"));
  return isUndefined(operand) || (replacesFalse && !isTrue(operand)) ? value : operand;
};

const int: Operation = (_, operand, args) => {
  const otherwise = argument(args, 0, "default") ?? integer(0);
  const number = numberOf(operand);
  if (number !== undefined) return integer(Math.trunc(number));
  if (!isString(operand)) return otherwise;
  const written = operand.value.trim().replaceAll("_", "");
  const base = integerArgument(args, 1, "base", 10);
  if (base !== 10) {
    const parsed = Number.parseInt(written.replace(/^([+-]?)0[xob]/i, "$1"), base);
    return Number.isNaN(parsed) ? otherwise : integer(parsed);
  }
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(written)
    ? integer(Math.trunc(Number(written)))
    : otherwise;
};

const real: Operation = (_, operand, args) => {
  const number = numberOf(operand);
  if (number !== undefined) return float(number);
  const parsed = isString(operand) && operand.value.trim() !== "" ? Number(operand.value) : Number.NaN;
  return Number.isNaN(parsed) ? (argument(args, 0, "default") ?? float(0)) : float(parsed);
};

const abs: Operation = (_, operand) => {
  const number = numberOf(operand);
  if (number === undefined) throw new Error(`${typeName(operand)} has no absolute value`);
  return isFloat(operand) ? float(Math.abs(number)) : integer(Math.abs(number));
};

const round: Operation = (_, operand, args) => {
  const number = numberOf(operand);
  if (number === undefined) throw new Error(`${typeName(operand)} cannot be rounded`);
  const scale = 10 ** integerArgument(args, 0, "precision", 0);
  const how = stringArgument(args, 1, "method", "common");
  const scaled = number * scale;
  if (how === "ceil") return float(Math.ceil(scaled) / scale);
  if (how === "floor") return float(Math.floor(scaled) / scale);
  // Halves go to the even neighbour.
  const floor = Math.floor(scaled);
  const isHalf = scaled - floor === 0.5;
  return float((isHalf && floor % 2 === 0 ? floor : Math.round(scaled)) / scale);
};

const length: Operation = (_, operand) => {
  if (isMissing(operand)) return integer(0);
  if (isString(operand)) return integer(Array.from(operand.value).length);
  if (isArray(operand)) return integer(operand.value.length);
  if (isMapping(operand)) return integer(operand.value.size);
  throw new Error(`${typeName(operand)} has no length`);
};

const indent: Operation = (runtime, operand, args) => {
  const value = printed(runtime, operand);
  const given = argument(args, 0, "width");
  const unit = isString(given) ? given.value : " ";
  const times = isString(given) ? 1 : Math.max(0, integerArgument(args, 0, "width", 4));
  const first = isTrue(argument(args, 1, "first"));
  const blank = isTrue(argument(args, 2, "blank"));
  const lines = value.split("\n");
  runtime.budget.allocate(value.length + lines.length * unit.length * times);
  runtime.budget.spend(lines.length);
  const space = unit.repeat(times);
  const isMoved = (line: string, at: number) => (at === 0 ? first : blank || line !== "");
  return text(lines.map((line, at) => (isMoved(line, at) ? space + line : line)).join("\n"));
};

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

const escapeHtml: Operation = (runtime, operand) => {
  const value = printed(runtime, operand);
  runtime.budget.allocate(5 * value.length);
  return text(value.replace(/[&<>"']/g, (character) => ENTITIES[character]!));
};

const title: Operation = (runtime, operand) => {
  return text(
    printed(runtime, operand).replace(/[^-\s({[<]+/g, (word) => {
      const [first = "", ...rest] = word;
      return first.toUpperCase() + rest.join("").toLowerCase();
    }),
  );
};

const truncate: Operation = (runtime, operand, args) => {
  const characters = Array.from(printed(runtime, operand));
  runtime.budget.spend(characters.length);
  const limit = Math.max(0, integerArgument(args, 0, "length", 255));
  const end = stringArgument(args, 2, "end", "...");
  const leeway = integerArgument(args, 3, "leeway", 5);
  if (characters.length <= limit + leeway) return text(characters.join(""));
  const cut = characters.slice(0, Math.max(0, limit - end.length)).join("");
  if (isTrue(argument(args, 1, "killwords"))) return text(cut + end);
  const space = cut.lastIndexOf(" ");
  return text((space < 0 ? cut : cut.slice(0, space)) + end);
};

const wordcount: Operation = (runtime, operand) => {
  const value = printed(runtime, operand);
  runtime.budget.spend(value.length / 2);
  return integer(value.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0);
};

/** An attribute of each item, or each item through a filter. */
const map: Operation = (runtime, operand, args) => {
  const attribute = args.keywords.get("attribute");
  const members = iterate(runtime, operand);
  if (attribute) {
    const missing = args.keywords.get("default");
    return list(
      members.map((item) => {
        const value = attributeOf(runtime, item, attribute);
        return isUndefined(value) && missing ? missing : value;
      }),
    );
  }
  const [name, ...rest] = args.positional;
  if (!isString(name)) throw new Error("map needs an attribute or the name of a filter");
  const filter = filterOf(name.value);
  const given = { positional: rest, keywords: args.keywords };
  return list(
    members.map((item) => {
      runtime.budget.spend(1);
      chargeUse(runtime, item, given);
      return filter(runtime, item, given);
    }),
  );
};

/** Items that pass a test, or fail it; by an attribute or as they are; without a test, those that are true. */
function choose(keeps: boolean, by: "attribute" | "item"): Operation {
  return (runtime, operand, args) => {
    const attribute = by === "attribute" ? args.positional[0] : undefined;
    const [name, ...given] = args.positional.slice(attribute ? 1 : 0);
    if (by === "attribute" && !attribute) throw new Error("selectattr and rejectattr need an attribute");
    const tested: CallArguments = { positional: given, keywords: NO_ARGUMENTS.keywords };
    const test = name === undefined ? undefined : testOf(printed(runtime, name));
    return list(
      iterate(runtime, operand).filter((item) => {
        runtime.budget.spend(1);
        const value = attribute ? attributeOf(runtime, item, attribute) : item;
        chargeUse(runtime, value, tested);
        const passes = test ? test(runtime, value, tested) : isTrue(value);
        return passes === keeps;
      }),
    );
  };
}

const sum: Operation = (runtime, operand, args) => {
  const attribute = argument(args, 0, "attribute");
  let total: RuntimeValue = argument(args, 1, "start") ?? integer(0);
  for (const item of iterate(runtime, operand)) {
    const value = isMissing(attribute) ? item : attributeOf(runtime, item, attribute!);
    total = applyOperator(runtime, "+", total, value);
  }
  return total;
};

const FILTERS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ...LIST_FILTERS,
  ["abs", abs],
  ["capitalize", method("capitalize")],
  ["center", center],
  ["count", length],
  ["d", fallback],
  ["default", fallback],
  ["e", escapeHtml],
  ["escape", escapeHtml],
  ["float", real],
  ["format", (runtime, operand, args) => formatDirectives(runtime, printed(runtime, operand), args)],
  ["indent", indent],
  ["int", int],
  ["items", items],
  ["length", length],
  ["lower", method("lower")],
  ["map", map],
  ["reject", choose(false, "item")],
  ["rejectattr", choose(false, "attribute")],
  ["replace", replace],
  ["round", round],
  ["safe", (_, operand) => operand],
  ["select", choose(true, "item")],
  ["selectattr", choose(true, "attribute")],
  ["string", string],
  ["strip", trim],
  ["sum", sum],
  ["title", title],
  ["tojson", tojson],
  ["trim", trim],
  ["truncate", truncate],
  ["upper", method("upper")],
  ["wordcount", wordcount],
]);

/** @throws Error for a name that no filter has. */
export function filterOf(name: string): Operation {
  const filter = FILTERS.get(name);
  if (!filter) throw new Error(`there is no filter "${name}"`);
  return filter;
}

export function isFilter(name: string): boolean {
  return FILTERS.has(name);
}
