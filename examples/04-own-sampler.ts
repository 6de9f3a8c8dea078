// A sampler in TypeScript: it sees the candidates and rules out every token with the letter e.
// run: bun
// prints: ^[^eE]+$
import { Batch, Context, embeddedModelPath, Model, Sampler, SamplerChain } from "cria";

using model = await Model.load(embeddedModelPath());
using context = new Context(model, { contextLength: 512 });
const { vocab } = model;

const withE: number[] = [];
for (let token = 0; token < vocab.size; token++) {
  if (/e/i.test(vocab.detokenize([token]))) withE.push(token);
}
using chain = new SamplerChain(model);
chain.add(
  Sampler.custom({
    name: "no-e",
    apply({ logits }) {
      // First in the chain, so candidates are all tokens; behind top-k there would be few, named by `tokens`.
      for (const token of withE) logits[token] = Number.NEGATIVE_INFINITY;
    },
  }),
);
chain.add(Sampler.greedy(model));

const batch = new Batch(model.native, { capacity: context.batchSize });
let tokens = vocab.tokenize("<|im_start|>user\nTell me a story.<|im_end|>\n<|im_start|>assistant\n", {
  parseSpecial: true,
});
const story: number[] = [];
for (let position = 0; story.length < 60; ) {
  context.decode(batch.fill(tokens, { position }));
  position += tokens.length;
  const token = chain.sample(context);
  if (vocab.isEndOfGeneration(token)) break;
  story.push(token);
  tokens = Int32Array.of(token);
}
console.log(vocab.detokenize(story));
