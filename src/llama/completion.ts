import { RequestError } from "../../lib/errors.ts";
import type { TokenLogprob } from "../../lib/index.ts";
import type { Vocab } from "../vocab.ts";
import { Answer, type LlamaParts, type PromptTokenEvent, startAnswers } from "./answer.ts";
import { checkCount, checkStops, checkTopCount } from "./check-params.ts";
import { type ChunkReports, chunkReports } from "./chunk-reports.ts";
import { mergedDeltas } from "./deltas.ts";
import type { Prompt } from "./engine-request.ts";
import { withGrammar } from "./response-format.ts";
import { responseHead } from "./response-head.ts";
import type { Completion, CompletionChunk, CompletionLogprobs, CompletionParams } from "./types.ts";
import { emptyTimings, emptyUsage, type Figures, figuresOf } from "./usage.ts";

const mostLogprobs = 100;

interface Plan {
  readonly prompts: readonly Prompt[];
  readonly count: number;
  readonly stops: readonly string[];
  readonly topCount: number | undefined;
}

function isTokenList(value: unknown): value is ArrayLike<number> {
  return (
    value instanceof Int32Array ||
    (Array.isArray(value) && value.length > 0 && value.every((item) => typeof item === "number"))
  );
}

/** The prompts of a request: text or tokens, one or several. */
export function promptList(prompt: CompletionParams["prompt"], field: string): readonly Prompt[] {
  if (typeof prompt === "string" || isTokenList(prompt)) return [prompt];
  if (!Array.isArray(prompt) || prompt.length === 0) {
    throw new RequestError(`${field} must be text, tokens, or a non-empty list of either`, field);
  }
  return prompt.map((item, index) => {
    if (typeof item === "string" || isTokenList(item)) return item;
    throw new RequestError(`${field}[${index}] must be text or a list of tokens`, field);
  });
}

function plan(vocab: Vocab, params: CompletionParams): Plan {
  const prompts = promptList(params.prompt, "prompt").map((prompt) =>
    withSuffix(vocab, prompt, params.suffix),
  );
  return {
    prompts,
    count: checkCount(params.n),
    stops: checkStops(params.stop),
    topCount: checkTopCount(params.logprobs, "logprobs", mostLogprobs),
  };
}

/** Prompt and suffix around a gap, in the order prefix, suffix, middle that fill-in-the-middle models know. */
function withSuffix(vocab: Vocab, prompt: Prompt, suffix: string | null | undefined): Prompt {
  if (suffix == null || suffix === "") return prompt;
  const { fimPrefix, fimSuffix, fimMiddle } = vocab;
  if (fimPrefix === undefined || fimSuffix === undefined || fimMiddle === undefined) {
    throw new RequestError(
      "suffix needs a model with fill-in-the-middle tokens; this one has none",
      "suffix",
    );
  }
  const tokens = (part: Prompt) =>
    typeof part === "string" ? vocab.tokenize(part, { addSpecial: false }) : Array.from(part);
  const bos = vocab.addBos && vocab.bos !== undefined ? [vocab.bos] : [];
  return Int32Array.from([...bos, fimPrefix, ...tokens(prompt), fimSuffix, ...tokens(suffix), fimMiddle]);
}

/** OpenAI's four parallel lists, filled token by token. */
class LogprobLists {
  readonly value: CompletionLogprobs = { text_offset: [], token_logprobs: [], tokens: [], top_logprobs: [] };
  readonly #vocab: Vocab;
  #offset: number;

  constructor(vocab: Vocab, offset: number) {
    this.#vocab = vocab;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  add(token: number, logprob: number, top: readonly TokenLogprob[]): void {
    const text = tokenText(this.#vocab, token);
    this.value.text_offset.push(this.#offset);
    this.value.token_logprobs.push(logprob);
    this.value.tokens.push(text);
    this.value.top_logprobs.push(
      Object.fromEntries(top.map((entry) => [tokenText(this.#vocab, entry.token), entry.logprob])),
    );
    this.#offset += text.length;
  }
}

export function tokenText(vocab: Vocab, token: number): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(vocab.pieceBytes(token, { special: true }));
}

type Choice = CompletionChunk["choices"][number];

interface Piece {
  readonly choice: Choice;
  readonly reports: ChunkReports;
}

/** The choices of all prompts as they come, and the figures of all when they are done. */
async function* choices(
  parts: LlamaParts,
  params: CompletionParams,
  { prompts, count, stops, topCount }: Plan,
): AsyncGenerator<Piece, Figures> {
  const { vocab } = parts.engine.model;
  const shaped = await withGrammar(params);
  const wantsPrompt = params.echo === true && topCount !== undefined;
  const answers = startAnswers(prompts.length * count, (index) => {
    const [prompt, number] = [prompts[Math.floor(index / count)]!, index % count];
    const seeded = params.seed == null ? shaped : { ...shaped, seed: params.seed + number };
    const more = { stops, topLogprobs: topCount, promptLogprobs: wantsPrompt };
    return new Answer(parts, prompt, { params: seeded, more });
  });
  const offsets = answers.map(() => 0);
  const logprobs = (index: number, tokens: readonly LikelyToken[]) =>
    topCount === undefined ? null : listsOf(vocab, offsets[index]!, tokens);
  for await (const { index, delta } of mergedDeltas(answers)) {
    const answer = answers[index]!;
    const choice: Choice = { index, text: delta?.text ?? "", finish_reason: null, logprobs: null };
    if (!delta) choice.finish_reason = answer.outcome.reason;
    else if (delta.prompt) {
      if (!params.echo) continue;
      const ids = answer.promptTokens;
      choice.text = vocab.detokenize(ids, { removeSpecial: true, special: true });
      if (wantsPrompt) choice.logprobs = logprobs(index, likelyTokens(ids, delta.prompt));
    } else if (!delta.progress) choice.logprobs = logprobs(index, delta.tokens);
    yield { choice, reports: chunkReports(answer, delta, params) };
    offsets[index]! += choice.text.length;
  }
  return figuresOf(answers, count);
}

interface LikelyToken {
  readonly token: number;
  readonly logprob: number;
  readonly top: readonly TokenLogprob[];
}

/** The prompt's tokens with what is known of each; nothing is of the first. */
function likelyTokens(ids: Int32Array, known: readonly PromptTokenEvent[]): LikelyToken[] {
  const byPosition = new Map(known.map((event) => [event.position, event]));
  return Array.from(ids, (token, position) => byPosition.get(position) ?? { token, logprob: 0, top: [] });
}

function listsOf(vocab: Vocab, offset: number, tokens: readonly LikelyToken[]): CompletionLogprobs {
  const lists = new LogprobLists(vocab, offset);
  for (const { token, logprob, top } of tokens) lists.add(token, logprob, top);
  return lists.value;
}

/** Streams a completion: a chunk per piece of text, then one with the reason to finish, then usage where asked for. */
export async function* streamCompletion(
  parts: LlamaParts,
  params: CompletionParams,
): AsyncGenerator<CompletionChunk, void> {
  const { model } = parts.engine;
  const source = choices(parts, params, plan(model.vocab, params));
  const head = { ...responseHead("cmpl", model, params.model), object: "text_completion" as const };
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

/** The whole completion at once. */
export async function completeAtOnce(parts: LlamaParts, params: CompletionParams): Promise<Completion> {
  const { model } = parts.engine;
  const source = choices(parts, params, plan(model.vocab, params));
  const done: Completion["choices"] = [];
  for (;;) {
    const step = await source.next();
    if (step.done) {
      const head = { ...responseHead("cmpl", model, params.model), object: "text_completion" as const };
      return { ...head, choices: done, ...step.value };
    }
    const { index, text, finish_reason, logprobs } = step.value.choice;
    done[index] ??= { index, text: "", finish_reason: "stop", logprobs: null };
    const choice = done[index];
    choice.text += text;
    if (finish_reason) choice.finish_reason = finish_reason;
    choice.logprobs = join(choice.logprobs, logprobs);
  }
}

function join(a: CompletionLogprobs | null, b: CompletionLogprobs | null): CompletionLogprobs | null {
  if (!a || !b) return a ?? b;
  return {
    text_offset: [...a.text_offset, ...b.text_offset],
    token_logprobs: [...a.token_logprobs, ...b.token_logprobs],
    tokens: [...a.tokens, ...b.tokens],
    top_logprobs: [...a.top_logprobs, ...b.top_logprobs],
  };
}
