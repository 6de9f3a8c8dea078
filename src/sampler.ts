import type { Native, Pointer } from "../ffi/index.ts";
import { Handle } from "./handle.ts";

/** What a sampler needs of a context. */
export interface ContextLike {
  readonly pointer: Pointer<"llama_context">;
  /** @throws RangeError where that output does not exist. */
  checkOutput(index: number): void;
  /** Logits of an output, copied; shape [vocabulary]. */
  logits(index: number): Float32Array;
}

/** One libllama sampler. Adding it to a chain moves it: the chain owns it then. */
export class Sampler extends Handle {
  readonly native: Native;

  constructor(native: Native, pointer: Pointer, owner?: Handle) {
    super("Sampler");
    this.native = native;
    if (pointer === 0) throw new TypeError("libllama refused the sampler");
    this.adopt(pointer, owner);
  }

  get name(): string {
    return this.native.memory.readString(this.native.c.llama_sampler_name(this.pointer)) ?? "";
  }

  accept(token: number): void {
    this.native.c.llama_sampler_accept(this.pointer, token);
  }

  reset(): void {
    this.native.c.llama_sampler_reset(this.pointer);
  }

  /** Gives the C object away; for chains. */
  move(): Pointer {
    return this.surrender();
  }

  protected override free(pointer: Pointer): void {
    this.native.c.llama_sampler_free(pointer);
  }
}

/** Samplers one after another; the last one picks. */
export class SamplerChain extends Sampler {
  constructor(native: Native, owner?: Handle) {
    const params = native.struct("llama_sampler_chain_params");
    native.c.llama_sampler_chain_default_params(params);
    super(native, native.c.llama_sampler_chain_init(params), owner);
  }

  add(sampler: Sampler): this {
    this.native.c.llama_sampler_chain_add(this.pointer, sampler.move());
    return this;
  }

  /** Picks and accepts a token from output `index` of the last decode. */
  sample(context: ContextLike, index = -1): number {
    context.checkOutput(index);
    return this.native.c.llama_sampler_sample(this.pointer, context.pointer, index);
  }

  /** Tells penalties what the prompt was. */
  acceptPrompt(tokens: Int32Array): void {
    const from = Math.max(0, tokens.length - 256);
    for (let index = from; index < tokens.length; index++) this.accept(tokens[index]!);
  }
}
