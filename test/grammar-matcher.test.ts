import { expect, test } from "bun:test";
import fc from "fast-check";
import { IndexBuilder } from "../src/grammar/vocabulary-index.ts";
import { Grammar } from "../src/grammar.ts";
import { Model } from "../src/model.ts";

const model = await Model.load("models/tiny-chat-f16.gguf", { vocabOnly: true });
const { vocab, native } = model;
const { c, memory } = native;

/** libllama's grammar sampler, driven by hand. */
class NativeGrammar implements Disposable {
  readonly #pointer;
  constructor(source: string) {
    const [text, root] = [memory.string(source, "source"), memory.string("root", "root")];
    this.#pointer = c.llama_sampler_init_grammar(vocab.pointer, text.address, root.address);
    expect(this.#pointer).not.toBe(0);
  }

  /** Which tokens pass its filter. Shape [vocabulary]. */
  allowed(): boolean[] {
    const data = native.struct("llama_token_data", { count: vocab.size });
    const array = native.struct("llama_token_data_array").set("data", data.address).set("size", vocab.size);
    for (let token = 0; token < vocab.size; token++) data.set("id", token, token);
    c.llama_sampler_apply(this.#pointer, array.address);
    return Array.from({ length: vocab.size }, (_, token) => data.get("logit", token) === 0);
  }

  accept(token: number): void {
    c.llama_sampler_accept(this.#pointer, token);
  }

  [Symbol.dispose](): void {
    c.llama_sampler_free(this.#pointer);
  }
}

const sources: readonly string[] = [
  'root ::= "yes" | "no" | "yellow"',
  "root ::= .*",
  "root ::= [^a-m]{2,5} [a-m ]*",
  'root ::= "Hello"? (" " word)+ "."\nword ::= [a-z]{1,8}',
  'root ::= "(" root ")" | [0-9]+ |',
  'root ::= ("é" | "日本" | [😀-😎] | [α-ω]+ | [^\\x00-\\x7f])*',
  'root ::= item (", " item)*\nitem ::= [a-z]+ ":" ws [0-9]{1,3}\nws ::= [ \\n]*',
  "root ::= ([a-z]? [0-9]?)*",
  "root ::= <[300]> !<[301]> [a-z]",
  "root ::= !<[0]> .*",
  "root ::= <|im_start|>? [a-z ]{3} <|im_end|>?",
];

test.each(sources)("%j is followed in step with libllama", (source) => {
  const grammar = Grammar.parse(source);
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 12 }), (choices) => {
      using theirs = new NativeGrammar(source);
      const ours = grammar.matcher(vocab);
      for (const choice of choices) {
        const before = ours.clone();
        const allowed = theirs.allowed();
        expect(allowed.map((_, token) => ours.allows(token))).toEqual(allowed);
        const listed = ours.allowedTokens(IndexBuilder.of(vocab).finish(), vocab.size);
        const ends = (token: number) => vocab.isEndOfGeneration(token);
        const passing = allowed.flatMap((pass, token) => (pass && !ends(token) ? [token] : []));
        // All but a token cannot be listed.
        if (listed || !source.includes("!<")) expect(listed?.sort((a, b) => a - b)).toEqual(passing);
        if (passing.length > 1)
          expect(ours.allowedTokens(IndexBuilder.of(vocab).finish(), 1)).toBeUndefined();
        const tokens = allowed.flatMap((pass, token) => (pass ? [token] : []));
        const token = tokens[choice % tokens.length];
        const forbidden = allowed.indexOf(false);
        if (forbidden >= 0) expect(ours.accept(forbidden)).toBe(false);
        if (token === undefined || vocab.isEndOfGeneration(token)) return;
        expect(ours.accept(token)).toBe(true);
        theirs.accept(token);
        expect(before.accept(token)).toBe(true);
        expect(before.allows(token)).toBe(ours.allows(token));
      }
    }),
    { numRuns: 12 },
  );
});

test("bytes of a character may come one by one", () => {
  const matcher = Grammar.parse('root ::= [à-ÿ] "!"').matcher(bytesVocab);
  const [first, second] = new TextEncoder().encode("é") as Uint8Array & [number, number];
  expect(matcher.allows(first)).toBe(true);
  expect(matcher.allows(0xc2)).toBe(false);
  expect(matcher.accept(first)).toBe(true);
  expect(matcher.allows(0x41)).toBe(false);
  expect(matcher.allows(0x80)).toBe(false);
  expect(matcher.accept(second)).toBe(true);
  expect(matcher.accept(0x21)).toBe(true);
  expect(matcher.canEnd).toBe(true);
  matcher.reset();
  expect(matcher.canEnd).toBe(false);
  expect(matcher.allows(first)).toBe(true);
});

test("a token that runs on past a token reference is refused, though libllama's filter lets it pass", () => {
  const pieces = Array.from({ length: vocab.size }, (_, token) =>
    new TextDecoder().decode(vocab.pieceBytes(token)),
  );
  const long = pieces.findIndex((piece) => /^[a-z]{2}$/.test(piece));
  const source = `root ::= "${pieces[long]![0]}" !<[0]>`;
  using theirs = new NativeGrammar(source);
  expect(theirs.allowed()[long]).toBe(true);
  expect(Grammar.parse(source).matcher(vocab).allows(long)).toBe(false);
});

test("a grammar that can be read in too many ways is refused", () => {
  const rules = Array.from(
    { length: 20 },
    (_, index) => `r${index} ::= r${index + 1} "a" | r${index + 1} "b"`,
  );
  const source = ["root ::= r0", ...rules, 'r20 ::= "c"'].join("\n");
  expect(() => Grammar.parse(source).matcher(vocab)).toThrow(/ways|too many/);
});

test("a grammar that comes to be read in too many ways is refused there, token by token too", () => {
  const matcher = Grammar.parse('root ::= "a" root "b" | "a" root "c" | "a"').matcher(bytesVocab);
  const accepted = () => {
    let count = 0;
    while (matcher.accept(0x61)) count++;
    return count;
  };
  expect(accepted).toThrow(/more than \d+ ways/);
});

/** One token per byte, and an end at 256. */
const bytesVocab = {
  size: 257,
  pieceBytes: (token: number) => Uint8Array.of(token),
  isEndOfGeneration: (token: number) => token === 256,
  tokenize: () => new Int32Array(0),
} as unknown as typeof vocab;
