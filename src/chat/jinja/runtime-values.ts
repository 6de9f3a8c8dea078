import type { LibraryFunction } from "./jinja-library.ts";
import { ArrayValue, type RuntimeValue, StringValue, UndefinedValue } from "./jinja-library.ts";

export interface TextValue extends RuntimeValue {
  readonly value: string;
}

export interface NumberValue extends RuntimeValue {
  readonly value: number;
}

/** Only the methods `append`, `extend` and `pop` change a list. */
export interface ListValue extends RuntimeValue {
  readonly value: RuntimeValue[];
}

export interface MappingValue extends RuntimeValue {
  readonly value: Map<string, RuntimeValue>;
}

interface CallableValue extends RuntimeValue {
  value: LibraryFunction;
}

export function isString(value: RuntimeValue | undefined): value is TextValue {
  return value?.type === "StringValue";
}

export function isArray(value: RuntimeValue | undefined): value is ListValue {
  return value?.type === "ArrayValue" || value?.type === "TupleValue";
}

/** Objects, keyword arguments and namespaces all hold a `Map`. */
export function isMapping(value: RuntimeValue | undefined): value is MappingValue {
  return value?.value instanceof Map;
}

export function isInteger(value: RuntimeValue | undefined): value is NumberValue {
  return value?.type === "IntegerValue";
}

export function isFloat(value: RuntimeValue | undefined): value is NumberValue {
  return value?.type === "FloatValue";
}

export function isBoolean(value: RuntimeValue | undefined): boolean {
  return value?.type === "BooleanValue";
}

export function isNull(value: RuntimeValue | undefined): boolean {
  return value?.type === "NullValue";
}

export function isUndefined(value: RuntimeValue | undefined): boolean {
  return value === undefined || value.type === "UndefinedValue";
}

/** Nothing was given, or `none`. */
export function isMissing(value: RuntimeValue | undefined): boolean {
  return isUndefined(value) || isNull(value);
}

export function isFunction(value: RuntimeValue | undefined): value is CallableValue {
  return value?.type === "FunctionValue";
}

/** Entries of an array or mapping, 0 for anything else. */
export function countItems(value: RuntimeValue): number {
  if (isArray(value)) return value.value.length;
  return isMapping(value) ? value.value.size : 0;
}

/** The value as a number, as Python counts booleans; undefined for what is none. */
export function numberOf(value: RuntimeValue | undefined): number | undefined {
  if (isInteger(value) || isFloat(value)) return value.value;
  return isBoolean(value) ? Number(value!.value) : undefined;
}

export function isTrue(value: RuntimeValue | undefined): boolean {
  return value?.__bool__().value ?? false;
}

export function text(value: string): RuntimeValue {
  return new StringValue(value);
}

export function list(values: RuntimeValue[]): RuntimeValue {
  return new ArrayValue(values);
}

export function nothing(): RuntimeValue {
  return new UndefinedValue(undefined);
}

/** The type's name in an error, in Python's words. */
export function typeName({ type }: RuntimeValue): string {
  return TYPE_NAMES[type] ?? type;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  StringValue: "a string",
  IntegerValue: "an integer",
  FloatValue: "a float",
  BooleanValue: "a boolean",
  NullValue: "none",
  UndefinedValue: "undefined",
  ArrayValue: "a list",
  TupleValue: "a tuple",
  ObjectValue: "a dictionary",
  NamespaceValue: "a namespace",
  FunctionValue: "a function",
};
