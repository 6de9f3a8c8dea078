import type { RuntimeValue } from "./jinja-library.ts";
import { keyValue } from "./mapping-keys.ts";
import { isArray, isFloat, isMapping, isString } from "./runtime-values.ts";

/** The text that Python's `str` makes of a value: what a template prints. The value must have been measured. */
export function textOf(value: RuntimeValue): string {
  if (isString(value)) return value.value;
  return value.type === "UndefinedValue" ? "" : reprOf(value);
}

/** Python's `repr`: as {@link textOf}, but strings stand in quotes. */
export function reprOf(value: RuntimeValue): string {
  if (isString(value)) return quoted(value.value);
  if (isArray(value)) {
    const items = value.value.map(reprOf).join(", ");
    if (value.type === "ArrayValue") return `[${items}]`;
    return value.value.length === 1 ? `(${items},)` : `(${items})`;
  }
  if (isMapping(value)) {
    return `{${[...value.value].map(([key, item]) => `${reprOf(keyValue(key))}: ${reprOf(item)}`).join(", ")}}`;
  }
  switch (value.type) {
    case "BooleanValue":
      return value.value ? "True" : "False";
    case "NullValue":
      return "None";
    case "UndefinedValue":
      return "Undefined";
    case "FunctionValue":
      return "<function>";
    default:
      return isFloat(value) ? floatText(value.value) : integerText(value.value as number);
  }
}

export function integerText(value: number): string {
  return Number.isSafeInteger(value) || !Number.isFinite(value) ? String(value) : BigInt(value).toString();
}

/** A float as Python writes it: never without a point or an exponent, which has two digits at least. */
export function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size >= 1e16 || (size > 0 && size < 1e-4)) {
    return value.toExponential().replace(/([+-])(\d)$/, "$10$2");
  }
  if (Object.is(value, -0)) return "-0.0";
  return Number.isInteger(value) ? value.toFixed(1) : String(value);
}

const ESCAPES: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\'"]|[^\P{C}]|[^\P{Z} ]/gu, (character) => {
    if (character === "'" || character === '"') return character === quote ? `\\${character}` : character;
    if (character === "\\") return "\\\\";
    return ESCAPES[character] ?? escapedCode(character.codePointAt(0)!);
  });
  return quote + escaped + quote;
}

function escapedCode(code: number): string {
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}
