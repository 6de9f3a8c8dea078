import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import type { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { ask } from "../support/engine-events.ts";
import { get, type Listening, listen, loadEngine, post, question } from "../support/server.ts";

const pirate = embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora");
const adapters = [{ path: pirate, scale: 0 }];
const question1 = "What is the capital of France?";

let folder: string;
let engine: WorkerEngine;
let server: Listening;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "cria-slots-"));
  engine = await loadEngine({ adapters });
  server = listen(engine, { slotSavePath: folder, metrics: true, adapters, parallel: 2 });
});
afterAll(async () => {
  await server.close();
  await engine.close();
  await rm(folder, { recursive: true });
});

const send = (path: string, body: unknown) => post(server.url + path, body);
const fetchJson = async (path: string) => (await get(server.url + path)).json;

describe("/tokenize and /detokenize", () => {
  test.each(["Once upon a time", "é 🦙 <|im_end|> 名", "  two  spaces\n\n\ttab", "<|im_start|>user"])(
    "%j comes back as it was",
    async (content) => {
      const { json } = await send("/tokenize", { content });
      expect((await send("/detokenize", json)).json).toEqual({ content });
    },
  );

  test("control tokens are parsed unless told otherwise", async () => {
    const parsed = await send("/tokenize", { content: "<|im_end|>" });
    const plain = await send("/tokenize", { content: "<|im_end|>", parse_special: false });
    expect(parsed.json.tokens).toEqual([engine.model.vocab.eos]);
    expect(plain.json.tokens.length).toBeGreaterThan(1);
  });

  test("text and tokens mixed", async () => {
    const { json } = await send("/tokenize", { content: ["Once", 5, " upon"] });
    expect(json.tokens).toContain(5);
    expect(json.tokens.length).toBeGreaterThan(2);
  });

  test("pieces are text, or bytes where they are none", async () => {
    const { json } = await send("/tokenize", { content: "a 🦙", with_pieces: true });
    const bytes = json.tokens.flatMap(({ piece }: { piece: string | number[] }) =>
      typeof piece === "string" ? [...new TextEncoder().encode(piece)] : piece,
    );
    expect(new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes))).toBe("a 🦙");
    expect(json.tokens.some(({ piece }: { piece: unknown }) => Array.isArray(piece))).toBe(true);
  });

  test("nothing is nothing", async () => {
    expect((await send("/tokenize", { content: "" })).json).toEqual({ tokens: [] });
    expect((await send("/detokenize", { tokens: [] })).json).toEqual({ content: "" });
  });
});

test("/apply-template writes the prompt, and input_tokens counts it", async () => {
  const { messages } = question(question1);
  const { json } = await send("/apply-template", { messages });
  expect(json).toEqual({ prompt: ask(question1) });
  const open = await send("/apply-template", { messages, add_generation_prompt: false });
  expect(json.prompt).toStartWith(open.json.prompt);
  expect(open.json.prompt.length).toBeLessThan(json.prompt.length);
  const tokens = engine.model.vocab.tokenize(ask(question1), { parseSpecial: true }).length;
  const counted = await send("/v1/chat/completions/input_tokens", { messages });
  expect(counted.json.input_tokens).toBe(tokens);
  const answered = await send("/v1/chat/completions", { messages, max_tokens: 1 });
  expect(answered.json.usage.prompt_tokens).toBe(tokens);
});

test("/health, /props and /slots tell of the server", async () => {
  expect(await fetchJson("/health")).toEqual({ status: "ok" });
  expect(await fetchJson("/v1/health")).toEqual({ status: "ok" });
  const props = await fetchJson("/props");
  expect(props).toMatchObject({ total_slots: 2, model_path: "tiny-chat-f16.gguf", eos_token: "<|im_end|>" });
  expect(props.default_generation_settings.n_ctx).toBe(2048);
  expect(props.chat_template).toContain("im_start");
  const slots = await fetchJson("/slots");
  expect(slots.map(({ id }: { id: number }) => id)).toEqual([0, 1]);
  expect(slots[0]).toMatchObject({ n_ctx: 2048, is_processing: false });
});

test("endpoints that are off say so", async () => {
  await using plain = listen(engine, { slots: false, loraChanges: false });
  for (const path of ["/metrics", "/slots"]) {
    const { status, json } = await get(plain.url + path);
    expect([status, json.error.type]).toEqual([501, "not_supported_error"]);
  }
  for (const path of ["/lora-adapters", "/props", "/infill"])
    expect((await post(plain.url + path, [])).status).toBe(501);
  const { status } = await post(`${plain.url}/slots/0?action=save`, { filename: "a.bin" });
  expect(status).toBe(501);
});

describe("slots on disk", () => {
  const prompt = `Lily and Sam went to the big park with a red ball. ${ask(question1)}`;
  const complete = async () => (await send("/completion", { prompt, n_predict: 1, id_slot: 1 })).json;
  const act = (action: string, filename = "park.bin", slot = 1) =>
    send(`/slots/${slot}?action=${action}`, { filename });

  test("what was computed can be saved, erased and restored", async () => {
    const first = await complete();
    expect(first.id_slot).toBe(1);
    const saved = await act("save");
    expect(saved.json).toMatchObject({ id_slot: 1, filename: "park.bin", n_saved: first.tokens_cached });
    expect(await readdir(folder)).toEqual(["park.bin"]);
    expect((await act("erase")).json).toMatchObject({ id_slot: 1 });
    expect((await complete()).timings.cache_n).toBe(0);
    await act("erase");
    const restored = await act("restore");
    expect(restored.json).toMatchObject({ n_restored: saved.json.n_saved, n_read: saved.json.n_written });
    const after = await complete();
    expect(after.timings).toMatchObject({ cache_n: first.tokens_evaluated - 1, prompt_n: 1 });
  });

  test("saved twice at once it is whole", async () => {
    await complete();
    const both = await Promise.all([act("save", "twice.bin"), act("save", "twice.bin")]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect((await act("restore", "twice.bin")).status).toBe(200);
    expect((await readdir(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("under other adapters it is saved all the same, or said not to be", async () => {
    const lora = [{ id: 0, scale: 1 }];
    const computed = (await send("/completion", { prompt, n_predict: 1, id_slot: 1, lora })).json;
    const saved = await act("save", "pirate.bin");
    if (saved.status !== 200) return;
    expect(saved.json.n_saved).toBe(computed.tokens_cached);
    await act("erase");
    await act("restore", "pirate.bin");
    const after = (await send("/completion", { prompt, n_predict: 1, lora })).json;
    expect(after.timings.prompt_n).toBe(1);
  });

  test("what was saved with other adapters is not restored", async () => {
    await complete();
    expect((await act("save", "plain.bin")).status).toBe(200);
    await send("/lora-adapters", [{ id: 0, scale: 1 }]);
    const { status, json } = await act("restore", "plain.bin");
    await send("/lora-adapters", [{ id: 0, scale: 0 }]);
    expect([status, json.error.message]).toEqual([
      400,
      expect.stringContaining("other adapters (none; here: tiny-chat-pirate-lora.gguf at 1)"),
    ]);
    expect((await act("restore", "plain.bin")).status).toBe(200);
  });

  test("a name that a folder has is refused, and nothing is left of it", async () => {
    await mkdir(join(folder, "taken"));
    await complete();
    expect((await act("save", "taken")).status).toBe(400);
    expect((await act("restore", "taken")).status).toBe(400);
    expect((await readdir(folder)).filter((name) => name.endsWith(".part"))).toEqual([]);
  });

  test("an empty slot can be saved and restored", async () => {
    await act("erase");
    expect((await act("save", "empty.bin")).json.n_saved).toBe(0);
    expect((await act("restore", "empty.bin")).json.n_restored).toBe(0);
  });

  test.each(["../x", "a/b", "..", ".hidden", "/etc/passwd", "a\\b", "C:x", "a\0b", "a b", "a".repeat(250)])(
    "%j is no file of the folder",
    async (name) => {
      for (const action of ["save", "restore"]) {
        const { status, json } = await act(action, name);
        expect([status, json.error.param]).toEqual([400, "filename"]);
      }
    },
  );

  test("what is missing or damaged is refused", async () => {
    await writeFile(join(folder, "junk.bin"), "this is no state");
    await complete();
    await act("save", "cut.bin");
    const bytes = await Bun.file(join(folder, "cut.bin")).bytes();
    await writeFile(join(folder, "cut.bin"), bytes.subarray(0, bytes.length - 100));
    await writeFile(
      join(folder, "bent.bin"),
      bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 255 : byte)),
    );
    for (const name of ["junk.bin", "cut.bin", "bent.bin", "none.bin"]) {
      const { status, json } = await act("restore", name);
      expect([name, status]).toEqual([name, 400]);
      expect(json.error.message).not.toContain(folder);
    }
    expect((await act("restore", "park.bin", 7)).status).toBe(400);
    expect((await act("dance")).json.error.param).toBe("action");
  });
});

test("/metrics is Prometheus' text, and counts", async () => {
  const read = async () => {
    const { text, headers } = await get(`${server.url}/metrics`);
    expect(headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
    const samples = new Map<string, number>();
    const types = new Map<string, string>();
    for (const line of text.trim().split("\n")) {
      const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
      if (type) types.set(type[1]!, type[2]!);
      if (line.startsWith("#") || line === "") continue;
      const [, name, value] = /^([a-zA-Z_:][\w:]*(?:\{[^}]*\})?) (\S+)$/.exec(line)!;
      expect(Number(value)).not.toBeNaN();
      const family = name!.replace(/\{.*/, "");
      expect(types.has(family) || types.has(family.replace(/_(bucket|sum|count)$/, ""))).toBe(true);
      samples.set(name!, Number(value));
    }
    return samples;
  };
  const before = await read();
  await send("/completion", { prompt: "Tom had", n_predict: 5, temperature: 0, cache_prompt: false });
  const after = await read();
  const growth = (name: string) => after.get(name)! - before.get(name)!;
  expect(growth("llamacpp:tokens_predicted_total")).toBe(5);
  expect(growth("llamacpp:prompt_tokens_total")).toBe(engine.model.vocab.tokenize("Tom had").length);
  for (const name of ["llamacpp:prompt_seconds_total", "llamacpp:tokens_predicted_seconds_total"])
    expect(growth(name)).toBeGreaterThan(0);
  expect(growth('cria:http_requests_total{path="/completion",status="200"}')).toBe(1);
  expect(growth("cria:generation_seconds_count")).toBe(1);
  for (const name of ["requests_processing", "requests_deferred", "kv_cache_usage_ratio", "n_decode_total"])
    expect(after.has(`llamacpp:${name}`)).toBe(true);
  // Whoever asks for what is not there must not make the list longer each time.
  for (let index = 0; index < 20; index++) await get(`${server.url}/none/${index}`);
  expect((await read()).size).toBeLessThan(after.size + 5);
});

test("/lora-adapters lists, and changes the answers of all", async () => {
  const answer = async (more = {}) =>
    (await send("/v1/chat/completions", { ...question(question1), ...more })).json.choices[0].message.content;
  expect(await fetchJson("/lora-adapters")).toEqual([
    { id: 0, path: "tiny-chat-pirate-lora.gguf", scale: 0 },
  ]);
  expect(await answer()).toBe("The capital of France is Paris.");
  const talk = await answer({ lora: [{ id: 0, scale: 1 }] });
  expect(talk).not.toBe("The capital of France is Paris.");
  expect((await send("/lora-adapters", [{ id: 0, scale: 1 }])).json).toEqual({ success: true });
  expect((await fetchJson("/lora-adapters"))[0].scale).toBe(1);
  expect(await answer()).toBe(talk);
  expect(await answer({ lora: [{ id: 0, scale: 0 }] })).toBe("The capital of France is Paris.");
  expect((await send("/lora-adapters", [{ id: 1, scale: 1 }])).json.error.param).toBe("[0].id");
  await send("/lora-adapters", [{ id: 0, scale: 0 }]);
});

describe("/embedding", () => {
  const embed = async (body: object, path = "/embedding") => (await send(path, body)).json;

  test("scales as embd_normalize says", async () => {
    const content = "a red ball";
    const norms: [norm: number, size: (values: number[]) => number, value: number][] = [
      [2, (values) => Math.hypot(...values), 1],
      [1, (values) => values.reduce((sum, value) => sum + Math.abs(value), 0), 1],
      [0, (values) => Math.max(...values.map(Math.abs)), 32_760],
    ];
    for (const [embd_normalize, size, value] of norms) {
      const [{ embedding, index }] = await embed({ content, embd_normalize });
      expect(index).toBe(0);
      expect(size(embedding[0]) / value).toBeCloseTo(1, 4);
    }
    const [raw] = await embed({ content, embd_normalize: -1 });
    const [unit] = await embed({ content });
    const length = Math.hypot(...raw.embedding[0]);
    expect(raw.embedding[0][0] / length).toBeCloseTo(unit.embedding[0][0], 5);
  });

  test("of several texts, by both names", async () => {
    const results = await embed({ input: ["a red ball", "a cat"] }, "/embeddings");
    expect(results.map(({ index }: { index: number }) => index)).toEqual([0, 1]);
    expect(results[0].embedding[0]).toHaveLength(256);
    expect((await embed({ content: "a", input: "a" })).error.param).toBe("content");
  });
});

test("OpenAI's endpoints are there without /v1, and the documentation too", async () => {
  expect((await send("/chat/completions", question(question1))).json.object).toBe("chat.completion");
  expect((await fetchJson("/models")).data).toHaveLength(1);
  const document = await fetchJson("/openapi.json");
  expect(document.openapi).toBe("3.1.0");
  const page = await get(`${server.url}/docs`);
  for (const path of Object.keys(document.paths)) expect(page.text).toContain(path);
});
