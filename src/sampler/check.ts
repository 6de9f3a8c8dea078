import { checkInteger } from "../../ffi/index.ts";

/** @throws TypeError, RangeError naming the field, for numbers libllama would assert on or misread. */
export function number(value: number, field: string, least = -1e6, most = 1e6): number {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new TypeError(`${field} must be a finite number, got ${String(value)}`);
  if (value < least || value > most)
    throw new RangeError(`${field} must be between ${least} and ${most}, got ${value}`);
  return value;
}

export function integer(value: number, field: string, least = -0x80000000, most = 0x7fffffff): number {
  if (!Number.isInteger(value)) throw new TypeError(`${field} must be an integer, got ${String(value)}`);
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

/** Logits divided by less overflow. */
const leastTemperature = 1e-5;

export function temperature(value: number): number {
  number(value, "temperature", 0);
  if (value !== 0 && value < leastTemperature) {
    throw new RangeError(`temperature must be 0 or at least ${leastTemperature}, got ${value}`);
  }
  return value;
}

/** A number of tokens to look back at; libllama reserves memory for all of them. */
export function window(value: number, field: string): number {
  return integer(value, field, 0, 2 ** 24);
}

export function minKeep(value: number): number {
  return integer(value, "min_keep", 0);
}
