import { DisposedError, RequestError } from "../../lib/errors.ts";
import { TokenArena } from "../../lib/index.ts";
import { Batch } from "../batch.ts";
import { Context } from "../context.ts";
import type { ContextOptions } from "../context-options.ts";
import type { Model } from "../model.ts";
import type { SamplerChain } from "../sampler.ts";
import { createSampler } from "../sampling-params.ts";
import { checkGeneration } from "./check-params.ts";
import { Generation, type GenerationHooks } from "./generation.ts";
import { HeldTokens } from "./held-tokens.ts";
import type { GenerationParams } from "./types.ts";

export type Prompt = string | ArrayLike<number>;

let arena: TokenArena | undefined;

/** One arena for the tokens of all contexts of this thread; each gives its buffers back when it is closed. */
function sharedArena(): TokenArena {
  arena ??= new TokenArena();
  return arena;
}

/** A prompt that has been computed, ready to be continued. */
export interface PreparedRun extends Disposable {
  readonly generation: Generation;
  readonly sampler: SamplerChain;
}

/**
 * What `Llama` is made of: one context with the tokens it holds, used by one generation at a time.
 */
export class LlamaCore {
  readonly model: Model;
  readonly context: Context;
  readonly held: HeldTokens;
  readonly #batch: Batch;
  #busy = false;

  constructor(model: Model, options: ContextOptions) {
    this.model = model;
    this.context = new Context(model, options);
    this.held = new HeldTokens(sharedArena(), this.context);
    this.#batch = new Batch(model.native, { capacity: this.context.batchSize });
  }

  /** Tokenises a prompt to where it will be compared and decoded. @returns its length. */
  writePrompt(prompt: Prompt, options: { addSpecial?: boolean; parseSpecial?: boolean } = {}): number {
    this.#assertOpen();
    const target = this.held.prompt();
    const { vocab } = this.model;
    if (typeof prompt === "string") {
      vocab.tokenizeInto(target, prompt, { addSpecial: true, parseSpecial: true, ...options });
    } else {
      target.reserve(prompt.length);
      for (let index = 0; index < prompt.length; index++) {
        target.append(vocab.checkToken(prompt[index]!, `prompt[${index}]`));
      }
    }
    if (target.length === 0) {
      throw new RequestError(
        "the prompt is empty; give at least one token (this model adds no BOS of its own)",
        "prompt",
      );
    }
    if (target.length > this.context.sequenceLength) {
      throw new RequestError(
        `the prompt has ${target.length} tokens, the context holds ${this.context.sequenceLength}; ` +
          "shorten it or load with a larger contextLength",
        "prompt",
      );
    }
    return target.length;
  }

  /**
   * Keeps other generations out until `release` is called.
   * @throws RequestError where one is running: tokens of two texts must not mix in one sequence.
   */
  occupy(): { release(): void } {
    this.#assertOpen();
    if (this.#busy) {
      throw new RequestError(
        "this Llama is generating already; await it, or end its iterator with return(), first",
      );
    }
    this.#busy = true;
    let released = false;
    return {
      release: () => {
        if (!released) this.#busy = false;
        released = true;
      },
    };
  }

  /** Computes the prompt given to {@link writePrompt} and makes its sampler; call while occupied. */
  async prepare(params: GenerationParams, hooks: GenerationHooks = {}): Promise<PreparedRun> {
    checkGeneration(params);
    if (!this.context.hasMemory) {
      throw new RequestError("this model is an encoder and cannot generate; use createEmbedding");
    }
    const sampler = createSampler(this.model, params, { contextLength: this.context.sequenceLength });
    try {
      const generation = new Generation(this.context, this.held, this.#batch);
      await generation.prefill(params, hooks);
      sampler.acceptPrompt(this.held.view());
      return { generation, sampler, [Symbol.dispose]: () => sampler.dispose() };
    } catch (error) {
      sampler.dispose();
      throw error;
    }
  }

  /** Computes tokens behind what the context holds. */
  async extend(tokens: ArrayLike<number>, params: GenerationParams): Promise<void> {
    await new Generation(this.context, this.held, this.#batch).extend(tokens, params);
  }

  close(): void {
    if (this.context.disposed) return;
    this.held.release();
    this.context.dispose();
    this.model.dispose();
  }

  #assertOpen(): void {
    if (this.context.disposed) throw new DisposedError("Llama");
  }
}
