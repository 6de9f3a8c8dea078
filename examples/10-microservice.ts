// A microservice: a model and OpenAI's API in one process. Any client of that API can use it.
// run: bun
// prints: The capital of France is Paris\.
import { embeddedModelPath, WorkerEngine } from "cria";
import { createApp } from "cria/server";

await using engine = await WorkerEngine.load(embeddedModelPath());
const app = createApp(engine, { alias: "tiny" });
const server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: app.fetch });

const response = await fetch(new URL("/v1/chat/completions", server.url), {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({
    messages: [{ role: "user", content: "What is the capital of France?" }],
    temperature: 0,
  }),
});
const answer = (await response.json()) as { choices: { message: { content: string } }[] };
console.log(answer.choices[0]?.message.content);

// A service that runs for long leaves this out, and ends by `drain(app)` and `server.stop()` on SIGTERM.
await server.stop();
