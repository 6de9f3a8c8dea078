import { type Command, InvalidArgumentError, Option } from "commander";
import type { ChatDefaults } from "../server/options.ts";
import { integer } from "./numbers.ts";

/** How a model thinks before it answers, by commander's names of the flags. */
export interface ReasoningFlags {
  reasoningFormat?: ChatDefaults["reasoning_format"];
  reasoning?: boolean | "auto";
  reasoningEffort?: string;
  reasoningBudget?: number;
  reasoningBudgetMessage?: string;
  chatTemplateKwargs?: Record<string, unknown>;
}

/** The words that llama.cpp's tools take, too. */
const switches = new Map<string, boolean | "auto">([
  ...["on", "enabled", "true", "1"].map((word) => [word, true] as const),
  ...["off", "disabled", "false", "0"].map((word) => [word, false] as const),
  ...["auto", "-1"].map((word) => [word, "auto"] as const),
]);

function onOffAuto(text: string): boolean | "auto" {
  const value = switches.get(text.toLowerCase());
  if (value === undefined) throw new InvalidArgumentError("must be on, off or auto.");
  return value;
}

function object(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidArgumentError(`must be a JSON object: ${(cause as Error).message}.`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new InvalidArgumentError('must be a JSON object, such as {"enable_thinking": false}.');
}

export function addReasoningOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        "--reasoning-format <kind>",
        "where thoughts go (default: auto, apart from the text)",
      ).choices(["none", "auto", "deepseek", "deepseek-legacy"]),
    )
    .option(
      "--rea, --reasoning <mode>",
      "think before answering: on, off, or auto (default: auto)",
      onOffAuto,
    )
    .option("--reasoning-effort <level>", "told to the chat template; default for none (default: default)")
    .option("--reasoning-budget <n>", "tokens of a thought, -1 for no limit (default: -1)", integer(-1))
    .option("--reasoning-budget-message <text>", "written into a thought that its budget ends")
    .option("--chat-template-kwargs <json>", "variables for the chat template, as a JSON object", object);
}

/** What of the flags a chat is asked with; empty where none was given. */
export function reasoningParams(flags: ReasoningFlags): ChatDefaults {
  const { reasoning, reasoningEffort: effort, chatTemplateKwargs } = flags;
  const kwargs = {
    ...chatTemplateKwargs,
    ...(typeof reasoning === "boolean" && { enable_thinking: reasoning }),
    ...(effort !== undefined && effort !== "default" && { reasoning_effort: effort }),
  };
  const params: ChatDefaults = {
    reasoning_format: flags.reasoningFormat,
    reasoning_budget_tokens: flags.reasoningBudget,
    reasoning_budget_message: flags.reasoningBudgetMessage,
    chat_template_kwargs: Object.keys(kwargs).length > 0 ? kwargs : undefined,
  };
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined));
}
