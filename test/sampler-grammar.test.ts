import { afterAll, expect, test } from "bun:test";
import fc from "fast-check";
import { GrammarError } from "../lib/errors.ts";
import { Grammar } from "../src/grammar.ts";
import { Model } from "../src/model.ts";
import { Candidates, type ContextLike, Sampler, SamplerChain } from "../src/sampler.ts";

const model = await Model.load("models/tiny-chat-f16.gguf", { vocabOnly: true });
const { vocab, native } = model;
afterAll(() => model.dispose());

/** Logits that like some tokens more than others, differently at each step. */
function noise(seed: number): ContextLike {
  let step = 0;
  const logits = new Float32Array(vocab.size);
  return {
    checkOutput: () => {},
    logits: () => {
      step++;
      return logits.map((_, token) => 6 * Math.sin(seed + 12.9898 * (token + 1) * step));
    },
  };
}

const tokenOf = (text: string) => vocab.tokenize(text, { addSpecial: false, parseSpecial: true })[0]!;
const end = vocab.eot ?? vocab.eos!;

/** Text of what a chain picks until it ends. */
function generate(chain: SamplerChain, seed: number, most = 60): { text: string; ended: boolean } {
  const context = noise(seed);
  const tokens: number[] = [];
  while (tokens.length < most) {
    const token = chain.sample(context);
    if (vocab.isEndOfGeneration(token)) return { text: vocab.detokenize(tokens), ended: true };
    tokens.push(token);
  }
  return { text: vocab.detokenize(tokens), ended: false };
}

const grammars: readonly (readonly [source: string, whole: RegExp])[] = [
  ['root ::= "yes" | "no" | "yellow"', /^(yes|no|yellow)$/],
  ["root ::= [a-f]{3,6}", /^[a-f]{3,6}$/],
  [
    'root ::= pair (", " pair){0,2}\npair ::= [a-z]{1,3} "=" [0-9]{1,2}',
    /^[a-z]{1,3}=\d{1,2}(, [a-z]{1,3}=\d{1,2}){0,2}$/,
  ],
  ['root ::= "t" !<[0]> "s"?', /^t/],
  ["root ::= ", /^$/],
];

test.each(grammars)("%j holds, whatever the samplers would pick", (source, whole) => {
  fc.assert(
    fc.property(fc.nat(1000), fc.boolean(), (seed, greedy) => {
      using chain = new SamplerChain(model);
      if (greedy) chain.add(Sampler.greedy(model));
      else chain.add(Sampler.topK(model, 30)).add(Sampler.dist(model, { seed }));
      chain.setGrammar(source);
      const { text, ended } = generate(chain, seed);
      expect(text).toMatch(whole);
      expect(ended).toBe(true);
    }),
    { numRuns: 25 },
  );
});

test("a grammar added as a sampler, cloned, copied and reset goes on alike", () => {
  const make = () =>
    new SamplerChain(model)
      .add(Sampler.grammar(model, Grammar.parse("root ::= [a-z]+")))
      .add(Sampler.dist(model, { seed: 5 }));
  using chain = make();
  using other = make();
  const first = generate(chain, 1, 8).text;
  using copy = chain.clone();
  other.copyFrom(chain);
  const next = generate(chain, 2, 8).text;
  expect(generate(copy, 2, 8).text).toBe(next);
  expect(generate(other, 2, 8).text).toBe(next);
  chain.reset();
  expect(generate(chain, 1, 8).text).toBe(first);
  expect(first + next).toMatch(/^[a-z]+$/);
});

test("where nothing may follow, the text ends", () => {
  using chain = new SamplerChain(model).setGrammar("root ::= <[5]>").add(Sampler.dist(model, { seed: 1 }));
  const context = noise(1);
  expect([chain.sample(context), chain.sample(context), chain.sample(context)]).toEqual([5, end, end]);
  // The one token that it allows is ruled out: no token is left, though the text is not complete.
  using stuck = new SamplerChain(model)
    .add(Sampler.logitBias(model, [[5, Number.NEGATIVE_INFINITY]]))
    .setGrammar("root ::= <[5]>")
    .add(Sampler.dist(model, { seed: 1 }));
  expect(stuck.sample(context)).toBe(end);
});

test("a token that the grammar forbids is refused before libllama sees it", () => {
  using chain = new SamplerChain(model).add(Sampler.greedy(model)).setGrammar('root ::= "a" "b"');
  using sampler = Sampler.grammar(model, 'root ::= "a" "b"');
  for (const target of [chain, sampler]) {
    expect(() => target.accept(tokenOf("b"))).toThrow(/forbids/);
    expect(() => target.accept(end)).toThrow(/forbids/);
    expect(() => target.accept(vocab.size)).toThrow(RangeError);
    target.accept(tokenOf("a"));
    expect(() => target.accept(tokenOf("a"))).toThrow(/forbids/);
    target.accept(tokenOf("b"));
    target.accept(end);
    target.accept(end);
  }
  expect(sampler.allows(end)).toBe(true);
  expect(sampler.allows(tokenOf("a"))).toBe(false);
});

test("a prompt is none of the grammar's business", () => {
  using chain = new SamplerChain(model).add(Sampler.greedy(model)).setGrammar('root ::= "a"');
  chain.acceptPrompt(vocab.tokenize("Once upon a time"));
  expect(generate(chain, 3).text).toBe("a");
});

test("a wrong grammar is refused, and the chain keeps the one it has", () => {
  using chain = new SamplerChain(model).add(Sampler.greedy(model)).setGrammar('root ::= "b"');
  expect(() => chain.setGrammar("root ::= [")).toThrow(GrammarError);
  expect(() => Sampler.grammar(model, "root ::= <[99999]>")).toThrow(GrammarError);
  expect(generate(chain, 4).text).toBe("b");
});

test("a lazy grammar sleeps until a word or token wakes it, and then holds", () => {
  const source = 'root ::= "<tool>" [0-9]{3} "."';
  const make = (triggers: { words?: string[]; tokens?: number[] }, grammar = source) =>
    new SamplerChain(model)
      .add(Sampler.grammarLazy(model, grammar, triggers))
      .add(Sampler.dist(model, { seed: 2 }));
  const feed = (chain: SamplerChain, text: string) => {
    for (const token of vocab.tokenize(text, { addSpecial: false })) chain.accept(token);
  };
  using chain = make({ words: ["[never]", "<tool>"] });
  feed(chain, "free text <too many <tool");
  using asleep = chain.clone();
  feed(chain, ">");
  expect(generate(chain, 1)).toMatchObject({ text: expect.stringMatching(/^\d{3}\.$/), ended: true });
  expect(generate(asleep, 1, 20).ended).toBe(false);
  chain.reset();
  feed(chain, "free again, digits or not");
  using byToken = make({ tokens: [7] }, "root ::= <[7]> [0-9]{2}");
  feed(byToken, "some text");
  byToken.accept(7);
  expect(generate(byToken, 1).text).toMatch(/^\d\d$/);
});

test("what follows a trigger inside its token must match too", () => {
  const long = Array.from({ length: vocab.size }, (_, token) => token).find((token) =>
    /^[a-z]{3}$/.test(new TextDecoder().decode(vocab.pieceBytes(token))),
  )!;
  const text = new TextDecoder().decode(vocab.pieceBytes(long));
  const word = text.slice(0, 2);
  using matching = Sampler.grammarLazy(model, `root ::= "${text}" "!"`, { words: [word] });
  matching.accept(long);
  expect(matching.allows(tokenOf("!"))).toBe(true);
  using other = Sampler.grammarLazy(model, `root ::= "${word}" "!"`, { words: [word] });
  expect(other.allows(long)).toBe(false);
  expect(() => other.accept(long)).toThrow(/forbids/);
  // Sampling steps aside instead.
  const wish = new Float32Array(vocab.size).fill(-1);
  wish[long] = 1;
  wish[tokenOf("!")] = 0;
  using chain = new SamplerChain(model).add(other).add(Sampler.greedy(model));
  expect(chain.sample({ checkOutput: () => {}, logits: () => wish.slice() })).toBe(tokenOf("!"));
  expect(() => Sampler.grammarLazy(model, "root ::= .*", { words: [""] })).toThrow(RangeError);
  expect(() => Sampler.grammarLazy(model, "root ::= .*", { tokens: [-1] })).toThrow(RangeError);
});

test("applied by hand, a grammar removes what it forbids", () => {
  using sampler = Sampler.grammar(model, 'root ::= "yes" | "no"');
  const candidates = Candidates.forVocabulary(native, vocab.size);
  candidates.fill(new Float32Array(vocab.size));
  sampler.apply(candidates);
  const left = new Float32Array(vocab.size);
  candidates.readLogits(left);
  const texts = [...left.keys()]
    .filter((token) => left[token] === 0)
    .map((token) => vocab.detokenize([token]));
  expect(texts.length).toBeGreaterThan(1);
  for (const text of texts) expect("yes".startsWith(text) || "no".startsWith(text)).toBe(true);
});
