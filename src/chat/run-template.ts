import { BoundedInterpreter } from "./jinja/bounded-interpreter.ts";
import { RenderBudget } from "./jinja/budget.ts";
import { Environment } from "./jinja/jinja-library.ts";
import type { ParsedTemplate } from "./jinja/template-source.ts";
import { sizeOfJson } from "./json-copy.ts";
import { strftime } from "./strftime.ts";
import type { Json, RenderLimits } from "./types.ts";

/** Thrown by a template's `raise_exception`; never leaves `src/chat`. */
export class RaisedByTemplate extends Error {}

const MAX_RAISED_LENGTH = 1000;

const CONSTANTS: Readonly<Record<string, Json>> = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
};

/** Names that a caller's variables must not replace. */
export const RESERVED_VARIABLES: ReadonlySet<string> = new Set([
  ...Object.keys(CONSTANTS),
  "raise_exception",
  "range",
  "strftime_now",
  "namespace",
  "messages",
  "tools",
  "tool_choice",
  "bos_token",
  "eos_token",
  "add_generation_prompt",
]);

/** Room for templates that walk over every message a few hundred nodes at a time and print each text a few times. */
function defaultLimits(variables: Readonly<Record<string, Json>>): RenderLimits {
  const { characters, values } = sizeOfJson(variables);
  return { steps: 1_000_000 + 1000 * values + 4 * characters, characters: 4 * 2 ** 20 + 8 * characters };
}

/**
 * Runs a parsed template on variables that are plain JSON.
 *
 * @throws RaisedByTemplate, LimitExceeded, or whatever the interpreter throws at a wrong operation.
 */
export function runTemplate(
  template: ParsedTemplate,
  variables: Readonly<Record<string, Json>>,
  options: { now?: Date | undefined; limits?: Partial<RenderLimits> | undefined },
): string {
  const budget = new RenderBudget({ ...defaultLimits(variables), ...options.limits });
  const scope = new Environment();
  for (const [name, value] of Object.entries(CONSTANTS)) scope.set(name, value);
  for (const [name, value] of Object.entries(variables)) scope.set(name, value);
  scope.set("raise_exception", (text: unknown) => {
    throw new RaisedByTemplate(typeof text === "string" ? text.slice(0, MAX_RAISED_LENGTH) : "(no text)");
  });
  scope.set("range", (...bounds: unknown[]) => boundedRange(budget, bounds));
  const { now } = options;
  if (now) {
    scope.set("strftime_now", (format: unknown) => {
      if (typeof format !== "string") throw new Error("strftime_now needs a format string");
      // The longest directive writes nine characters for two.
      budget.allocate(format.length * 5);
      return strftime(now, format);
    });
    // Some templates look here for the date, and llama.cpp gives it to them.
    if (!Object.hasOwn(variables, "datetime")) scope.set("datetime", strftime(now, "%b %d %Y"));
  }
  const result = new BoundedInterpreter(template, scope, budget).evaluate(template.program, scope);
  return String(result.value);
}

function boundedRange(budget: RenderBudget, bounds: unknown[]): number[] {
  if (bounds.length < 1 || bounds.length > 3 || !bounds.every((bound) => Number.isSafeInteger(bound))) {
    throw new Error("range needs one to three integers");
  }
  const [first = 0, second, step = 1] = bounds as number[];
  const [start, stop] = second === undefined ? [0, first] : [first, second];
  if (step === 0) throw new Error("range needs a step that is not zero");
  const count = Math.max(0, Math.ceil((stop - start) / step));
  budget.spend(count);
  return Array.from({ length: count }, (_, index) => start + index * step);
}
