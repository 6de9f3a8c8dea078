import { InvalidArgumentError } from "commander";

const integerPattern = /^[+-]?\d+$/;
const numberPattern = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function within(value: number, kind: string, least: number, most: number): number {
  if (value >= least && value <= most) return value;
  const range = most >= Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `between ${least} and ${most}`;
  throw new InvalidArgumentError(`must be ${kind} ${range}.`);
}

/** Parses the value of a flag as an integer in [least, most]. @throws InvalidArgumentError, to which commander adds the flag. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    if (!integerPattern.test(text)) throw new InvalidArgumentError("must be an integer.");
    return within(Number(text), "an integer", least, most);
  };
}

/** Parses the value of a flag as a finite number in [least, most]. @throws InvalidArgumentError. */
export function number(least = -Number.MAX_VALUE, most: number = Number.MAX_VALUE): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!numberPattern.test(text) || !Number.isFinite(value)) {
      throw new InvalidArgumentError("must be a number.");
    }
    return within(value, "a number", least, most);
  };
}
