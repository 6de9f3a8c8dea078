import { Batch } from "../../src/batch.ts";
import { Context } from "../../src/context.ts";
import type { ContextOptions } from "../../src/context-options.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { Model } from "../../src/model.ts";
import type { ModelOptions } from "../../src/model-options.ts";
import { type FixtureName, fixture } from "../fixtures/fixture-set.ts";

/** The trained chat model that comes with cria: its margins are clear, so greedy runs may be compared. */
export function loadTinyModel(options: ModelOptions = {}): Promise<Model> {
  return Model.load(embeddedModelPath(), options);
}

/** A model of random weights by its fixture name. */
export async function loadFixture(name: FixtureName, options: ModelOptions = {}): Promise<Model> {
  return Model.load(await fixture(name), options);
}

/** A context small and plain enough that equal inputs give equal outputs: one thread, f32 cache, no flash attention. */
export function smallContext(model: Model, options: ContextOptions = {}): Context {
  return new Context(model, {
    contextLength: 512,
    batchSize: 256,
    threads: 1,
    flashAttention: false,
    ...options,
  });
}

/** A question in the tiny model's own template. */
export function chatTokens(model: Model, question: string): Int32Array {
  const text = `<|im_start|>user\n${question}<|im_end|>\n<|im_start|>assistant\n`;
  return model.vocab.tokenize(text, { parseSpecial: true });
}

/** Decodes tokens as one run of a sequence; its outcome must be "done". */
export function feed(
  context: Context,
  tokens: Int32Array,
  { position = 0, sequence = 0, outputs = "last" as "none" | "last" | "all" } = {},
): void {
  const batch = new Batch(context.native, { capacity: Math.max(1, tokens.length) });
  const outcome = context.decode(batch.fill(tokens, { position, sequence, outputs }));
  if (outcome !== "done") throw new Error(`decode gave ${outcome}`);
}

/** Index of the largest value. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index;
  return best;
}

/** Greedy continuation of a sequence whose last decode gave an output. */
export function continueGreedily(
  context: Context,
  count: number,
  { position, sequence = 0 }: { position: number; sequence?: number },
): number[] {
  const generated: number[] = [];
  for (let index = 0; index < count; index++) {
    const token = argmax(context.logits());
    generated.push(token);
    feed(context, Int32Array.of(token), { position: position + index, sequence });
  }
  return generated;
}

/** What a context of its own would generate after a prompt: the naive answer that others are held against. */
export function freshContinuation(
  model: Model,
  prompt: Int32Array,
  count: number,
  options: ContextOptions = {},
): number[] {
  using context = smallContext(model, options);
  feed(context, prompt);
  return continueGreedily(context, count, { position: prompt.length });
}
