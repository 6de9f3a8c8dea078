import type { Runtime } from "./call-arguments.ts";
import type { RuntimeValue } from "./jinja-library.ts";
import { keyValue } from "./mapping-keys.ts";
import { isArray, isMapping, isMissing, isString, text, typeName } from "./runtime-values.ts";

/**
 * What a loop over the value goes through: items, keys or characters. What is not defined counts as an empty list, as in Jinja;
 * so does `none`, since some templates expect an array of tools.
 *
 * @throws Error for what has no items.
 */
export function iterate({ budget }: Runtime, value: RuntimeValue): readonly RuntimeValue[] {
  if (isMissing(value)) return [];
  if (isArray(value)) {
    budget.spend(value.value.length);
    return value.value;
  }
  if (isString(value)) {
    budget.spend(value.value.length);
    return Array.from(value.value, text);
  }
  if (isMapping(value) && value.type !== "NamespaceValue") {
    budget.spend(value.value.size);
    return Array.from(value.value.keys(), keyValue);
  }
  throw new Error(`${typeName(value)} has no items to go through`);
}
