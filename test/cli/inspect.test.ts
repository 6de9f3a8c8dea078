import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { Context } from "../../src/context.ts";
import type { CacheType } from "../../src/context-options.ts";
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { captureLog } from "../../src/log.ts";
import { Model } from "../../src/model.ts";
import { type FixtureName, fixture } from "../fixtures/fixture-set.ts";
import { cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

test("shows metadata, tensors and an estimate", async () => {
  const { code, stdout, stderr } = await cria(["inspect", "--tensors"]);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/^file +.*tiny-chat-f16\.gguf \(5\.0 MiB\)$/m);
  expect(stdout).toMatch(/^architecture +llama$/m);
  expect(stdout).toMatch(/^memory: KV cache at 4096 +8\.0 MiB \(K f16, V f16\)$/m);
  expect(stdout).toMatch(/^ {2}general\.name +"tiny-chat"$/m);
  expect(stdout).toMatch(/^ {2}tokenizer\.ggml\.tokens +\[1024 values\]$/m);
  expect(stdout).toMatch(/^ {2}token_embd\.weight +F16 \[256, 1024\] 512\.0 KiB$/m);
  expect(stdout).not.toContain("object Object");
});

test("a file alone and with -m, as text and as JSON", async () => {
  const path = await fixture("llama-q8");
  const [alone, named] = await Promise.all([
    cria(["inspect", path, "--json"]),
    cria(["inspect", "-m", path, "--json"]),
  ]);
  expect(alone.stdout).toBe(named.stdout);
  const { architecture, tensors, metadata, tensorTypes, memory } = JSON.parse(alone.stdout);
  expect([architecture, metadata["general.architecture"]]).toEqual(["llama", '"llama"']);
  using model = await Model.load(path);
  expect(memory.weightsBytes).toBe(model.sizeBytes);
  const bytes = (tensors as { byteLength: number }[]).reduce((sum, { byteLength }) => sum + byteLength, 0);
  expect(bytes).toBe(memory.weightsBytes);
  expect(tensorTypes.Q8_0.count).toBeGreaterThan(0);
});

/** Bytes of the KV caches that libllama says it made, and the context it made. */
async function reserved(path: string, contextLength: number | undefined, types: CacheType) {
  using model = await Model.load(path);
  const options = { threads: 1, cacheTypeK: types, cacheTypeV: types, flashAttention: types !== "f16" };
  const { result, messages } = captureLog(
    model.native,
    () => new Context(model, contextLength === undefined ? options : { ...options, contextLength }),
  );
  using context = result;
  const sizes = messages.flatMap(({ text }) => /^llama_kv_cache: size = +([\d.]+) MiB/.exec(text)?.[1] ?? []);
  return {
    contextLength: context.sequenceLength,
    mebibytes: sizes.reduce((sum, size) => sum + Number(size), 0),
  };
}

describe("the estimate of the cache is what libllama reserves", () => {
  const cases: [name: FixtureName | "tiny-chat", contextLength: number | undefined, types: CacheType][] = [
    ["tiny-chat", undefined, "f16"],
    ["tiny-chat", 1000, "f16"],
    ["tiny-chat", 0, "q8_0"],
    ["llama-spm", 2000, "f16"],
    ["sliding-window", 10_000, "f16"],
    ["hybrid", 10_000, "f16"],
    ["encoder-decoder", 5000, "f16"],
    ["recurrent", 1000, "f16"],
  ];
  test.each(cases)("%s with a context of %p in %s", async (name, contextLength, types) => {
    const path = name === "tiny-chat" ? embeddedModelPath() : await fixture(name);
    const size = contextLength === undefined ? [] : ["-c", String(contextLength)];
    const { stdout } = await cria(["inspect", path, "--json", ...size, "-ctk", types, "-ctv", types]);
    const { memory } = JSON.parse(stdout);
    const actual = await reserved(path, contextLength, types);
    expect(memory.contextLength).toBe(actual.contextLength);
    // libllama says two decimals, of each of two caches at most.
    expect(Math.abs(memory.kvCacheBytes / 2 ** 20 - actual.mebibytes)).toBeLessThanOrEqual(0.011);
  });

  test("encoders keep none", async () => {
    const { stdout } = await cria(["inspect", await fixture("embedding"), "--json"]);
    expect(JSON.parse(stdout).memory.kvCacheBytes).toBe(0);
  });
});
