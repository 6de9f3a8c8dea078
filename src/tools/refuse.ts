import { RequestError } from "../../lib/errors.ts";
import { describe } from "../chat/json-copy.ts";

/** @throws RequestError that names the field, its value and what is allowed. */
export function refuse(field: string, value: unknown, allowed: string): never {
  throw new RequestError(`${field} is ${describe(value)}; allowed: ${allowed}`, field);
}

const namePattern = /^[a-zA-Z0-9_-]{1,64}$/;

/** A function's name as OpenAI allows it. @throws RequestError */
export function requireFunctionName(value: unknown, field: string): string {
  if (typeof value === "string" && namePattern.test(value)) return value;
  return refuse(field, value, "1 to 64 letters, digits, underscores and hyphens");
}
