import {
  argument,
  type CallArguments,
  integer,
  integerArgument,
  type Operation,
  printed,
  type Runtime,
  stringArgument,
} from "./call-arguments.ts";
import { iterate } from "./iterate.ts";
import { BooleanValue, type RuntimeValue, TupleValue } from "./jinja-library.ts";
import { textOf } from "./python-text.ts";
import { isArray, isMissing, isString, list, text, typeName } from "./runtime-values.ts";
import { braceFormat } from "./text-format.ts";

type TextOperation = (runtime: Runtime, value: string, args: CallArguments) => RuntimeValue;

/** For filters too: any operand counts as the text it prints. The text has been paid for once. */
function onText(operation: TextOperation): Operation {
  return (runtime, operand, args) => operation(runtime, printed(runtime, operand), args);
}

function onTextAlone(operation: (value: string) => string): Operation {
  return onText((_, value) => text(operation(value)));
}

function isText(matches: (value: string) => boolean): Operation {
  return onText((_, value) => new BooleanValue(matches(value)));
}

export const trim: Operation = onText((_, value, args) => text(strip(value, args, "both")));

/** Without characters to strip: white space. */
function strip(value: string, args: CallArguments, side: "both" | "start" | "end"): string {
  const given = argument(args, 0, "chars");
  if (isMissing(given)) {
    return side === "both" ? value.trim() : side === "start" ? value.trimStart() : value.trimEnd();
  }
  const stripped = new Set(stringArgument(args, 0, "chars"));
  const characters = Array.from(value);
  let start = 0;
  let end = characters.length;
  if (side !== "end") while (start < end && stripped.has(characters[start]!)) start += 1;
  if (side !== "start") while (end > start && stripped.has(characters[end - 1]!)) end -= 1;
  return characters.slice(start, end).join("");
}

export function capitalize(value: string): string {
  const [first = "", ...rest] = value;
  return first.toUpperCase() + rest.join("").toLowerCase();
}

/** Each run of letters begins with a capital. */
function titleCase(value: string): string {
  return value.replace(/\p{L}+/gu, capitalize);
}

export const replace: Operation = onText((runtime, value, args) => {
  const old = stringArgument(args, 0, "old");
  const fresh = stringArgument(args, 1, "new");
  const given = argument(args, 2, "count");
  const limit = isMissing(given) ? -1 : integerArgument(args, 2, "count");
  const { budget } = runtime;
  budget.search(old.length, value.length);
  const pieces = old === "" ? ["", ...Array.from(value), ""] : value.split(old);
  const count = limit < 0 ? pieces.length - 1 : Math.min(limit, pieces.length - 1);
  budget.spend(pieces.length);
  budget.allocate(value.length + count * Math.max(0, fresh.length - old.length));
  const head = pieces.slice(0, count + 1).join(fresh);
  const tail = pieces.slice(count + 1);
  return text(tail.length === 0 ? head : head + old + tail.join(old));
});

function split(runtime: Runtime, value: string, args: CallArguments, side: "left" | "right"): RuntimeValue {
  const given = argument(args, 0, "sep");
  const limit = integerArgument(args, 1, "maxsplit", -1);
  runtime.budget.spend(value.length / 2);
  const parts = isMissing(given)
    ? splitAtSpace(value, limit, side)
    : splitAt(runtime, value, stringArgument(args, 0, "sep"), limit, side);
  return list(parts.map(text));
}

function splitAt(
  { budget }: Runtime,
  value: string,
  separator: string,
  limit: number,
  side: "left" | "right",
): string[] {
  if (separator === "") throw new Error("split needs a separator that is not empty");
  budget.search(separator.length, value.length);
  const parts = value.split(separator);
  if (limit < 0 || parts.length <= limit + 1) return parts;
  if (side === "left") return [...parts.slice(0, limit), parts.slice(limit).join(separator)];
  const cut = parts.length - limit;
  return [parts.slice(0, cut).join(separator), ...parts.slice(cut)];
}

/** Runs of white space separate, and none stands at either end. */
function splitAtSpace(value: string, limit: number, side: "left" | "right"): string[] {
  const words = [...value.matchAll(/\S+/g)];
  if (limit < 0 || words.length <= limit + 1) return words.map(([word]) => word);
  if (side === "left") {
    return [...words.slice(0, limit).map(([word]) => word), value.slice(words[limit]!.index).trimStart()];
  }
  const cut = words.length - limit;
  const last = words[cut - 1]!;
  const head = value.slice(0, last.index + last[0].length).trimStart();
  return [head, ...words.slice(cut).map(([word]) => word)];
}

/** Whether one of the texts, a string or a list of them, is where the test looks. */
function affix(name: string, test: (value: string, part: string) => boolean): Operation {
  return onText((runtime, value, args) => {
    const given = argument(args, 0, name);
    if (!given) throw new Error(`argument ${name} is missing`);
    const parts = isArray(given) ? given.value : [given];
    runtime.budget.spend(parts.length);
    const found = parts.some((part) => {
      if (!isString(part))
        throw new Error(`${name} is ${typeName(part)}; it must be a string or a tuple of them`);
      runtime.budget.touch(part.value.length);
      return test(value, part.value);
    });
    return new BooleanValue(found);
  });
}

/** Places count code points, as in Python; -1 where the text is not found. */
function find(from: (value: string, part: string) => number): Operation {
  return onText(({ budget }, value, args) => {
    const part = stringArgument(args, 0, "sub");
    budget.search(part.length, value.length);
    const at = from(value, part);
    budget.spend(Math.max(at, 0) / 2);
    return integer(at < 0 ? at : Array.from(value.slice(0, at)).length);
  });
}

function orFail(operation: Operation): Operation {
  return (runtime, operand, args) => {
    const found = operation(runtime, operand, args);
    if (found.value === -1) throw new Error("index did not find the text");
    return found;
  };
}

const count: Operation = onText(({ budget }, value, args) => {
  const part = stringArgument(args, 0, "sub");
  budget.search(part.length, value.length);
  budget.spend(value.length / 2);
  return integer(part === "" ? Array.from(value).length + 1 : value.split(part).length - 1);
});

function partition(side: "first" | "last"): Operation {
  return onText(({ budget }, value, args) => {
    const separator = stringArgument(args, 0, "sep");
    budget.search(separator.length, value.length);
    const at = side === "first" ? value.indexOf(separator) : value.lastIndexOf(separator);
    const behind = at + separator.length;
    const parts = [value.slice(0, at), separator, value.slice(behind)];
    const missed = side === "first" ? [value, "", ""] : ["", "", value];
    return new TupleValue((at < 0 ? missed : parts).map(text));
  });
}

/** Fills up to a width; `share` is the part of the filling that goes in front. */
function padded(share: (missing: number) => number): Operation {
  return onText(({ budget }, value, args) => {
    const width = integerArgument(args, 0, "width", 80);
    const fill = stringArgument(args, 1, "fillchar", " ");
    budget.spend(value.length / 2);
    const missing = Math.max(0, width - Array.from(value).length);
    budget.allocate(value.length + missing * fill.length);
    const front = share(missing);
    return text(fill.repeat(front) + value + fill.repeat(missing - front));
  });
}

const zfill: Operation = onText(({ budget }, value, args) => {
  const width = integerArgument(args, 0, "width");
  budget.allocate(Math.max(width, value.length));
  const sign = /^[+-]/.exec(value)?.[0] ?? "";
  return text(sign + value.slice(sign.length).padStart(width - sign.length, "0"));
});

export const center: Operation = padded((missing) => missing >> 1);

/** Joins the items of the argument: `', '.join(names)`. */
const join: Operation = (runtime, operand, args) => {
  const given = argument(args, 0, "iterable");
  return joined(runtime, given ? iterate(runtime, given) : [], printed(runtime, operand));
};

export function joined(
  { budget, measure }: Runtime,
  items: readonly RuntimeValue[],
  separator: string,
): RuntimeValue {
  let length = separator.length * Math.max(0, items.length - 1);
  for (const item of items) length += measure.characters(item);
  budget.allocate(length);
  return text(items.map(textOf).join(separator));
}

/** Methods of Python's strings. */
export const STRING_METHODS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ["upper", onTextAlone((value) => value.toUpperCase())],
  ["lower", onTextAlone((value) => value.toLowerCase())],
  ["casefold", onTextAlone((value) => value.toLowerCase())],
  ["capitalize", onTextAlone(capitalize)],
  ["title", onTextAlone(titleCase)],
  ["strip", trim],
  ["lstrip", onText((_, value, args) => text(strip(value, args, "start")))],
  ["rstrip", onText((_, value, args) => text(strip(value, args, "end")))],
  [
    "removeprefix",
    removed(
      "prefix",
      (value, part) => value.startsWith(part),
      (value, part) => value.slice(part.length),
    ),
  ],
  [
    "removesuffix",
    removed(
      "suffix",
      (value, part) => value.endsWith(part),
      (value, part) => value.slice(0, value.length - part.length),
    ),
  ],
  ["startswith", affix("prefix", (value, part) => value.startsWith(part))],
  ["endswith", affix("suffix", (value, part) => value.endsWith(part))],
  ["split", onText((runtime, value, args) => split(runtime, value, args, "left"))],
  ["rsplit", onText((runtime, value, args) => split(runtime, value, args, "right"))],
  ["splitlines", onText(splitLines)],
  ["partition", partition("first")],
  ["rpartition", partition("last")],
  ["join", join],
  ["replace", replace],
  ["find", find((value, part) => value.indexOf(part))],
  ["rfind", find((value, part) => value.lastIndexOf(part))],
  ["index", orFail(find((value, part) => value.indexOf(part)))],
  ["rindex", orFail(find((value, part) => value.lastIndexOf(part)))],
  ["count", count],
  ["format", onText(braceFormat)],
  ["center", center],
  ["ljust", padded(() => 0)],
  ["rjust", padded((missing) => missing)],
  ["zfill", zfill],
  ["isdigit", isText((value) => /^\p{Nd}+$/u.test(value))],
  ["isdecimal", isText((value) => /^\p{Nd}+$/u.test(value))],
  ["isnumeric", isText((value) => /^\p{N}+$/u.test(value))],
  ["isalpha", isText((value) => /^\p{L}+$/u.test(value))],
  ["isalnum", isText((value) => /^[\p{L}\p{N}]+$/u.test(value))],
  ["isspace", isText((value) => /^\s+$/.test(value))],
  ["isupper", isText(isUpper)],
  ["islower", isText(isLower)],
]);

/** Letters are there, and all of them are capitals. */
export function isUpper(value: string): boolean {
  return value === value.toUpperCase() && value !== value.toLowerCase();
}

export function isLower(value: string): boolean {
  return value === value.toLowerCase() && value !== value.toUpperCase();
}

function removed(
  name: string,
  has: (value: string, part: string) => boolean,
  cut: (value: string, part: string) => string,
): Operation {
  return onText((_, value, args) => {
    const part = stringArgument(args, 0, name);
    return text(has(value, part) ? cut(value, part) : value);
  });
}

function splitLines({ budget }: Runtime, value: string, args: CallArguments): RuntimeValue {
  budget.spend(value.length / 2);
  const keepsEnds = argument(args, 0, "keepends")?.value === true;
  const lines = value.match(/[^\n\r]*(?:\r\n|\n|\r)|[^\n\r]+$/g) ?? [];
  return list(lines.map((line) => text(keepsEnds ? line : line.replace(/[\r\n]+$/, ""))));
}
