import { type CStruct, checkInteger, type Native } from "../ffi/index.ts";
import type { GgufHeader } from "../lib/gguf-header.ts";
import { checkLoadable } from "../lib/gguf-safety.ts";
import type { GgufValueType } from "../lib/gguf-types.ts";
import type { GgufEntry } from "../lib/gguf-value.ts";

export type OverrideValue =
  | number
  | bigint
  | boolean
  | string
  | { type: "int"; value: number | bigint }
  | { type: "float"; value: number }
  | { type: "bool"; value: boolean }
  | { type: "str"; value: string };

export type KvOverrides = Readonly<Record<string, OverrideValue>>;

type Override =
  | { readonly type: "int"; readonly value: bigint }
  | { readonly type: "float"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "str"; readonly value: string };

/** `llama_model_kv_override_type`. */
const tags = { int: 0, float: 1, bool: 2, str: 3 } as const;
const ggufTypes = { int: "u32", float: "f64", bool: "bool", str: "string" } as const;
/** Types in a file that are overridden by another than int. */
const notIntegers = new Map<GgufValueType, keyof typeof tags>([
  ["f32", "float"],
  ["f64", "float"],
  ["bool", "bool"],
  ["string", "str"],
]);

/** What a value is: an integer number is an int, any other a float, unless `type` says so. */
function interpret(raw: OverrideValue, field: string): Override {
  const { type, value } = typeof raw === "object" && raw !== null ? raw : { type: typeOf(raw), value: raw };
  const wrong = (wanted: string) => new TypeError(`${field} must be ${wanted}, got ${String(value)}`);
  switch (type) {
    case "int": {
      if (typeof value !== "bigint" && typeof value !== "number") throw wrong("an integer");
      const integer = typeof value === "bigint" ? value : BigInt(checkInteger(value, "i64", field));
      // libllama reads 32 bits of it, and would take 2^32 for 0.
      if (BigInt.asIntN(32, integer) !== integer && BigInt.asUintN(32, integer) !== integer)
        throw new RangeError(`${field} must fit 32 bits, got ${value}`);
      return { type, value: integer };
    }
    case "float":
      if (typeof value !== "number" || !Number.isFinite(value)) throw wrong("a finite number");
      return { type, value };
    case "bool":
      if (typeof value !== "boolean") throw wrong("true or false");
      return { type, value };
    case "str":
      if (typeof value !== "string") throw wrong("a string");
      return { type, value };
    default:
      throw new TypeError(
        `${field} must be a number, bigint, boolean, string or { type, value } with the type int, float, bool or str`,
      );
  }
}

function typeOf(value: unknown): string {
  if (typeof value === "bigint") return "int";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return typeof value;
}

function entriesOf(overrides: KvOverrides): [string, Override][] {
  if (typeof overrides !== "object" || overrides === null || Array.isArray(overrides))
    throw new TypeError(`kvOverrides must be an object, got ${String(overrides)}`);
  return Object.entries(overrides).map(([key, value]) => [key, interpret(value, fieldOf(key))]);
}

const fieldOf = (key: string) => `kvOverrides[${JSON.stringify(key)}]`;

/**
 * The array that `kv_overrides` of `llama_model_params` points to; an entry with an empty key ends it.
 * @throws TypeError, RangeError naming the key.
 */
export function kvOverrideArray(native: Native, overrides: KvOverrides): CStruct<"llama_model_kv_override"> {
  const entries = entriesOf(overrides);
  const array = native.struct("llama_model_kv_override", { count: entries.length + 1 });
  for (const [index, [key, override]] of entries.entries()) {
    const field = fieldOf(key);
    write(array.array("key", index), key, { field: `the key of ${field}`, least: 1 });
    array.set("tag", tags[override.type], index);
    if (override.type === "str") write(array.array("val_str", index), override.value, { field, least: 0 });
    else if (override.type === "bool") array.set("val_bool", override.value, index);
    else if (override.type === "float") array.set("val_f64", override.value, index);
    else array.set("val_i64", override.value, index);
  }
  return array;
}

function write(target: Uint8Array, text: string, { field, least }: { field: string; least: number }): void {
  if (!text.isWellFormed()) throw new TypeError(`${field} contains a lone surrogate`);
  const bytes = new TextEncoder().encode(text);
  // The last byte stays the NUL that ends a C string.
  if (bytes.length < least || bytes.length >= target.length || bytes.includes(0)) {
    throw new RangeError(
      `${field} must have ${least} to ${target.length - 1} bytes of UTF-8 and no NUL, it has ${bytes.length}`,
    );
  }
  target.set(bytes);
}

/**
 * Checks a header as it will be with the overrides: one that is harmless in the file may not be with them.
 * @throws ModelLoadError; TypeError for an override of another type than the file's value, which libllama would ignore.
 */
export function checkOverridden(header: GgufHeader, overrides: KvOverrides): void {
  const metadata = new Map<string, GgufEntry>(header.metadata);
  for (const [key, { type, value }] of entriesOf(overrides)) {
    checkType(header, key, type);
    const seen = typeof value === "bigint" ? Number(BigInt.asUintN(32, value)) : value;
    metadata.set(key, { type: ggufTypes[type], value: seen });
  }
  checkLoadable({ ...header, name: `${header.name} with kvOverrides`, metadata });
}

/** libllama ignores an override of another type than it expects, and of a list. */
function checkType(header: GgufHeader, key: string, type: keyof typeof tags): void {
  const known = header.metadata.get(key)?.type;
  if (known === undefined) return;
  if (known === "array")
    throw new TypeError(`${fieldOf(key)} is a list in the file and cannot be overridden`);
  const wanted = notIntegers.get(known) ?? "int";
  if (type === wanted) return;
  throw new TypeError(
    `${fieldOf(key)} is of type ${type}, the file's value of type ${wanted}; write { type: "${wanted}", value: … }`,
  );
}
