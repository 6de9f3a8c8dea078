// The `openai` client on a model in the same process: its requests go to the app, through no socket.
// run: bun
// prints: The capital of Italy is Rome\.\n\d+ tokens
import { embeddedModelPath, WorkerEngine } from "cria";
import { createApp } from "cria/server";
import OpenAI from "openai";

await using engine = await WorkerEngine.load(embeddedModelPath());
const app = createApp(engine);
const openai = new OpenAI({
  baseURL: "http://localhost/v1",
  apiKey: "none",
  fetch: async (url, init) => app.request(url, init),
});

const stream = await openai.chat.completions.create({
  model: "tiny",
  messages: [{ role: "user", content: "What is the capital of Italy?" }],
  temperature: 0,
  stream: true,
  stream_options: { include_usage: true },
});
let total = 0;
for await (const { choices, usage } of stream) {
  process.stdout.write(choices[0]?.delta.content ?? "");
  total = usage?.total_tokens ?? total;
}
console.log(`\n${total} tokens`);
