// A script: ask the tiny model that comes with cria. Another model: Llama.load("model.gguf").
// run: bun
// prints: The capital of France is Paris\.
import { Llama } from "cria";

await using llama = await Llama.load();

const answer = await llama.createChatCompletion({
  messages: [{ role: "user", content: "What is the capital of France?" }],
  temperature: 0,
});
console.log(answer.choices[0]?.message.content);
