import { codeSet } from "./code-set.ts";
import { decimalOf, type Magnitude } from "./decimal.ts";
import type { Term, TermFactory } from "./term.ts";

/** Bounds of a range, both inclusive; undefined for none. */
export interface Bounds<T> {
  readonly low: T | undefined;
  readonly high: T | undefined;
}

/** Digits of the largest integers: with more, a number would be infinite to JavaScript. */
const wholeDigits = 308;
/** The largest integer that is not infinite. */
const largest = decimalOf(Number.MAX_VALUE).magnitude.whole;
/** Digits behind the point: those of 0.0000012345678901234567, the longest that JavaScript writes. */
const fractionDigits = 22;

/** Spellings of the numbers of a range. */
export class DecimalRanges {
  readonly #terms: TermFactory;
  readonly #digit: Term;

  constructor(terms: TermFactory) {
    this.#terms = terms;
    this.#digit = terms.set(codeSet([48, 57]));
  }

  /** Integers without superfluous zeros or "-0". */
  integers({ low, high }: Bounds<bigint>): Term {
    const parts: Term[] = [];
    if (high === undefined || high >= 0n) {
      const least = low === undefined || low < 0n ? 0n : low;
      parts.push(this.#wholes(String(least), high === undefined ? undefined : String(high)));
    }
    if (low === undefined || low < 0n) {
      const least = high === undefined || high > -1n ? 1n : -high;
      const most = low === undefined ? undefined : String(-low);
      parts.push(this.#terms.concat(this.#terms.literal("-"), this.#wholes(String(least), most)));
    }
    return this.#terms.union(...parts);
  }

  /** Numbers without an exponent from `low` to `high`, of one sign; `high` undefined for no bound. */
  magnitudes(low: Magnitude, high: Magnitude | undefined): Term {
    const { concat, union, literal } = this.#bound();
    if (high && low.whole === high.whole) {
      return concat(literal(low.whole), this.#fraction(low.fraction, high.fraction));
    }
    const after = low.fraction === "" ? BigInt(low.whole) : BigInt(low.whole) + 1n;
    const parts = [
      concat(
        this.#wholes(String(after), high && String(BigInt(high.whole) - 1n)),
        this.#fraction("", undefined),
      ),
    ];
    if (low.fraction !== "") parts.push(concat(literal(low.whole), this.#fraction(low.fraction, undefined)));
    if (high) parts.push(concat(literal(high.whole), this.#fraction("", high.fraction)));
    return union(...parts);
  }

  /**
   * Numbers of which JavaScript too sees that they are no integers: those next to one, by the last of sixteen digits, it may read
   * as that integer.
   */
  fractional(): Term {
    const { concat, union, literal } = this.#bound();
    const between = (zeros: number, nines: number) =>
      this.#someFraction(`${"0".repeat(zeros)}1`, "9".repeat(nines), fractionDigits);
    const parts = [concat(literal("0."), between(fractionDigits - 1, 16))];
    for (let whole = 1; whole < 16; whole++) {
      const digits = concat(this.#between(1, 9), this.#digits(whole - 1, whole - 1));
      parts.push(concat(digits, literal("."), between(15 - whole, 16 - whole)));
    }
    return concat(this.#terms.optional(literal("-")), union(...parts));
  }

  #bound() {
    const terms = this.#terms;
    return {
      concat: (...parts: readonly Term[]) => terms.concat(...parts),
      union: (...parts: readonly Term[]) => terms.union(...parts),
      literal: (text: string) => terms.literal(text),
    };
  }

  #digits(min: number, max: number): Term {
    return this.#terms.repeat(this.#digit, min, max);
  }

  #between(low: number, high: number): Term {
    return low > high ? this.#terms.never : this.#terms.set(codeSet([48 + low, 48 + high]));
  }

  /** Integers from `low` to `high` without leading zeros; `high` undefined for no bound. */
  #wholes(low: string, high: string | undefined): Term {
    const terms = this.#terms;
    if (high === undefined && low.length > wholeDigits) return this.#wholes(low, largest);
    if (high !== undefined && BigInt(high) < BigInt(low)) return terms.never;
    if (low === "0" && high?.length !== 1) return terms.union(terms.literal("0"), this.#wholes("1", high));
    if (high?.length === low.length) return this.#sameLength(low, high);
    // What is one digit longer at least is all there, and so is the first length where `low` is 1, 10, 100 and so on.
    const whole = /^10*$/.test(low) ? low.length : low.length + 1;
    const parts = whole > low.length ? [this.#sameLength(low, "9".repeat(low.length))] : [];
    const longest = high === undefined ? wholeDigits : high.length - 1;
    if (longest >= whole) parts.push(terms.concat(this.#between(1, 9), this.#digits(whole - 1, longest - 1)));
    if (high !== undefined) parts.push(this.#sameLength(`1${"0".repeat(high.length - 1)}`, high));
    return terms.union(...parts);
  }

  /** Digits of one length, from `low` to `high`. */
  #sameLength(low: string, high: string): Term {
    const { concat, union } = this.#bound();
    const rest = low.length - 1;
    if (rest < 0) return this.#terms.empty;
    if (/^0*$/.test(low) && /^9*$/.test(high)) return this.#digits(low.length, low.length);
    let first = Number(low[0]);
    let last = Number(high[0]);
    if (first === last)
      return concat(this.#between(first, first), this.#sameLength(low.slice(1), high.slice(1)));
    const parts: Term[] = [];
    if (!/^0*$/.test(low.slice(1))) {
      parts.push(concat(this.#between(first, first), this.#sameLength(low.slice(1), "9".repeat(rest))));
      first++;
    }
    if (!/^9*$/.test(high.slice(1))) {
      parts.push(concat(this.#between(last, last), this.#sameLength("0".repeat(rest), high.slice(1))));
      last--;
    }
    parts.push(concat(this.#between(first, last), this.#digits(rest, rest)));
    return union(...parts);
  }

  /** What may stand behind the digits before the point, nothing included. */
  #fraction(low: string, high: string | undefined): Term {
    const { concat, union, literal } = this.#bound();
    const some = concat(literal("."), this.#someFraction(low, high, fractionDigits));
    return low === "" ? union(this.#terms.empty, some) : some;
  }

  /** One to `length` digits behind the point from `low` to `high`, both without zeros at the end. */
  #someFraction(low: string, high: string | undefined, length: number): Term {
    const { concat, union } = this.#bound();
    const first = Number(low[0] ?? 0);
    const last = high === undefined ? 9 : Number(high[0] ?? 0);
    const rest = (from: string, to: string | undefined) => {
      const some = length === 1 ? this.#terms.never : this.#someFraction(from, to, length - 1);
      return from === "" ? union(this.#terms.empty, some) : some;
    };
    if (low === "" && high === undefined) return this.#digits(1, length);
    if (low === "" && high === "") return this.#terms.repeat(this.#between(0, 0), 1, length);
    if (first === last) return concat(this.#between(first, first), rest(low.slice(1), high?.slice(1)));
    const parts: Term[] = [];
    let [from, to] = [first, last];
    if (low.length > 1) {
      parts.push(concat(this.#between(first, first), rest(low.slice(1), undefined)));
      from++;
    }
    if (high !== undefined) {
      parts.push(concat(this.#between(last, last), rest("", high.slice(1))));
      to--;
    }
    parts.push(concat(this.#between(from, to), this.#digits(0, length - 1)));
    return union(...parts);
  }
}
