import type { RuntimeValue } from "./jinja-library.ts";
import { keyValue } from "./mapping-keys.ts";
import { floatText, integerText, textOf } from "./python-text.ts";
import { isArray, isFloat, isMapping, isString } from "./runtime-values.ts";

/** Options of Python's `json.dumps`. */
export interface JsonTextOptions {
  /** Spaces for each level; undefined for all on one line. */
  readonly indent?: number | undefined;
  readonly ensureAscii: boolean;
  readonly sortKeys: boolean;
  readonly itemSeparator: string;
  readonly keySeparator: string;
}

/**
 * A value as Python's `json.dumps` writes it; undefined values become null. The value must have been measured.
 *
 * @throws Error for functions.
 */
export function jsonText(value: RuntimeValue, options: JsonTextOptions, level = 0): string {
  const { indent, itemSeparator, keySeparator } = options;
  const write = (child: RuntimeValue) => jsonText(child, options, level + 1);
  const join = (open: string, items: readonly string[], close: string): string => {
    if (indent === undefined || items.length === 0) return open + items.join(itemSeparator) + close;
    const line = `\n${" ".repeat(indent * level)}`;
    const inner = line + " ".repeat(indent);
    return open + inner + items.join(itemSeparator + inner) + line + close;
  };
  if (isString(value)) return jsonString(value.value, options);
  if (isArray(value)) return join("[", value.value.map(write), "]");
  if (isMapping(value)) {
    const entries = [...value.value];
    if (options.sortKeys) entries.sort(([a], [b]) => (a < b ? -1 : 1));
    const pairs = entries.map(
      ([key, item]) => jsonString(keyText(key), options) + keySeparator + write(item),
    );
    return join("{", pairs, "}");
  }
  switch (value.type) {
    case "NullValue":
    case "UndefinedValue":
      return "null";
    case "BooleanValue":
      return String(value.value);
    case "FunctionValue":
      throw new Error("a function cannot be written as JSON");
    default:
      return isFloat(value) ? floatText(value.value) : integerText(value.value as number);
  }
}

/** Keys that are no strings become some: JSON has no others. */
function keyText(key: string): string {
  const value = keyValue(key);
  return value.type === "NullValue" ? "null" : textOf(value);
}

function jsonString(text: string, { ensureAscii }: JsonTextOptions): string {
  const json = JSON.stringify(text);
  if (!ensureAscii) return json;
  return json.replace(/[\x7f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
