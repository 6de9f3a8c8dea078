import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { schemaToGrammar } from "../../src/json-schema/index.ts";
import { Model } from "../../src/model.ts";
import { type ContextLike, Sampler, SamplerChain } from "../../src/sampler.ts";
import { corpus } from "./corpus/index.ts";
import { judge } from "./judge.ts";

const model = await Model.load("models/tiny-chat-f16.gguf", { vocabOnly: true });
const { vocab } = model;
afterAll(() => model.dispose());

const end = vocab.eot ?? vocab.eos!;
const all = Object.values(corpus).flat();

/** Tokens that close a text. */
const closing = [end, ...Array.from({ length: vocab.size }, (_, token) => token)].filter((token) =>
  token === end ? true : /^["\]}]+$/.test(new TextDecoder().decode(vocab.pieceBytes(token))),
);

/** Logits that like some tokens more than others, differently at each step, and more and more what closes a text. */
function noise(seed: number): ContextLike {
  let step = 0;
  return {
    checkOutput: () => {},
    logits: () => {
      step++;
      const logits = new Float32Array(vocab.size);
      for (let token = 0; token < logits.length; token++)
        logits[token] = 4 * Math.sin(seed + 12.9898 * (token + 1) * step);
      for (const token of closing) logits[token]! += step / 2;
      return logits;
    },
  };
}

test("libllama takes the grammar of every schema in the corpus", () => {
  const sources = all.map(({ schema }) => schemaToGrammar(schema).source);
  const { stdout, status, signal } = spawnSync(
    process.execPath,
    [new URL("../grammar-verdicts.ts", import.meta.url).pathname],
    {
      input: JSON.stringify(sources.map((source) => [source, "root"])),
      encoding: "utf8",
      stdio: ["pipe", "pipe", "ignore"],
      timeout: 60_000,
    },
  );
  expect({ status, signal }).toEqual({ status: 0, signal: null });
  const verdicts = JSON.parse(stdout) as boolean[];
  expect(all.filter((_, index) => !verdicts[index]).map(({ schema }) => schema)).toEqual([]);
}, 60_000);

test("libllama follows valid values to their end, and only to there", () => {
  for (const { schema, valid } of all.filter((_, index) => index % 4 === 0)) {
    using sampler = Sampler.grammar(model, schemaToGrammar(schema).source);
    for (const text of valid.slice(0, 2).map((value) => JSON.stringify(value))) {
      if (text.length > 300) continue;
      sampler.reset();
      const tokens = vocab.tokenize(text, { addSpecial: false });
      for (const token of tokens) {
        expect({ schema, text, allowed: sampler.allows(token) }).toEqual({ schema, text, allowed: true });
        sampler.accept(token);
      }
      expect({ schema, text, ends: sampler.allows(end) }).toEqual({ schema, text, ends: true });
    }
  }
}, 60_000);

test("what libllama's sampler picks at random under a grammar, ajv accepts", () => {
  let ended = 0;
  for (const [index, { schema }] of all.entries()) {
    if (index % 3 !== 0) continue;
    using chain = new SamplerChain(model)
      .setGrammar(schemaToGrammar(schema).source)
      .add(Sampler.dist(model, { seed: index }));
    const context = noise(index);
    const tokens: number[] = [];
    while (tokens.length < 80 && tokens.at(-1) !== end) tokens.push(chain.sample(context));
    if (tokens.pop() !== end) continue;
    ended++;
    const text = vocab.detokenize(tokens);
    expect({ schema, text, valid: judge(schema)(JSON.parse(text)) }).toEqual({ schema, text, valid: true });
  }
  expect(ended).toBeGreaterThan(80);
}, 60_000);
