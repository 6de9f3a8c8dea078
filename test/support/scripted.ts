import type { Llama } from "../../src/llama.ts";
import type { LogitsProcessor } from "../../src/sampling-params.ts";

/** Makes a model write a text and end, wherever nothing forbids it. */
export function scripted(llama: Llama, text: string): LogitsProcessor {
  const { vocab } = llama.model;
  const end = (vocab.eot ?? vocab.eos)!;
  const tokens = llama.tokenize(text, { addSpecial: false, parseSpecial: true });
  let start: number | undefined;
  return (logits, { tokens: before }) => {
    start ??= before.length;
    logits.fill(-1000);
    logits[tokens[before.length - start] ?? end] = 0;
  };
}
