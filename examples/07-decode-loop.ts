// The loop underneath: two texts share one computed prefix, and grow together in the same batches.
// run: bun
// prints: France: .*Paris.*Norway: .*Oslo
import { Batch, Context, createSampler, embeddedModelPath, Model } from "cria";

using model = await Model.load(embeddedModelPath());
using context = new Context(model, { contextLength: 512, maxSequences: 2, unifiedCache: true });
const { vocab } = model;
const batch = new Batch(model.native, { capacity: context.batchSize });
const tokenize = (text: string) => vocab.tokenize(text, { parseSpecial: true });

// Positions [0, prefix.length) are computed once; sequence 1 then shares the cells of sequence 0.
const prefix = tokenize("<|im_start|>user\nWhat is the capital of");
context.decode(batch.fill(prefix, { position: 0, outputs: "none" }));
context.memory.copy(0, 1);

const texts = ["France", "Norway"].map((country, sequence) => ({
  country,
  sequence,
  position: prefix.length,
  next: tokenize(` ${country}?<|im_end|>\n<|im_start|>assistant\n`),
  sampler: createSampler(model, { temperature: 0 }),
  answer: [] as number[],
}));

let growing = texts;
while (growing.length > 0) {
  batch.clear();
  const outputs = growing.map((text) => {
    let output = -1;
    for (const [at, token] of text.next.entries()) {
      output = batch.add(token, text.position++, text.sequence, { output: at === text.next.length - 1 });
    }
    return output;
  });
  context.decode(batch);
  growing = growing.filter((text, index) => {
    const token = text.sampler.sample(context, outputs[index]);
    if (vocab.isEndOfGeneration(token)) return false;
    text.answer.push(token);
    text.next = Int32Array.of(token);
    return text.answer.length < 60;
  });
}
for (const { country, answer, sampler } of texts) {
  console.log(`${country}: ${vocab.detokenize(answer)}`);
  sampler.dispose();
}
