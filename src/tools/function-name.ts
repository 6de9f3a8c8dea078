import { refuse } from "../chat/json-copy.ts";

const namePattern = /^[a-zA-Z0-9_-]{1,64}$/;

/** A function's name as OpenAI allows it. @throws RequestError */
export function requireFunctionName(value: unknown, field: string): string {
  if (typeof value === "string" && namePattern.test(value)) return value;
  return refuse(field, value, "1 to 64 letters, digits, underscores and hyphens");
}
