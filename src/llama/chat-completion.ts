import { RequestError } from "../../lib/errors.ts";
import type { TokenLogprob } from "../../lib/index.ts";
import type { ChatTemplate, RenderOptions } from "../chat/index.ts";
import type { Vocab } from "../vocab.ts";
import { checkCount, checkStops, checkTopCount } from "./check-params.ts";
import { tokenText } from "./completion.ts";
import type { LlamaCore } from "./core.ts";
import { responseHead } from "./response-head.ts";
import { type GeneratedToken, run } from "./run.ts";
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatCompletionParams,
  ChatLogprobs,
  ChatTokenLogprob,
  FinishReason,
  GenerationParams,
  Timings,
  Usage,
} from "./types.ts";
import { addTimings, addUsage, emptyTimings, emptyUsage, usageOf } from "./usage.ts";

const mostLogprobs = 20;

/** The prompt text of a chat, as the template writes it. */
export function renderChat(template: ChatTemplate, params: ChatCompletionParams): string {
  const options: RenderOptions = { now: new Date() };
  if (params.tools) options.tools = params.tools;
  if (params.chat_template_kwargs) options.chatTemplateKwargs = params.chat_template_kwargs;
  if (params.add_generation_prompt === false) {
    options.addGenerationPrompt = false;
    options.continueFinalMessage = params.messages.at(-1)?.role === "assistant";
  }
  return template.render(params.messages as never, options);
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

async function* choices(
  core: LlamaCore,
  template: ChatTemplate,
  params: ChatCompletionParams,
): AsyncGenerator<Choice, { usage: Usage; timings: Timings }> {
  const { count, stops, topCount } = plan(params);
  const { vocab } = core.model;
  const text = renderChat(template, params);
  const usage = emptyUsage();
  const timings = emptyTimings();
  for (let index = 0; index < count; index++) {
    const own: GenerationParams = {
      ...params,
      max_tokens: params.max_completion_tokens ?? params.max_tokens,
    };
    if (params.seed != null) own.seed = params.seed + index;
    // A template that writes the BOS itself must not get a second one from the tokenizer.
    const hasBos = vocab.bos !== undefined && template.bosToken !== "" && text.startsWith(template.bosToken);
    core.writePrompt(text, { addSpecial: !hasBos, parseSpecial: true });
    using prepared = await core.prepare(own);
    yield { index, delta: { role: "assistant", content: "" }, finish_reason: null, logprobs: null };
    const generated = run(prepared.generation, prepared.sampler, vocab, own, { stops, topCount });
    let reason: FinishReason = "stop";
    for (;;) {
      const step = await generated.next();
      if (step.done) {
        reason = step.value;
        break;
      }
      const logprobs = topCount === undefined ? null : logprobsOf(vocab, step.value.tokens);
      yield { index, delta: { content: step.value.text }, finish_reason: null, logprobs };
    }
    addUsage(usage, usageOf(prepared.generation), { countPrompt: index === 0 });
    addTimings(timings, prepared.generation.timings);
    yield { index, delta: {}, finish_reason: reason, logprobs: null };
  }
  return { usage, timings };
}

/** Streams an answer: the role first, then pieces of text, the reason to finish, and usage where asked for. */
export async function* streamChat(
  core: LlamaCore,
  template: ChatTemplate,
  params: ChatCompletionParams,
): AsyncGenerator<ChatCompletionChunk, void> {
  const occupied = core.occupy();
  try {
    const head = {
      ...responseHead("chatcmpl", core.model, params.model),
      object: "chat.completion.chunk" as const,
    };
    const source = choices(core, template, params);
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

/** The whole answer at once. */
export async function chatAtOnce(
  core: LlamaCore,
  template: ChatTemplate,
  params: ChatCompletionParams,
): Promise<ChatCompletion> {
  const occupied = core.occupy();
  try {
    const source = choices(core, template, params);
    const done: ChatCompletion["choices"] = [];
    for (;;) {
      const step = await source.next();
      if (step.done) {
        const head = {
          ...responseHead("chatcmpl", core.model, params.model),
          object: "chat.completion" as const,
        };
        return { ...head, choices: done, ...step.value };
      }
      const { index, delta, finish_reason, logprobs } = step.value;
      done[index] ??= {
        index,
        message: { role: "assistant", content: "", refusal: null },
        finish_reason: "stop",
        logprobs: null,
      };
      const choice = done[index];
      choice.message.content += delta.content ?? "";
      if (finish_reason) choice.finish_reason = finish_reason;
      if (logprobs) {
        const content = [...(choice.logprobs?.content ?? []), ...(logprobs.content ?? [])];
        choice.logprobs = { content, refusal: null };
      }
    }
  } finally {
    occupied.release();
  }
}
