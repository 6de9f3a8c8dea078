import { literal } from "../grammar/spelling.ts";
import type { ToolFormat } from "./format.ts";
import { textRules } from "./gbnf.ts";

/** What a prompt leaves of a thought: none, one that the answer may begin with, or one that stands open. */
export type Thinking = "none" | "allowed" | "forced-open";

/** GBNF of a part of an answer. */
export interface AnswerPart {
  readonly source: string;
  /** The rule that matches the part. */
  readonly root: string;
}

/** What an answer is made of, behind its thought. */
export interface AnswerParts {
  readonly thinking: Thinking;
  /** What content must look like. */
  readonly shape?: AnswerPart | undefined;
  readonly calls?: AnswerPart | undefined;
  /**
   * Without a shape: texts that calls begin with. Anything may be written, and calls behind it; only where one of these comes up there
   * are calls for sure. Without them there are calls and nothing else.
   */
  readonly triggers?: readonly string[] | undefined;
}

/**
 * The grammar of a whole answer in a format: a thought where there may be one, in which no trigger counts, and behind it the calls, or
 * content of the shape, or either.
 */
export function answerGrammar(format: ToolFormat, parts: AnswerParts): AnswerPart {
  const { shape, calls, triggers } = parts;
  const given = [shape, calls].filter((part) => part !== undefined);
  const root = unusedName(given.map(({ source }) => source));
  const thinking = format.thought ? parts.thinking : "none";
  const rules = thoughtRules(format, thinking, `${root}-thought`);
  const said: string[] = [];
  if (calls) said.push(triggers ? `${root}-text (${calls.root})?` : calls.root);
  if (shape) said.push(shapedSource(format, shape));
  const ways = [`${root}-thought (${said.join(" | ")})`];
  if (triggers) rules.push(textRules(`${root}-text`, { without: triggers }));
  if (triggers && thinking !== "none") {
    // Whoever may say anything may also end within the thought.
    ways.push(`${root}-thought-begin ${root}-thought-open`);
    rules.push(textRules(`${root}-thought-open`, { without: endsOfThought(format) }));
  }
  const sources = [`${root} ::= ${ways.join(" | ")}`, ...rules, ...given.map(({ source }) => source)];
  return { root, source: sources.join("\n") };
}

/** A name that no rule of these sources begins with. */
function unusedName(sources: readonly string[]): string {
  let name = "answer";
  while (sources.some((source) => source.includes(name))) name += "-0";
  return name;
}

/** What ends a thought: its close, and in a format of channels any marker. */
function endsOfThought({ thought, channels }: ToolFormat): string[] {
  return [...new Set([thought!.close, ...(channels ? [...channels.starts, ...channels.ends] : [])])];
}

/**
 * Rules of what is thought before an answer: the name itself for all of it, `-begin` for what stands in front of a thought's text, and
 * `-end` for the text and what is behind it.
 */
function thoughtRules(format: ToolFormat, thinking: Thinking, name: string): string[] {
  if (!format.thought || thinking === "none") return [`${name} ::= ""`];
  const { open, close, next } = format.thought;
  const lines = '"\\n"{0,2}';
  const isOpen = thinking === "forced-open";
  // Messages may be thoughts as often as the model likes; a thought between markers is one, at the beginning.
  const others = format.channels ? `(${literal(open)} ${name}-end)*` : "";
  const first = isOpen ? `${name}-end` : `(${name}-begin ${name}-end)?`;
  const without = endsOfThought(format).filter((marker) => marker !== close);
  return [
    `${name} ::= ${first} ${others}`,
    `${name}-begin ::= ${isOpen ? '""' : `${lines} ${literal(open)}`}`,
    `${name}-end ::= ${name}-text ${next === undefined ? lines : literal(next)}`,
    textRules(`${name}-text`, { until: close, without }),
  ];
}

/** Content of a shape where the format has it: behind a header, or between markers at will. */
function shapedSource({ channels, wrapper }: ToolFormat, { root }: AnswerPart): string {
  if (channels) return `${literal(channels.contentHeader)} ${root}`;
  return wrapper ? `${root} | ${literal(wrapper.open)} ${root} ${literal(wrapper.close)}` : root;
}
