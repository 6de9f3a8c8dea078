import { RequestError } from "../../lib/errors.ts";
import type { TokenLogprob } from "../../lib/index.ts";
import type { ChatTemplate, RenderOptions } from "../chat/index.ts";
import { checkToolHistory } from "../tools/check-history.ts";
import { checkToolParams } from "../tools/check-tools.ts";
import { withGenericTools } from "../tools/generic-prompt.ts";
import { withWrittenCalls } from "../tools/written-calls.ts";
import type { Vocab } from "../vocab.ts";
import { Answer, type LlamaParts, startAnswers } from "./answer.ts";
import { AnswerPieces, addDelta } from "./answer-pieces.ts";
import { planAnswer } from "./answer-plan.ts";
import { checkCount, checkStops, checkTopCount } from "./check-params.ts";
import { type ChunkReports, chunkReports } from "./chunk-reports.ts";
import { tokenText } from "./completion.ts";
import { type GeneratedToken, mergedDeltas } from "./deltas.ts";
import { parsedAnswer, zodSchemaOf } from "./response-format.ts";
import { responseHead } from "./response-head.ts";
import { toolSpelling } from "./tool-spelling.ts";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatLogprobs,
  ChatTokenLogprob,
} from "./types.ts";
import { emptyTimings, emptyUsage, type Figures, figuresOf } from "./usage.ts";

const mostLogprobs = 20;

/** The prompt text of a chat, as the template writes it. */
export function renderChat(template: ChatTemplate, params: ChatCompletionParams): string {
  const options: RenderOptions = { now: new Date() };
  const { tools, choice, parallel } = checkToolParams(params);
  checkToolHistory(params.messages);
  const spelling = toolSpelling(template, params.tool_format);
  const isGeneric = tools.length > 0 && choice !== "none" && spelling.prompt === "generic";
  // All tools are shown whichever are allowed, so that the prompt's beginning stays the same.
  if (tools.length > 0 && !isGeneric) {
    options.tools = tools;
    options.toolChoice = typeof choice === "object" ? { type: "function", function: choice } : choice;
  }
  const { reasoning_effort: effort, chat_template_kwargs: given } = params;
  const told = { ...(effort != null && { reasoning_effort: effort }), ...given };
  if (Object.keys(told).length > 0) options.chatTemplateKwargs = told;
  if (params.add_generation_prompt === false) {
    options.addGenerationPrompt = false;
    options.continueFinalMessage = params.messages.at(-1)?.role === "assistant";
  }
  let { messages } = params;
  if (isGeneric) messages = withGenericTools(messages, tools, { choice, parallel });
  else if (template.capabilities.tools && !template.capabilities.toolCalls) {
    messages = withWrittenCalls(messages, spelling.format);
  }
  return template.render(messages as never, options);
}

/** The same as it is tokenised: a template that writes the BOS itself must not get a second one from the tokenizer. */
export function chatPrompt(vocab: Vocab, template: ChatTemplate, params: ChatCompletionParams): string {
  const text = renderChat(template, params);
  const hasBos = vocab.addBos && template.bosToken !== "" && text.startsWith(template.bosToken);
  return hasBos ? text.slice(template.bosToken.length) : text;
}

function plan(params: ChatCompletionParams): {
  count: number;
  stops: readonly string[];
  topCount: number | undefined;
} {
  const top = checkTopCount(params.top_logprobs, "top_logprobs", mostLogprobs);
  if (top !== undefined && !params.logprobs) {
    throw new RequestError("top_logprobs needs logprobs: true", "top_logprobs");
  }
  return {
    count: checkCount(params.n),
    stops: checkStops(params.stop),
    topCount: params.logprobs ? (top ?? 0) : undefined,
  };
}

function tokenBytes(vocab: Vocab, token: number): number[] {
  return Array.from(vocab.pieceBytes(token, { special: true }));
}

function logprobsOf(vocab: Vocab, tokens: readonly GeneratedToken[]): ChatLogprobs {
  const entry = ({ token, logprob }: TokenLogprob) => ({
    token: tokenText(vocab, token),
    bytes: tokenBytes(vocab, token),
    logprob,
  });
  const content: ChatTokenLogprob[] = tokens.map((generated) => ({
    ...entry(generated),
    top_logprobs: generated.top.map(entry),
  }));
  return { content, refusal: null };
}

type Choice = ChatCompletionChunk["choices"][number];

interface Piece {
  readonly choice: Choice;
  readonly reports: ChunkReports;
}

/** The choices as they come, and the figures of all when they are done. */
async function* choices(
  parts: LlamaParts,
  template: ChatTemplate,
  params: ChatCompletionParams,
): AsyncGenerator<Piece, Figures> {
  const { count, stops, topCount } = plan(params);
  const { vocab } = parts.engine.model;
  const prompt = chatPrompt(vocab, template, params);
  const { shape, special, thought, parser, spelling } = planAnswer(vocab, template, prompt, params);
  const max_tokens = params.max_completion_tokens ?? params.max_tokens;
  const answers = startAnswers(count, (index) => {
    const seed = params.seed == null ? params.seed : params.seed + index;
    return new Answer(parts, prompt, {
      params: { ...params, ...shape, max_tokens, seed },
      more: { stops, topLogprobs: topCount, special, thought },
    });
  });
  const pieces = answers.map(() => new AnswerPieces(parser?.(), spelling));
  const begun = new Set<number>();
  for await (const { index, delta } of mergedDeltas(answers)) {
    const answer = answers[index]!;
    const own = pieces[index]!;
    const choice: Choice = { index, delta: {}, finish_reason: null, logprobs: null };
    const tell = (piece: ReturnType<AnswerPieces["push"]>) => {
      if (!piece) return false;
      choice.delta = piece.delta;
      if (topCount !== undefined) choice.logprobs = logprobsOf(vocab, piece.tokens);
      return topCount !== undefined || Object.keys(piece.delta).length > 0;
    };
    if (!delta) {
      const { reason } = answer.outcome;
      if (tell(own.end(reason))) yield { choice: { ...choice }, reports: {} };
      Object.assign(choice, { delta: {}, logprobs: null, finish_reason: own.finishReason(reason) });
    } else if (delta.prompt || delta.progress) {
      // The role comes first, whatever comes next.
      if (!begun.has(index)) choice.delta = { role: "assistant", content: "" };
      else if (delta.prompt) continue;
      begun.add(index);
    } else if (!tell(own.push(delta.text, delta.tokens))) continue;
    yield { choice, reports: chunkReports(answer, delta, params) };
  }
  return figuresOf(answers, count);
}

/** Streams an answer: the role first, then pieces of text, the reason to finish, and usage where asked for. */
export async function* streamChat(
  parts: LlamaParts,
  template: ChatTemplate,
  params: ChatCompletionParams,
): AsyncGenerator<ChatCompletionChunk, void> {
  const source = choices(parts, template, params);
  const head = {
    ...responseHead("chatcmpl", parts.engine.model, params.model),
    object: "chat.completion.chunk" as const,
  };
  try {
    for (;;) {
      const step = await source.next();
      if (step.done) {
        if (params.stream_options?.include_usage) yield { ...head, choices: [], ...step.value };
        return;
      }
      yield { ...head, choices: [step.value.choice], ...step.value.reports };
    }
  } finally {
    await source.return({ usage: emptyUsage(), timings: emptyTimings() });
  }
}

/** The whole answer at once. */
export async function chatAtOnce(
  parts: LlamaParts,
  template: ChatTemplate,
  params: ChatCompletionParams,
): Promise<ChatCompletion> {
  const source = choices(parts, template, params);
  const done: ChatCompletion["choices"] = [];
  for (;;) {
    const step = await source.next();
    if (step.done) {
      const head = {
        ...responseHead("chatcmpl", parts.engine.model, params.model),
        object: "chat.completion" as const,
      };
      const schema = zodSchemaOf(params);
      if (schema) for (const choice of done) choice.message.parsed = await parsedAnswer(schema, choice);
      for (const { message } of done)
        if ((message.tool_calls ?? message.function_call) && message.content === "") message.content = null;
      return { ...head, choices: done, ...step.value };
    }
    const { index, delta, finish_reason, logprobs } = step.value.choice;
    done[index] ??= {
      index,
      message: { role: "assistant", content: "", refusal: null },
      finish_reason: "stop",
      logprobs: null,
    };
    const choice = done[index];
    addDelta(choice.message, delta);
    if (finish_reason) choice.finish_reason = finish_reason;
    if (logprobs) {
      const content = [...(choice.logprobs?.content ?? []), ...(logprobs.content ?? [])];
      choice.logprobs = { content, refusal: null };
    }
  }
}
