import { RequestError } from "../../lib/errors.ts";
import { logSumExp, type TokenLogprob, topLogprobs } from "../../lib/index.ts";
import type { Vocab } from "../vocab.ts";
import { checkCount, checkStops, checkTopCount } from "./check-params.ts";
import type { LlamaCore, Prompt } from "./core.ts";
import { responseHead } from "./response-head.ts";
import { type GeneratedToken, run } from "./run.ts";
import type {
  Completion,
  CompletionChunk,
  CompletionLogprobs,
  CompletionParams,
  FinishReason,
  Timings,
  Usage,
} from "./types.ts";
import { addTimings, addUsage, emptyTimings, emptyUsage, usageOf } from "./usage.ts";

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

function plan(core: LlamaCore, params: CompletionParams): Plan {
  const prompts = promptList(params.prompt, "prompt").map((prompt) =>
    withSuffix(core.model.vocab, prompt, params.suffix),
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

type Chunk = CompletionChunk["choices"][number];

/** The choices of all prompts as they come, and the figures of each when it is done. */
async function* choices(
  core: LlamaCore,
  params: CompletionParams,
  { prompts, count, stops, topCount }: Plan,
): AsyncGenerator<Chunk, { usage: Usage; timings: Timings }> {
  const { vocab } = core.model;
  const usage = emptyUsage();
  const timings = emptyTimings();
  for (const [promptIndex, prompt] of prompts.entries()) {
    for (let answer = 0; answer < count; answer++) {
      const index = promptIndex * count + answer;
      const seeded = params.seed == null ? params : { ...params, seed: params.seed + answer };
      core.writePrompt(prompt);
      const echoed = new Map<number, { logprob: number; top: TokenLogprob[] }>();
      const wantsPrompt = params.echo && topCount !== undefined;
      using prepared = await core.prepare(seeded, {
        onPromptLogits: wantsPrompt
          ? (position, logits) => {
              const normaliser = logSumExp(logits);
              const next = core.held.view()[position + 1]!;
              echoed.set(position + 1, {
                logprob: logits[next]! - normaliser,
                top: topLogprobs(logits, topCount, normaliser),
              });
            }
          : undefined,
      });
      let offset = 0;
      if (params.echo) {
        const ids = core.held.view();
        const text = vocab.detokenize(ids, { removeSpecial: true, special: true });
        const lists = new LogprobLists(vocab, 0);
        if (wantsPrompt) {
          for (const [position, id] of ids.entries()) {
            const known = echoed.get(position);
            lists.add(id, known?.logprob ?? 0, known?.top ?? []);
          }
        }
        offset = text.length;
        yield { index, text, finish_reason: null, logprobs: wantsPrompt ? lists.value : null };
      }
      const generated = run(prepared.generation, prepared.sampler, vocab, seeded, { stops, topCount });
      let reason: FinishReason = "stop";
      for (;;) {
        const step = await generated.next();
        if (step.done) {
          reason = step.value;
          break;
        }
        const logprobs = topCount === undefined ? null : listsOf(vocab, offset, step.value.tokens);
        offset += step.value.text.length;
        yield { index, text: step.value.text, finish_reason: null, logprobs };
      }
      addUsage(usage, usageOf(prepared.generation), { countPrompt: answer === 0 });
      addTimings(timings, prepared.generation.timings);
      yield { index, text: "", finish_reason: reason, logprobs: null };
    }
  }
  return { usage, timings };
}

function listsOf(vocab: Vocab, offset: number, tokens: readonly GeneratedToken[]): CompletionLogprobs {
  const lists = new LogprobLists(vocab, offset);
  for (const { token, logprob, top } of tokens) lists.add(token, logprob, top);
  return lists.value;
}

/** Streams a completion: a chunk per piece of text, then one with the reason to finish, then usage where asked for. */
export async function* streamCompletion(
  core: LlamaCore,
  params: CompletionParams,
): AsyncGenerator<CompletionChunk, void> {
  const planned = plan(core, params);
  const occupied = core.occupy();
  try {
    const head = { ...responseHead("cmpl", core.model, params.model), object: "text_completion" as const };
    const source = choices(core, params, planned);
    for (;;) {
      const step = await source.next();
      if (step.done) {
        if (params.stream_options?.include_usage) yield { ...head, choices: [], ...step.value };
        return;
      }
      yield { ...head, choices: [step.value] };
    }
  } finally {
    occupied.release();
  }
}

/** The whole completion at once. */
export async function completeAtOnce(core: LlamaCore, params: CompletionParams): Promise<Completion> {
  const planned = plan(core, params);
  const occupied = core.occupy();
  try {
    const source = choices(core, params, planned);
    const done: Completion["choices"] = [];
    for (;;) {
      const step = await source.next();
      if (step.done) {
        const head = {
          ...responseHead("cmpl", core.model, params.model),
          object: "text_completion" as const,
        };
        return { ...head, choices: done, ...step.value };
      }
      const { index, text, finish_reason, logprobs } = step.value;
      done[index] ??= { index, text: "", finish_reason: "stop", logprobs: null };
      const choice = done[index];
      choice.text += text;
      if (finish_reason) choice.finish_reason = finish_reason;
      choice.logprobs = join(choice.logprobs, logprobs);
    }
  } finally {
    occupied.release();
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
