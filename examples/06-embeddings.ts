// Embeddings: which question is most like another? A real embedding model does far better than the tiny one.
// run: bun
// prints: ^\d\.\d\d What is the capital of Norway\?\n
import { Llama } from "cria";

await using llama = await Llama.load(undefined, { pooling: "mean" });

const question = "What is the capital of France?";
const others = ["Tell me a story.", "What is 7 + 2?", "What is the capital of Norway?"];
const { data } = await llama.createEmbedding({ input: [question, ...others] });
const [first = [], ...rest] = data.map(({ embedding }) => embedding);

// Embeddings have length 1, so their dot product is the cosine of the angle between them.
const similarity = (a: number[], b: number[]) => a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
rest
  .map((embedding, index) => ({ text: others[index], value: similarity(first, embedding) }))
  .sort((a, b) => b.value - a.value)
  .forEach(({ text, value }) => {
    console.log(value.toFixed(2), text);
  });
