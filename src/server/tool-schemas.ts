import { z } from "zod";

const name = z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/, "must be 1 to 64 letters, digits, _ and -");
const named = z.strictObject({ type: z.literal("function"), function: z.strictObject({ name }) });

const description = z.strictObject({
  name,
  description: z.string().nullish(),
  /** JSON schema of the arguments; without, there are none. */
  parameters: z.record(z.string(), z.unknown()).nullish(),
  strict: z.boolean().nullish(),
});
const tool = z.strictObject({ type: z.literal("function"), function: description });

/** Fields of a chat that speak of tools. */
export const toolFields = {
  tools: z.array(tool).max(512).nullish(),
  tool_choice: z
    .union([
      z.enum(["none", "auto", "required"]),
      named,
      z.strictObject({
        type: z.literal("allowed_tools"),
        allowed_tools: z.strictObject({ mode: z.enum(["auto", "required"]), tools: z.array(named).min(1) }),
      }),
    ])
    .nullish(),
  functions: z.array(description).max(512).nullish(),
  function_call: z.union([z.enum(["none", "auto"]), z.strictObject({ name })]).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  /** How the model writes calls and thoughts, by name; by default its template tells. */
  tool_format: z.string().max(50).nullish(),
  reasoning_budget_tokens: z.number().int().min(-1).nullish(),
  reasoning_budget_message: z.string().max(1000).nullish(),
  reasoning_format: z.enum(["none", "auto", "deepseek", "deepseek-legacy"]).nullish(),
} as const;
