import { TokenArena } from "../../lib/token-arena.ts";
import { type CoreOptions, EngineCore } from "../../src/engine/core.ts";
import type {
  EndReason,
  EngineSink,
  RequestSpec,
  RequestStats,
  SampledToken,
} from "../../src/engine/request.ts";
import type { Model } from "../../src/model.ts";

/** What a sink heard of one request. */
export interface Heard {
  readonly tokens: SampledToken[];
  readonly prompt: { position: number; token: SampledToken }[];
  progress: { computed: number; cached: number }[];
  end: { reason: EndReason; stats: RequestStats } | undefined;
  error: unknown;
  terminals: number;
  aborted: boolean;
  /** Tokens its consumer has taken; Infinity takes all at once. */
  acknowledged: number;
  logits: number;
}

export type Submission = Partial<Omit<RequestSpec, "id" | "byteOffset" | "capacity" | "promptLength">>;

/** An engine core on this thread, with an arena and a sink that remembers. */
export class CoreHarness implements EngineSink {
  readonly arena = sharedArena;
  readonly core: EngineCore;
  readonly heard = new Map<number, Heard>();
  readonly #model: Model;
  readonly #buffers = new Map<number, { byteOffset: number; length: number }>();
  readonly contextLength: number;
  #ids = 0;
  /** Bytes lent to requests and not given back. */
  lentBytes = 0;

  constructor(model: Model, options: Partial<CoreOptions> = {}) {
    this.#model = model;
    this.contextLength = options.contextLength ?? 512;
    this.core = new EngineCore(
      model,
      {
        kind: "shared",
        parallel: 4,
        contextLength: this.contextLength,
        cells: this.contextLength * 4,
        gapMs: 100,
        window: 1024,
        narrowing: "survivors",
        checkIntegrity: true,
        ...options,
        context: { threads: 1, batchSize: 256, flashAttention: "off", ...options.context },
      },
      this.arena.tokens,
      this,
    );
  }

  submit(prompt: string | ArrayLike<number>, request: Submission = {}): number {
    const id = ++this.#ids;
    const tokens =
      typeof prompt === "string" ? this.#model.vocab.tokenize(prompt, { parseSpecial: true }) : prompt;
    const capacity = Math.min(
      tokens.length + (request.maxTokens ?? 2 ** 20),
      Math.max(tokens.length, this.contextLength) + 1,
    );
    const byteLength = Math.max(64, Math.ceil((4 * capacity) / 64) * 64);
    const byteOffset = this.arena.take(byteLength);
    this.lentBytes += byteLength;
    this.#buffers.set(id, { byteOffset, length: tokens.length });
    this.arena.tokens.view(byteOffset, capacity).set(tokens);
    this.heard.set(id, {
      tokens: [],
      prompt: [],
      progress: [],
      end: undefined,
      error: undefined,
      terminals: 0,
      aborted: false,
      acknowledged: Number.POSITIVE_INFINITY,
      logits: 0,
    });
    this.core.submit({
      id,
      byteOffset,
      capacity,
      promptLength: tokens.length,
      sampling: { temperature: 0 },
      ...request,
    });
    return id;
  }

  /** Writes tokens behind those that a request has. */
  write(id: number, tokens: readonly number[]): void {
    const { byteOffset, length } = this.#buffers.get(id)!;
    this.arena.tokens.view(byteOffset + 4 * length, tokens.length).set(tokens);
    this.#buffers.set(id, { byteOffset, length: length + tokens.length });
  }

  of(id: number): Heard {
    return this.heard.get(id)!;
  }
  text(id: number): string {
    return this.#model.vocab.detokenize(this.of(id).tokens.map(({ token }) => token));
  }
  stats(id: number): RequestStats {
    const { end, error } = this.of(id);
    if (!end) throw error ?? new Error(`request ${id} has not ended`);
    return end.stats;
  }

  /** Steps until nothing is left to do. */
  run(): void {
    for (let steps = 0; this.core.step() !== "idle"; steps++)
      if (steps > 100_000) throw new Error("the engine does not come to an end");
  }

  dispose(): void {
    this.core.dispose(new Error("disposed"));
  }
  [Symbol.dispose](): void {
    this.dispose();
  }

  progress(id: number, computed: number, cached: number): void {
    this.of(id).progress.push({ computed, cached });
  }
  promptToken(id: number, position: number, token: SampledToken): void {
    this.of(id).prompt.push({ position, token });
  }
  token(id: number, token: SampledToken): void {
    this.of(id).tokens.push(token);
  }
  logits(id: number): void {
    this.of(id).logits++;
  }
  end(id: number, reason: EndReason, stats: RequestStats): void {
    const heard = this.of(id);
    heard.end = { reason, stats };
    heard.terminals++;
  }
  error(id: number, error: unknown): void {
    const heard = this.of(id);
    heard.error = error;
    heard.terminals++;
  }
  release(byteOffset: number, byteLength: number): void {
    this.arena.tokens.view(byteOffset, byteLength / 4).fill(-1);
    this.arena.give(byteOffset, byteLength);
    this.lentBytes -= byteLength;
  }
  wantsRoom(): void {}
  computing(): void {}
  isAborted(id: number): boolean {
    return this.of(id).aborted;
  }
  acknowledged(id: number): number {
    return this.of(id).acknowledged;
  }
}

const sharedArena = new TokenArena();
