import { eventData } from "./serve-sse.ts";

export interface Ask {
  readonly prompt: readonly number[];
  readonly maxTokens: number;
  readonly signal?: AbortSignal;
  /** Called for each token with the time it was read. */
  readonly onToken?: (at: number) => void;
}

/** What came of one streamed request; times by `performance.now()`. */
export interface Reply {
  readonly sentAt: number;
  readonly firstAt: number;
  readonly lastAt: number;
  /** Longest time between two tokens. */
  readonly gapMs: number;
  readonly generated: number;
  /** Prompt tokens that were not computed; NaN where the server does not say. */
  readonly cached: number;
  /** The generated ids, where the endpoint tells them. */
  readonly tokens: readonly number[];
}

interface Chunk {
  readonly error?: { readonly message?: string };
  readonly choices?: readonly { readonly finish_reason?: string | null }[];
  readonly usage?: {
    readonly completion_tokens?: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  } | null;
  readonly timings?: { readonly cache_n?: number };
  readonly stop?: boolean;
  readonly tokens?: readonly number[];
  readonly tokens_predicted?: number;
}

/** Longest that one request may take. */
const limitMs = 300_000;

async function stream(url: string, body: object, { signal, onToken }: Ask): Promise<Reply> {
  const sentAt = performance.now();
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.any([AbortSignal.timeout(limitMs), ...(signal ? [signal] : [])]),
  });
  if (!response.ok || !response.body)
    throw new Error(`status ${response.status}: ${(await response.text()).slice(0, 300)}`);
  let [firstAt, lastAt, gapMs, events] = [0, 0, 0, 0];
  let [generated, cached] = [Number.NaN, Number.NaN];
  const tokens: number[] = [];
  for await (const data of eventData(response.body)) {
    if (data === "[DONE]") break;
    const chunk = JSON.parse(data) as Chunk;
    if (chunk.error) throw new Error(chunk.error.message ?? data.slice(0, 300));
    const at = performance.now();
    cached = chunk.usage?.prompt_tokens_details?.cached_tokens ?? chunk.timings?.cache_n ?? cached;
    generated =
      chunk.usage?.completion_tokens ?? (chunk.stop ? chunk.tokens_predicted : undefined) ?? generated;
    tokens.push(...(chunk.tokens ?? []));
    const [choice] = chunk.choices ?? [];
    if (choice ? choice.finish_reason != null : chunk.stop !== false) continue;
    if (events++ === 0) firstAt = at;
    else gapMs = Math.max(gapMs, at - lastAt);
    lastAt = at;
    onToken?.(at);
  }
  if (events === 0) throw new Error("the stream ended without a token");
  return {
    sentAt,
    firstAt,
    lastAt,
    gapMs,
    generated: Number.isNaN(generated) ? events : generated,
    cached,
    tokens,
  };
}

/** What makes lengths exact on every server: greedy, and no end but the limit. */
const exact = { temperature: 0, ignore_eos: true, cache_prompt: true, stream: true } as const;

async function checkedLength(ask: Ask, reply: Promise<Reply>): Promise<Reply> {
  const { generated } = await reply;
  if (generated !== ask.maxTokens) throw new Error(`${generated} tokens came instead of ${ask.maxTokens}`);
  return reply;
}

/** Streams one request through OpenAI's endpoint. @throws where it fails, or has another length than asked for. */
export function complete(url: string, ask: Ask): Promise<Reply> {
  const { prompt, maxTokens: max_tokens } = ask;
  const body = { ...exact, prompt, max_tokens, stream_options: { include_usage: true } };
  return checkedLength(ask, stream(`${url}/v1/completions`, body, ask));
}

/** The same through llama-server's own endpoint, which alone tells the ids of what it generates. */
export function completeWithIds(url: string, ask: Ask): Promise<Reply> {
  const { prompt, maxTokens: n_predict } = ask;
  const body = { ...exact, prompt, n_predict, return_tokens: true };
  return checkedLength(ask, stream(`${url}/completion`, body, ask));
}

/** A request that its client left; anything else that goes wrong with it is thrown. */
export async function abandoned(reply: Promise<Reply>, signal: AbortSignal): Promise<void> {
  try {
    await reply;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

export const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Ids of random tokens, the same for the same seed. */
export function randomTokens(count: number, seed: number): number[] {
  let state = (seed * 7919 + 13) & 0x7fffffff;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return 300 + ((state >> 8) % 20_000);
  });
}
