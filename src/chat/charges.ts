import type { CallArguments } from "./bounded-interpreter.ts";
import type { RenderBudget } from "./budget.ts";
import type { RuntimeValue } from "./jinja-library.ts";
import { countItems, isArray, isInteger, isString, type ValueMeasure } from "./runtime-values.ts";

/** Charges for `left operator right`, except for `and` and `or`. */
export function chargeBinary(
  budget: RenderBudget,
  measure: ValueMeasure,
  operator: string,
  left: RuntimeValue,
  right: RuntimeValue,
): void {
  switch (operator) {
    case "+":
      if (isArray(left) && isArray(right)) budget.spend(left.value.length + right.value.length);
      else if (isString(left) || isString(right)) {
        budget.allocate(measure.characters(left) + measure.characters(right));
      }
      return;
    case "~":
      budget.allocate(measure.characters(left) + measure.characters(right));
      return;
    case "==":
    case "!=":
      // The library compares loosely: a list is turned into text to be compared with text.
      if (isComposite(left) !== isComposite(right)) {
        budget.touch(measure.characters(isComposite(left) ? left : right));
      } else if (isString(left) && isString(right)) {
        budget.touch(Math.min(left.value.length, right.value.length));
      }
      return;
    case "in":
    case "not in": {
      const needle = isString(left) ? left.value.length : 0;
      if (isString(right)) budget.search(needle, right.value.length);
      else if (isArray(right)) budget.spend(right.value.length * (1 + needle / 64));
    }
  }
}

function isComposite(value: RuntimeValue): boolean {
  return isArray(value) || value.value instanceof Map;
}

/** Charges for `operand | name(args)`. */
export function chargeFilter(
  budget: RenderBudget,
  measure: ValueMeasure,
  name: string,
  operand: RuntimeValue,
  args: CallArguments,
): void {
  switch (name) {
    case "length":
    case "first":
    case "last":
    case "list":
    case "safe":
    case "default":
      return;
    case "tojson":
      chargeJson(budget, measure, operand, args);
      return;
    case "join": {
      const separator = args.positional[0] ?? args.keywords.get("separator");
      const separatorLength = separator && isString(separator) ? separator.value.length : 0;
      const count = isString(operand) ? operand.value.length : countItems(operand);
      if (isString(operand)) budget.spend(operand.value.length / 2);
      budget.allocate(measure.characters(operand) + count * separatorLength);
      return;
    }
    case "string":
      budget.allocate(measure.characters(operand));
      return;
    case "map": {
      const attribute = args.keywords.get("attribute");
      const pathLength = attribute && isString(attribute) ? attribute.value.length : 0;
      budget.spend(countItems(operand) * (1 + pathLength / 16));
      return;
    }
    case "indent":
      if (isString(operand)) {
        const width = args.positional[0] ?? args.keywords.get("width");
        const lines = countOccurrences(operand.value, "\n") + 1;
        budget.allocate(operand.value.length + lines * (isInteger(width) ? Math.max(width.value, 4) : 4));
      }
      return;
    default:
      chargeCall(budget, measure, name, operand, args);
  }
}

function chargeJson(
  budget: RenderBudget,
  measure: ValueMeasure,
  operand: RuntimeValue,
  args: CallArguments,
): void {
  const { characters, nodes, depth } = measure.measure(operand);
  const indent = args.keywords.get("indent");
  const separators = args.keywords.get("separators");
  const perNode =
    (isInteger(indent) ? Math.max(indent.value, 0) * (depth + 1) + 1 : 0) +
    (separators ? measure.characters(separators) : 0);
  budget.spend(nodes);
  budget.allocate(characters + nodes * perNode);
}

/** Charges for `receiver.name(args)` of a built-in method, and for filters of the same name. */
export function chargeCall(
  budget: RenderBudget,
  measure: ValueMeasure,
  name: string,
  receiver: RuntimeValue,
  args: CallArguments,
): void {
  if (isString(receiver)) {
    const text = receiver.value;
    budget.touch(text.length);
    for (const argument of args.positional) budget.touch(measure.characters(argument));
    const [first, second] = args.positional;
    if (name === "split") budget.spend(text.length / 2);
    if (!first || !isString(first)) return;
    if (name === "split" || name === "replace") budget.search(first.value.length, text.length);
    if (name === "replace" && second && isString(second)) {
      const count = first.value === "" ? text.length + 1 : countOccurrences(text, first.value);
      budget.spend(count);
      budget.allocate(text.length + count * second.value.length);
    }
    return;
  }
  const count = countItems(receiver);
  budget.spend(count);
  if (name === "sort" || name === "dictsort") {
    const perPass = count + measure.characters(receiver) / 32;
    budget.spend(perPass * Math.ceil(Math.log2(count + 1)));
  }
}

function countOccurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + part.length)) count += 1;
  return count;
}
