// The model's API under a path of your own Hono app, and a client that knows the types of both.
// run: bun
// prints: my own page\ntokens: \d+\nThe capital of Norway is Oslo\.
import { embeddedModelPath, WorkerEngine } from "cria";
import { createApp } from "cria/server";
import { Hono } from "hono";
import { hc } from "hono/client";

await using engine = await WorkerEngine.load(embeddedModelPath());
const app = new Hono().get("/", (c) => c.text("my own page")).route("/llm", createApp(engine));

// With a server it is `hc<typeof app>("https://example.com")`; here requests go to the app itself, without a socket.
const client = hc<typeof app>("http://localhost", {
  fetch: (url: string | URL | Request, init?: RequestInit) => app.request(url, init),
});
console.log(await (await client.index.$get()).text());

const { tokens } = await (
  await client.llm.tokenize.$post({ json: { content: "What is the capital of Norway?" } })
).json();
console.log(`tokens: ${tokens.length}`);

const response = await client.llm.v1.chat.completions.$post({
  json: { messages: [{ role: "user", content: "What is the capital of Norway?" }], temperature: 0 },
});
const answer = (await response.json()) as { choices: { message: { content: string } }[] };
console.log(answer.choices[0]?.message.content);
