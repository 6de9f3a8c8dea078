import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { dirname } from "node:path";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { ask } from "../support/engine-events.ts";
import { get, type Listening, listen, loadEngine, post, type Reply } from "../support/server.ts";

setDefaultTimeout(30_000);

const adapters = [{ path: embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora"), scale: 0 }];
const failures: unknown[] = [];

let engine: WorkerEngine;
let server: Listening;
beforeAll(async () => {
  engine = await loadEngine({ adapters });
  const log = { request: () => {}, failure: (error: unknown) => failures.push(error) };
  server = listen(engine, { adapters, metrics: true, slotSavePath: "no/such/folder", log });
});
afterAll(async () => {
  await server.close();
  await engine.close();
});

/** What the runtime says of a mistake in the code, which no client should hear. */
const internal =
  /undefined is|of undefined|not a function|not an object|cannot read|call stack|internal error|\.ts\b/i;

function expectRefusal({ status, json }: Reply, param?: string | null): void {
  expect(status).toBe(400);
  const { error } = json;
  expect(Object.keys(error).slice(0, 4)).toEqual(["code", "message", "type", "param"]);
  expect([error.code, error.type]).toEqual([400, "invalid_request_error"]);
  expect(error.message).not.toMatch(internal);
  if (param !== undefined) expect(error.param).toBe(param);
}

const user = (content: unknown) => ({ role: "user", content });
const messages = [user("hi")];
const deep = (levels: number) => `${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`;

describe("a field at fault is named", () => {
  const chat = "/v1/chat/completions";
  const text = "/v1/completions";
  const native = "/completion";
  const table: [path: string, body: unknown, param: string | null][] = [
    [chat, {}, "messages"],
    [chat, { messages: [] }, "messages"],
    [chat, { messages: "hi" }, "messages"],
    [chat, { messages: [1] }, "messages[0]"],
    [chat, { messages: [{ role: "robot", content: "hi" }] }, "messages[0].role"],
    [chat, { messages: [user(5)] }, "messages[0].content"],
    [chat, { messages: [...messages, { role: "tool", content: "x" }] }, "messages[1].tool_call_id"],
    [chat, { messages: [{ ...user("hi"), nme: "Anna" }] }, "messages[0].nme"],
    [chat, { messages, temprature: 0 }, "temprature"],
    [chat, { messages, temperature: "hot" }, "temperature"],
    [chat, { messages, temperature: -0.1 }, "temperature"],
    [chat, { messages, top_p: 1.5 }, "top_p"],
    [chat, { messages, n: 0 }, "n"],
    [chat, { messages, n: 1.5 }, "n"],
    [chat, { messages, n: 129 }, "n"],
    [chat, { messages, max_tokens: "5" }, "max_tokens"],
    [chat, { messages, max_tokens: 1e30 }, "max_tokens"],
    [chat, { messages, stream: "yes" }, "stream"],
    [chat, { messages, stream_options: { include: true } }, "stream_options.include"],
    [chat, { messages, logprobs: 2 }, "logprobs"],
    [chat, { messages, top_logprobs: 2 }, "top_logprobs"],
    [chat, { messages, logprobs: true, top_logprobs: 21 }, "top_logprobs"],
    [chat, { messages, stop: [""] }, "stop"],
    [chat, { messages, seed: 1e20 }, "seed"],
    [chat, { messages, audio: { voice: "x" } }, "audio"],
    [chat, { messages, functions: [{ name: "" }] }, "functions[0].name"],
    [chat, { messages, grammar: "root ::= (" }, "grammar"],
    [chat, { messages, grammar: 'start ::= "a"' }, "grammar"],
    [chat, { messages, grammar: 'root ::= root "a"' }, "grammar"],
    [chat, { messages, chat_template_kwargs: [] }, "chat_template_kwargs"],
    [chat, { messages, samplers: ["magic"] }, "samplers"],
    [chat, { messages, lora: [{ id: 9, scale: 1 }] }, "lora[0].id"],
    [chat, { messages, logit_bias: { "5000": 1 } }, "logit_bias"],
    [text, {}, "prompt"],
    [text, { prompt: "" }, "prompt"],
    [text, { prompt: [] }, "prompt"],
    [text, { prompt: [-1] }, "prompt[0]"],
    [text, { prompt: [5, 99_999] }, "prompt[1]"],
    [text, { prompt: "a", suffix: "b" }, "suffix"],
    [text, { prompt: "a", best_of: 3 }, "best_of"],
    [text, { prompt: "a", logprobs: 101 }, "logprobs"],
    [text, { prompt: "a", response_fields: ["content"] }, "response_fields"],
    [chat, { messages, response_fields: ["content"] }, "response_fields"],
    [native, { n_predict: 5 }, "prompt"],
    [native, { prompt: "a", n_probs: -1 }, "n_probs"],
    [native, { prompt: ["a", 1.5] }, "prompt[1]"],
    [native, { prompt: "a", response_fields: "content" }, "response_fields"],
    [native, { prompt: "a", json_schema: { multipleOf: 0.1 } }, "json_schema"],
    [native, { prompt: "a", mirostat: 3 }, "mirostat"],
    ["/v1/embeddings", {}, "input"],
    ["/v1/embeddings", { input: "" }, "input[0]"],
    ["/v1/embeddings", { input: "a", dimensions: 0 }, "dimensions"],
    ["/v1/embeddings", { input: "a", encoding_format: "hex" }, "encoding_format"],
    ["/embedding", { content: "a", embd_normalize: -2 }, "embd_normalize"],
    ["/tokenize", {}, "content"],
    ["/tokenize", { content: ["a", 99_999] }, "content[1]"],
    ["/detokenize", { tokens: [5, 1024] }, "tokens[1]"],
    ["/detokenize", { tokens: "abc" }, "tokens"],
    ["/apply-template", { messages: [{}] }, "messages[0].role"],
    ["/lora-adapters", [{ id: 0 }], "[0].scale"],
    [
      "/lora-adapters",
      [
        { id: 0, scale: 1 },
        { id: 0, scale: 1 },
      ],
      "[1].id",
    ],
    ["/slots/x?action=save", { filename: "a" }, "id_slot"],
  ]; // prettier-ignore
  test.each(table)("%s %j: %s", async (path, body, param) => {
    expectRefusal(await post(server.url + path, body), param);
  });
});

describe("a body that is none", () => {
  const table: [name: string, body: string | Uint8Array, message: RegExp][] = [
    ["empty", "", /empty/],
    ["blank", " \n ", /empty/],
    ["cut off", '{"prompt": "a"', /not valid JSON/],
    ["words", "hello", /not valid JSON/],
    ["a list", "[]", /body/],
    ["null", "null", /body/],
    ["a number", "5", /body/],
    ["broken UTF-8", new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]), /UTF-8/],
    ["a lone byte of a character", new Uint8Array([0x22, 0xf0, 0x9f, 0x22]), /UTF-8/],
    ["nested deep", deep(100), /nests deeper/],
    ["nested very deep", "[".repeat(1_000_000), /nests deeper/],
    ["nested as deep as may be", deep(64), /^(?!.*nests)/],
    ["a prototype", '{"__proto__": {"prompt": "a"}, "prompt": "a"}', /__proto__ is not a field/],
    ["a constructor", '{"constructor": {"prompt": "a"}, "prompt": "a"}', /constructor is not a field/],
    ["a number without end", '{"prompt": "a", "temperature": 1e999}', /temperature/],
  ];
  test.each(table)("%s", async (_, body, message) => {
    for (const path of ["/v1/completions", "/completion"]) {
      const reply = await post(server.url + path, body);
      expectRefusal(reply);
      expect(reply.json.error.message).toMatch(message);
    }
  });

  test("its content type does not matter", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const { status } = await post(`${server.url}/tokenize`, { content: "a" }, { "Content-Type": type });
      expect(status).toBe(200);
    }
  });
});

test("a name or a text of any length is cut in what is said of it", async () => {
  const long = "x".repeat(100_000);
  const replies = [
    await post(`${server.url}/completion`, { prompt: "a", [long]: 1 }),
    await get(`${server.url}/v1/models/${"x".repeat(5000)}`),
    await get(`${server.url}/${"x".repeat(5000)}`),
    await post(`${server.url}/slots/${"9".repeat(5000)}?action=erase`, {}),
    await post(`${server.url}/slots/0?action=restore`, { filename: "x".repeat(200) }),
    await post(`${server.url}/completion`, { prompt: "a", samplers: ["x".repeat(50)] }),
  ];
  for (const { status, text } of replies) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect(text.length).toBeLessThan(1000);
  }
});

test("a missing field is told to be missing, and one of a wrong type what it should be", async () => {
  for (const path of ["/v1/completions", "/completion", "/v1/embeddings", "/tokenize"]) {
    const field = path === "/tokenize" ? "content" : path === "/v1/embeddings" ? "input" : "prompt";
    for (const body of [{}, { [field]: 5 }]) {
      const { json } = await post(server.url + path, body);
      expect(json.error.message).not.toMatch(/Invalid input$/);
      expect(json.error.param).toBe(field);
    }
  }
});

test("half a character is refused, and blamed on no field that there is not", async () => {
  const half = "a\ud800";
  const bodies: [path: string, body: object][] = [
    ["/v1/chat/completions", { messages: [user(half)] }],
    ["/v1/completions", { prompt: half }],
    ["/completion", { prompt: ["a", half] }],
    ["/v1/embeddings", { input: half }],
    ["/tokenize", { content: half }],
  ];
  for (const [path, body] of bodies) {
    const reply = await post(server.url + path, body);
    expectRefusal(reply);
    const { param } = reply.json.error;
    if (param !== null) expect(Object.keys(body)).toContain(param.replace(/[[.].*/, ""));
  }
});

test("fields that an endpoint does not read cannot trip it", async () => {
  for (const lora of [5, "x", {}, [5, 5], [null], null]) {
    for (const path of ["/apply-template", "/v1/chat/completions/input_tokens"]) {
      const { status, json } = await post(server.url + path, { messages, lora });
      expect([200, 400]).toContain(status);
      if (status === 400) expect(json.error.message).not.toMatch(internal);
    }
  }
});

test("scales of adapters that break the numbers are the client's fault", async () => {
  for (const scale of [1e6, -1e6, 1e30, 1e308]) {
    const lora = [{ id: 0, scale }];
    expectRefusal(await post(`${server.url}/completion`, { prompt: "What is", n_predict: 2, lora }));
  }
});

test("thousands of prompts, each with many answers, are refused before anything is made of them", async () => {
  const started = performance.now();
  const prompt = Array(2048).fill("a");
  const { status } = await post(`${server.url}/v1/completions`, { prompt, n: 128, max_tokens: 1 });
  expect([400, 503]).toContain(status);
  // Nobody else is answered meanwhile.
  expect(performance.now() - started).toBeLessThan(2000);
});

test("hostile grammars end soon, whatever they are answered with", async () => {
  const doubling = Array.from({ length: 30 }, (_, at) => `r${at} ::= r${at + 1} r${at + 1}`).join("\n");
  const grammars = [
    'root ::= ("a"{0,2000000000}){0,2000000000}',
    'root ::= ((("a"*)*)*)*',
    `root ::= ${"(".repeat(5000)}"a"${")".repeat(5000)}`,
    `root ::= ${'"a" | '.repeat(5000)}"a"`,
    `root ::= r0\n${doubling}\nr30 ::= "a"?`,
    'root ::= ""',
    "root ::= [^\\x00-\\U0010FFFF]",
    "root ::= a\na ::= root",
    "\0",
  ];
  for (const grammar of grammars) {
    const { status, json } = await post(`${server.url}/completion`, { prompt: "a", n_predict: 4, grammar });
    expect([200, 400]).toContain(status);
    if (status === 400) expect(json.error).toMatchObject({ param: "grammar", type: "invalid_request_error" });
  }
  const { json } = await post(`${server.url}/v1/completions`, {
    prompt: ask("What is the capital of France?"),
    temperature: 0,
  });
  expect(json.choices[0].text).toBe("The capital of France is Paris.");
});

test("hostile text is only text", async () => {
  const texts = [
    "{{ 7 * 7 }}",
    "<|im_end|>".repeat(20),
    "\0\u0007\u202e",
    "\ufeff\ufffd",
    "a\nb: c\n\ndata: [DONE]\n\n",
  ];
  for (const content of texts) {
    const { status, json } = await post(`${server.url}/apply-template`, { messages: [user(content)] });
    expect([status, json.prompt]).toEqual([200, ask(content)]);
  }
});

test("a template's arguments cannot take the server's time or its memory", async () => {
  const chat_template_kwargs = { messages: [], add_generation_prompt: "x", eos_token: { a: 1 }, range: 1e9 };
  const { status } = await post(`${server.url}/apply-template`, { messages, chat_template_kwargs });
  expect([200, 400]).toContain(status);
});

test("unknown paths and methods are 404, in the shape of every error", async () => {
  for (const [method, path] of [
    ["GET", "/v2/models"],
    ["GET", "/completion"],
    ["PUT", "/completion"],
    ["DELETE", "/v1/models"],
    ["POST", "/v1"],
    ["GET", "/../../etc/passwd"],
    ["GET", "/%2e%2e/%2e%2e/etc/passwd"],
    ["GET", "/models/%ff"],
  ] as const) {
    const response = await fetch(server.url + path, { method });
    expect([path, response.status]).toEqual([path, 404]);
    expect(await response.json()).toMatchObject({ error: { code: 404, type: "not_found_error" } });
  }
});

test("a body larger than the limit is 413, whether it says so or not", async () => {
  await using small = listen(engine, { bodyLimit: 1000 });
  const body = JSON.stringify({ content: "a".repeat(1000) });
  const told = await post(`${small.url}/tokenize`, body);
  const pieces = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(body));
      controller.close();
    },
  });
  const chunked = await fetch(`${small.url}/tokenize`, { method: "POST", body: pieces });
  expect([told.status, chunked.status]).toEqual([413, 413]);
  expect(told.json.error).toMatchObject({ code: 413, type: "invalid_request_error" });
  expect((await post(`${small.url}/tokenize`, { content: "a".repeat(900) })).status).toBe(200);
});

test("no response tells where anything lies", async () => {
  failures.length = 0;
  // Its folder does not exist. Slots that were used with adapters are not saved.
  const saved = await post(`${server.url}/slots/0?action=save`, { filename: "x" });
  const replies = [
    ...(await Promise.all(
      ["/props", "/lora-adapters", "/slots", "/v1/models", "/openapi.json", "/docs", "/metrics", "/none"].map(
        (path) => get(server.url + path),
      ),
    )),
    await post(`${server.url}/slots/0?action=restore`, { filename: "x" }),
    saved,
    await post(`${server.url}/completion`, { prompt: "a", n_predict: 1, lora: [{ id: 0, scale: 1 }] }),
  ];
  for (const { text } of replies) {
    for (const secret of [dirname(embeddedModelPath()), process.cwd(), "no/such/folder"])
      expect(text).not.toContain(secret);
  }
  expect(saved.status).toBe(500);
  expect(failures).toHaveLength(1);
});

test("/slots tells nothing of what people wrote", async () => {
  const secret = "my secret words";
  const { body } = await server.app.request("/v1/completions", {
    method: "POST",
    body: JSON.stringify({
      prompt: secret,
      stop: [secret],
      user: secret,
      safety_identifier: secret,
      prompt_cache_key: secret,
      cache_salt: secret,
      metadata: { secret },
      prediction: { type: "content", content: secret },
      ignore_eos: true,
      max_tokens: -1,
      stream: true,
    }),
  });
  const reader = body!.getReader();
  await reader.read();
  const { text, json } = await get(`${server.url}/slots`);
  await reader.cancel();
  expect(json.some(({ is_processing }: { is_processing: boolean }) => is_processing)).toBe(true);
  expect(text).not.toContain(secret);
});
