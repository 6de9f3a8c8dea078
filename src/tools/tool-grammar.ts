import { RequestError } from "../../lib/errors.ts";
import type { ChatFunctionTool } from "../chat/types.ts";
import { literal } from "../grammar/spelling.ts";
import type { AnswerPart } from "./answer-grammar.ts";
import { type JsonRules, notationRules, parametersRules } from "./arguments-grammar.ts";
import type { CallForm, ObjectStep, Step, ToolFormat } from "./format.ts";

export type { JsonRules } from "./arguments-grammar.ts";

export interface ToolGrammarOptions {
  /** `"auto"`, `"required"`, or the function that must be called. */
  readonly choice: "auto" | "required" | { readonly name: string };
  /** Whether there may be several calls, where the format has them. */
  readonly parallel: "single" | "several";
}

/** A grammar of tool calls and nothing else. */
export interface ToolGrammar extends AnswerPart {
  /** What the calls begin with, as far as it tells them from other text: one of these. */
  readonly triggers: readonly string[];
}

/**
 * The grammar of calls as a format writes them: only calls that the answer parser takes for calls of these functions.
 *
 * @param rulesFor Makes the rules of one JSON value.
 * @throws RequestError for a name that no function has, and for parameters whose names the format cannot write.
 */
export function toolGrammar(
  format: ToolFormat,
  tools: readonly ChatFunctionTool[],
  { choice, parallel }: ToolGrammarOptions,
  rulesFor: JsonRules,
): ToolGrammar {
  const chosen = tools.flatMap((tool, index) =>
    typeof choice === "string" || tool.function.name === choice.name ? [{ tool, index }] : [],
  );
  if (chosen.length === 0) {
    const shown =
      typeof choice === "string" ? "there are none" : `there is no ${JSON.stringify(choice.name)}`;
    throw new RequestError(`a call needs a function, but ${shown}`, "tool_choice");
  }
  const form = format.channels ? channelForm(format) : format.calls[0]!;
  const rules: string[] = [];
  for (const { tool, index } of chosen) {
    rules.push(
      ...callRules(`call-${index}`, form, format, tool, rulesFor, `tools[${index}].function.parameters`),
    );
  }
  rules.push(`call ::= ${chosen.map(({ index }) => `call-${index}`).join(" | ")}`);
  const several = parallel === "several" && form.between !== undefined;
  const repeated = several ? `call (${literal(form.between!)} call)*` : "call";
  const calls = [...(form.open ?? []).map(literal), repeated, ...(form.close ?? []).map(literal)].join(" ");
  const names = chosen.map(({ tool }) => tool.function.name);
  const source = [`calls ::= ${calls}`, ...rules].join("\n");
  return { source, root: "calls", triggers: triggersOf(form, names) };
}

/** Calls of a format of channels, as a form. */
function channelForm({ channels }: ToolFormat): CallForm {
  const { callHeader, prompted } = channels!;
  const [before, after] = callHeader;
  // What the prompt has written of the header stands before further calls only.
  const isPrompted = before === prompted;
  return {
    call: [...(isPrompted ? [] : [before]), { step: "name" }, after, { step: "json" }],
    ...(isPrompted && { between: before }),
  };
}

/** Keywords besides `properties` that say which members an object has. */
const memberKeywords = ["additionalProperties", "patternProperties", "$ref", "allOf", "anyOf", "oneOf", "if"];

/** The schema of a function's arguments; a list of properties that is empty, or no schema at all, means that there are none. */
function argumentsSchema(parameters: Readonly<Record<string, unknown>> = { properties: {} }): object {
  const { properties } = parameters;
  const isEmpty = typeof properties === "object" && Object.keys(properties ?? {}).length === 0;
  const isClosed = isEmpty && !memberKeywords.some((keyword) => keyword in parameters);
  return { type: "object", ...parameters, ...(isClosed && { additionalProperties: false }) };
}

/** Rules of one function's call; the first has the name. */
function callRules(
  name: string,
  form: CallForm,
  format: ToolFormat,
  tool: ChatFunctionTool,
  rulesFor: JsonRules,
  field: string,
): string[] {
  const rules: string[] = [];
  const given = `${name}-arguments`;
  const schema = argumentsSchema(tool.function.parameters);
  const write = (step: Step): string => {
    if (typeof step === "string") return literal(step);
    switch (step.step) {
      case "name":
        return literal(tool.function.name);
      case "id": {
        const id = idCharacters(format);
        const written = `${literal(step.open)} ${id}`;
        const isNeeded = format.ids !== undefined && "template" in format.ids;
        return `${isNeeded ? written : `(${written})?`} ${literal(step.close)}`;
      }
      case "json":
        rules.push(rulesFor(schema, given));
        return given;
      case "object":
        rules.push(rulesFor(schema, given));
        return objectSource(step, format, tool.function.name, given);
      case "parameters":
        rules.push(parametersRules(given, step, schema, rulesFor, field));
        return given;
      case "notation":
        rules.push(notationRules(given, step, schema, rulesFor, field));
        return given;
    }
  };
  return [`${name} ::= ${form.call.map(write).join(" ")}`, ...rules];
}

function objectSource(step: ObjectStep, format: ToolFormat, name: string, given: string): string {
  const [nameKey, argumentsKey] = [JSON.stringify(step.name[0]), JSON.stringify(step.arguments[0])];
  const counter = step.counter && `(${literal(`${JSON.stringify(step.counter)}: "`)} [0-9]{1,3} "\\", ")?`;
  const id = step.id && `(${literal(`, ${JSON.stringify(step.id)}: "`)} ${idCharacters(format)} "\\"")?`;
  const parts = [
    `"{"`,
    counter,
    literal(`${nameKey}: ${JSON.stringify(name)}, ${argumentsKey}: `),
    given,
    id,
    `"}"`,
  ];
  return parts.filter((part) => part !== undefined).join(" ");
}

function idCharacters({ ids }: ToolFormat): string {
  return ids && "length" in ids ? `[a-zA-Z0-9]{${ids.length}}` : "[0-9]{1,3}";
}

function triggersOf({ open = [], call, plain }: CallForm, names: readonly string[]): string[] {
  const first = open[0] ?? (typeof call[0] === "string" ? call[0] : undefined);
  if (first !== undefined && !(plain && first.trim().length === 1)) return [first.trim()];
  const before = open.join("");
  const [step, next] = call as [Step, Step?];
  // Much JSON has a name; with that of a function it is a call.
  if (typeof step !== "string" && step.step === "object")
    return names.map((name) => `${before}{${JSON.stringify(step.name[0])}: ${JSON.stringify(name)}`);
  // A name by itself: with what stands behind it.
  const behind = typeof next === "string" ? `${next}{` : "(";
  return names.map((name) => before + name + behind);
}
