// A conversation that grows: each turn computes its new tokens only.
// run: bun
// prints: turn 4: [1-9]\d+ tokens reused
import { type ChatMessage, Llama } from "cria";

await using llama = await Llama.load();

const messages: ChatMessage[] = [];
for (const [index, question] of [
  "My name is Anna.",
  "What is the capital of Norway?",
  "What is 7 + 2?",
  "What is my name?",
].entries()) {
  messages.push({ role: "user", content: question });
  const { choices, timings } = await llama.createChatCompletion({ messages, temperature: 0 });
  const text = choices[0]?.message.content ?? "";
  messages.push({ role: "assistant", content: text });
  console.log(`turn ${index + 1}: ${timings.cache_n} tokens reused, ${timings.prompt_n} computed: ${text}`);
}
