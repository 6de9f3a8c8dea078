import { RequestError } from "../../lib/errors.ts";
import { copyJson, isPlainObject, refuse } from "../chat/json-copy.ts";
import type { ChatFunctionTool } from "../chat/types.ts";
import { requireFunctionName } from "./function-name.ts";

/** Whether the model may, must not or must call a function, and which. */
export type CheckedToolChoice = "none" | "auto" | "required" | { readonly name: string };

/** What a request says about tools, checked. */
export interface CheckedTools {
  /** All functions, for the prompt. */
  readonly tools: readonly ChatFunctionTool[];
  /** Those that may be called: all, the chosen one, the allowed ones, or none. */
  readonly callable: readonly ChatFunctionTool[];
  readonly choice: CheckedToolChoice;
  readonly parallel: "single" | "several";
  /** Which way of asking was used, for the answer's shape. */
  readonly spelling: "tools" | "functions";
}

/** The parameters of a chat request that concern tools, unchecked. */
export interface ToolParams {
  readonly tools?: unknown;
  readonly tool_choice?: unknown;
  readonly parallel_tool_calls?: unknown;
  /** The older spelling of `tools`. */
  readonly functions?: unknown;
  /** The older spelling of `tool_choice`. */
  readonly function_call?: unknown;
}

interface Choice {
  readonly choice: CheckedToolChoice;
  readonly callable: readonly ChatFunctionTool[];
}

/** @throws RequestError whose `field` is the path of the first wrong value, such as `tools[1].function.name`. */
export function checkToolParams(params: ToolParams): CheckedTools {
  const isOld = isGiven(params.functions) || isGiven(params.function_call);
  if (isOld) refuseBoth(params);
  const tools = isOld ? checkFunctions(params.functions) : checkTools(params.tools);
  refuseDuplicates(
    tools,
    isOld ? (index) => `functions[${index}].name` : (index) => `tools[${index}].function.name`,
  );
  const choice = isOld
    ? checkFunctionCall(params.function_call, tools)
    : checkChoice(params.tool_choice, tools);
  const { parallel_tool_calls: parallel } = params;
  if (isGiven(parallel) && typeof parallel !== "boolean") {
    refuse("parallel_tool_calls", parallel, "true or false");
  }
  return {
    tools,
    ...choice,
    parallel: parallel === false || isOld ? "single" : "several",
    spelling: isOld ? "functions" : "tools",
  };
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function refuseBoth(params: ToolParams): void {
  for (const field of ["tools", "tool_choice"] as const) {
    if (!isGiven(params[field])) continue;
    const old = field === "tools" ? "functions" : "function_call";
    throw new RequestError(`${field} stands beside functions or function_call; leave out ${old}`, field);
  }
}

function checkTools(tools: unknown): ChatFunctionTool[] {
  if (!isGiven(tools)) return [];
  if (!Array.isArray(tools)) refuse("tools", tools, "an array of function tools");
  return tools.map((tool, index) => {
    const field = `tools[${index}]`;
    if (!isPlainObject(tool)) refuse(field, tool, '{ type: "function", function: { name, … } }');
    if (tool.type !== "function") refuse(`${field}.type`, tool.type, '"function"');
    return { type: "function", function: checkFunction(tool.function, `${field}.function`) };
  });
}

function checkFunctions(functions: unknown): ChatFunctionTool[] {
  if (!isGiven(functions)) return [];
  if (!Array.isArray(functions)) refuse("functions", functions, "an array of functions");
  return functions.map((given, index) => ({
    type: "function",
    function: checkFunction(given, `functions[${index}]`),
  }));
}

function checkFunction(given: unknown, field: string): ChatFunctionTool["function"] {
  if (!isPlainObject(given)) refuse(field, given, "an object with name, description and parameters");
  const { name, description, parameters, strict } = given;
  requireFunctionName(name, `${field}.name`);
  if (isGiven(description) && typeof description !== "string") {
    refuse(`${field}.description`, description, "a string");
  }
  if (isGiven(strict) && typeof strict !== "boolean")
    refuse(`${field}.strict`, strict, "true, false or null");
  if (isGiven(parameters)) checkParameters(parameters, `${field}.parameters`);
  // Clients write null for what is not given.
  const entries = Object.entries(given).filter(([, value]) => isGiven(value));
  return Object.fromEntries(entries) as unknown as ChatFunctionTool["function"];
}

function checkParameters(parameters: unknown, field: string): void {
  if (!isPlainObject(parameters)) refuse(field, parameters, "a JSON schema object");
  copyJson(parameters, field);
  const { type, properties, required } = parameters;
  if (type !== undefined && type !== "object") refuse(`${field}.type`, type, '"object"');
  if (properties !== undefined && !isPlainObject(properties)) {
    refuse(`${field}.properties`, properties, "an object of JSON schemas");
  }
  const isList = Array.isArray(required) && required.every((key) => typeof key === "string");
  if (required !== undefined && !isList) refuse(`${field}.required`, required, "an array of strings");
}

function refuseDuplicates(tools: readonly ChatFunctionTool[], fieldOf: (index: number) => string): void {
  const seen = new Map<string, number>();
  for (const [
    index,
    {
      function: { name },
    },
  ] of tools.entries()) {
    const before = seen.get(name);
    if (before !== undefined) {
      const field = fieldOf(index);
      throw new RequestError(
        `${field} is ${JSON.stringify(name)}, as ${fieldOf(before)} is; rename one`,
        field,
      );
    }
    seen.set(name, index);
  }
}

/** Functions as a prompt shows them: all of them with parameters, and without what only this side needs to know. */
export function shownTools(tools: readonly ChatFunctionTool[]): ChatFunctionTool[] {
  return tools.map(({ function: { strict: _, parameters, ...given } }) => ({
    type: "function",
    function: { ...given, parameters: parameters ?? { type: "object", properties: {} } },
  }));
}

function withoutChoice(tools: readonly ChatFunctionTool[]): Choice {
  return { choice: tools.length > 0 ? "auto" : "none", callable: tools };
}

function chooseMode(
  mode: "none" | "auto" | "required",
  tools: readonly ChatFunctionTool[],
  field: string,
): Choice {
  if (mode === "none") return { choice: "none", callable: [] };
  if (mode === "auto") return withoutChoice(tools);
  if (tools.length > 0) return { choice: mode, callable: tools };
  throw new RequestError(`${field} is "required" but there are no tools; add tools or use "auto"`, field);
}

function chooseName(name: unknown, tools: readonly ChatFunctionTool[], field: string): Choice {
  const tool = findTool(name, tools, field);
  return { choice: { name: tool.function.name }, callable: [tool] };
}

function findTool(name: unknown, tools: readonly ChatFunctionTool[], field: string): ChatFunctionTool {
  const tool = tools.find((known) => known.function.name === name);
  if (tool) return tool;
  const names = tools.map((known) => known.function.name).join(", ") || "there are none";
  return refuse(field, name, `the name of one of the tools (${names})`);
}

function checkChoice(choice: unknown, tools: readonly ChatFunctionTool[]): Choice {
  const field = "tool_choice";
  if (!isGiven(choice)) return withoutChoice(tools);
  if (choice === "none" || choice === "auto" || choice === "required")
    return chooseMode(choice, tools, field);
  if (isPlainObject(choice) && choice.type === "allowed_tools") {
    return checkAllowed(choice.allowed_tools, tools, `${field}.allowed_tools`);
  }
  if (!isPlainObject(choice) || choice.type !== "function" || !isPlainObject(choice.function)) {
    const shapes =
      '{ type: "function", function: { name } }, { type: "allowed_tools", allowed_tools: { mode, tools } }';
    refuse(field, choice, `"none", "auto", "required", ${shapes}`);
  }
  return chooseName(choice.function.name, tools, `${field}.function.name`);
}

function checkAllowed(allowed: unknown, tools: readonly ChatFunctionTool[], field: string): Choice {
  if (!isPlainObject(allowed)) refuse(field, allowed, "{ mode, tools }");
  const { mode, tools: given } = allowed;
  if (mode !== "auto" && mode !== "required") refuse(`${field}.mode`, mode, '"auto", "required"');
  if (!Array.isArray(given) || given.length === 0) {
    refuse(`${field}.tools`, given, 'an array of { type: "function", function: { name } }, not empty');
  }
  const callable = given.map((tool, index) => {
    const at = `${field}.tools[${index}]`;
    if (!isPlainObject(tool) || tool.type !== "function" || !isPlainObject(tool.function)) {
      refuse(at, tool, '{ type: "function", function: { name } }');
    }
    return findTool(tool.function.name, tools, `${at}.function.name`);
  });
  return { choice: mode, callable: [...new Set(callable)] };
}

function checkFunctionCall(call: unknown, tools: readonly ChatFunctionTool[]): Choice {
  const field = "function_call";
  if (!isGiven(call)) return withoutChoice(tools);
  if (call === "none" || call === "auto") return chooseMode(call, tools, field);
  if (!isPlainObject(call)) refuse(field, call, '"none", "auto", { name }');
  return chooseName(call.name, tools, `${field}.name`);
}
