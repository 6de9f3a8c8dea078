import { checkInteger } from "../../ffi/index.ts";

/** @throws TypeError, RangeError naming the field, for numbers libllama would assert on or misread. */
export function number(
  value: number,
  field: string,
  least = Number.NEGATIVE_INFINITY,
  most = Number.POSITIVE_INFINITY,
): number {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new TypeError(`${field} must be a finite number, got ${value}`);
  if (value < least || value > most)
    throw new RangeError(`${field} must be between ${least} and ${most}, got ${value}`);
  return value;
}

export function integer(value: number, field: string, least = -0x80000000, most = 0x7fffffff): number {
  if (!Number.isInteger(value)) throw new TypeError(`${field} must be an integer, got ${value}`);
  if (value < least || value > most)
    throw new RangeError(`${field} must be between ${least} and ${most}, got ${value}`);
  return value;
}

const randomSeed = 0xffffffff; // LLAMA_DEFAULT_SEED

/** A 32-bit seed; undefined, null and -1 ask for a random one. */
export function seed(value: number | null | undefined): number {
  if (value === undefined || value === null || value === -1) return randomSeed;
  return checkInteger(value, "u32", "seed");
}
