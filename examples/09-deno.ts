// Deno 2, through koffi: `deno run -A`. In a project of your own: `deno add npm:cria`, and import from "cria".
// run: deno
// prints: The capital of France is Paris\.
import { Llama } from "../src/index.ts";

await using llama = await Llama.load();
const answer = await llama.createChatCompletion({
  messages: [{ role: "user", content: "What is the capital of France?" }],
  temperature: 0,
});
console.log(answer.choices[0]?.message.content);
