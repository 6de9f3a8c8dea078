/** A decimal number without a sign: digits before and behind the point, no zeros that say nothing. */
export interface Magnitude {
  readonly whole: string;
  readonly fraction: string;
}

/** A decimal number, exact. */
export interface Decimal {
  readonly negative: boolean;
  readonly magnitude: Magnitude;
}

/** The shortest decimal that JavaScript reads as `value`. */
export function decimalOf(value: number | bigint): Decimal {
  const spelled = String(value);
  const [digits = "", exponent = "0"] = spelled.replace(/^-/, "").split("e");
  const [whole = "", fraction = ""] = digits.split(".");
  const shift = Number(exponent);
  const all = whole + fraction;
  const point = whole.length + shift;
  const before = point > 0 ? all.slice(0, point).padEnd(point, "0") : "";
  const behind = point >= 0 ? all.slice(point) : "0".repeat(-point) + all;
  return {
    negative: spelled.startsWith("-"),
    magnitude: { whole: before.replace(/^0+(?=\d)/, "") || "0", fraction: behind.replace(/0+$/, "") },
  };
}

/** The integer next to a decimal, itself included: upwards or downwards. */
export function roundedInteger(value: number | bigint, direction: "up" | "down"): bigint {
  const { negative, magnitude } = decimalOf(value);
  const cut = BigInt(magnitude.whole) * (negative ? -1n : 1n);
  if (magnitude.fraction === "") return cut;
  if (direction === "up") return negative ? cut : cut + 1n;
  return negative ? cut - 1n : cut;
}

/** The next number that JavaScript knows above or below a finite one. */
export function neighbour(value: number, direction: "up" | "down"): number {
  if (value === 0) return direction === "up" ? Number.MIN_VALUE : -Number.MIN_VALUE;
  const bits = new BigInt64Array(1);
  const number = new Float64Array(bits.buffer);
  number[0] = value;
  bits[0]! += value > 0 === (direction === "up") ? 1n : -1n;
  return number[0]!;
}

export function compareNumbers(one: number | bigint, other: number | bigint): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
