import { FloatValue, IntegerValue, NullValue, type RuntimeValue } from "./jinja-library.ts";
import { isString, numberOf, text } from "./runtime-values.ts";

// The library's mappings have strings for keys. Other keys are written as strings that begin with a character that no key has.
const MARK = "\u0000";

/** The string that stands for a key in a mapping; undefined for what can be no key. `1`, `1.0` and `true` are one key, as in Python. */
export function keyOf(value: RuntimeValue): string | undefined {
  if (isString(value)) return value.value.startsWith(MARK) ? `${MARK}s${value.value}` : value.value;
  const number = numberOf(value);
  if (number !== undefined) return `${MARK}n${number}`;
  return value.type === "NullValue" ? `${MARK}0` : undefined;
}

/** The key that a string in a mapping stands for. */
export function keyValue(key: string): RuntimeValue {
  if (!key.startsWith(MARK)) return text(key);
  const rest = key.slice(2);
  switch (key[1]) {
    case "n":
      return Number.isInteger(Number(rest)) ? new IntegerValue(Number(rest)) : new FloatValue(Number(rest));
    case "0":
      return new NullValue(null);
    default:
      return text(key[1] === "s" ? rest : key);
  }
}
