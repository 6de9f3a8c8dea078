import type { RenderBudget } from "./budget.ts";
import { FloatValue, IntegerValue, type RuntimeValue } from "./jinja-library.ts";
import { textOf } from "./python-text.ts";
import { isInteger, isString, isUndefined, typeName } from "./runtime-values.ts";
import type { ValueMeasure } from "./value-measure.ts";

/** What operations pay with. */
export interface Runtime {
  readonly budget: RenderBudget;
  readonly measure: ValueMeasure;
}

/** Positional and keyword arguments that have been evaluated. */
export interface CallArguments {
  readonly positional: RuntimeValue[];
  readonly keywords: Map<string, RuntimeValue>;
}

/** A filter of Jinja, or a method of Python, on its operand. The operand itself has been paid for; what it grows to has not. */
export type Operation = (runtime: Runtime, operand: RuntimeValue, args: CallArguments) => RuntimeValue;

export const NO_ARGUMENTS: CallArguments = { positional: [], keywords: new Map() };

/** The argument at a position, or of a name; undefined where it was not given. */
export function argument(args: CallArguments, index: number, name?: string): RuntimeValue | undefined {
  return args.positional[index] ?? (name === undefined ? undefined : args.keywords.get(name));
}

/** @throws Error when the argument is no string; undefined and not given are the fallback. */
export function stringArgument(args: CallArguments, index: number, name: string, fallback?: string): string {
  const value = argument(args, index, name);
  if (isString(value)) return value.value;
  if (isUndefined(value) && fallback !== undefined) return fallback;
  throw new Error(`argument ${name} is ${value ? typeName(value) : "missing"}; it must be a string`);
}

/** @throws Error when the argument is no integer; undefined and not given are the fallback. */
export function integerArgument(args: CallArguments, index: number, name: string, fallback?: number): number {
  const value = argument(args, index, name);
  if (isInteger(value)) return value.value;
  if (isUndefined(value) && fallback !== undefined) return fallback;
  throw new Error(`argument ${name} is ${value ? typeName(value) : "missing"}; it must be an integer`);
}

/** The text that a value prints, paid for: values that hold values twice print more than they are. */
export function printed({ budget, measure }: Runtime, value: RuntimeValue): string {
  if (!isString(value)) budget.allocate(measure.characters(value));
  return textOf(value);
}

export function integer(value: number): RuntimeValue {
  return new IntegerValue(value);
}

export function float(value: number): RuntimeValue {
  return new FloatValue(value);
}
