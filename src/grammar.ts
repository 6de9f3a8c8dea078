import { ContentCache } from "../lib/content-cache.ts";
import { GrammarError } from "../lib/errors.ts";
import type { CompiledGrammar } from "./grammar/elements.ts";
import { grammarLimits } from "./grammar/limits.ts";
import { GrammarMatcher } from "./grammar/matcher.ts";
import { GrammarParser } from "./grammar/parse.ts";
import { errorAt } from "./grammar/scanner.ts";
import type { Vocab } from "./vocab.ts";

export { grammarLimits } from "./grammar/limits.ts";
export type { GrammarMatcher } from "./grammar/matcher.ts";

/** Characters of the grammars that are kept compiled. */
const knownCharacters = grammarLimits.sourceLength / 2;

export interface GrammarOptions {
  /** The rule that a whole text must match. Default "root". */
  root?: string | undefined;
}

/** What a grammar consists of, as plain data. */
export interface GrammarParts {
  readonly source: string;
  readonly root: string;
  readonly compiled: CompiledGrammar;
}

/**
 * A GBNF grammar that has been checked; immutable, and independent of any model.
 *
 * Everything that libllama's parser (`llama_grammar_parser`) refuses is refused here, and so is what it would hang, crash
 * or silently go wrong on: an empty character class, a range the wrong way round, `{3,2}`, left recursion behind rules
 * that are empty only in effect, and sizes over {@link grammarLimits}.
 */
export class Grammar {
  readonly source: string;
  readonly root: string;
  readonly #compiled: CompiledGrammar;

  private constructor(source: string, root: string, compiled: CompiledGrammar) {
    this.source = source;
    this.root = root;
    this.#compiled = compiled;
  }

  /** Checks and compiles GBNF. @throws GrammarError with line and column, TypeError for what is no string. */
  static parse(source: string, { root = "root" }: GrammarOptions = {}): Grammar {
    if (typeof source !== "string") throw new TypeError(`a grammar must be a string, got ${typeof source}`);
    if (typeof root !== "string" || !/^[a-zA-Z0-9-]+$/.test(root)) {
      throw new TypeError(`root must be the name of a rule, got ${JSON.stringify(root)}`);
    }
    if (source.length > grammarLimits.sourceLength) {
      throw new GrammarError(
        `the grammar has ${source.length} characters, at most ${grammarLimits.sourceLength} are taken`,
        1,
        1,
      );
    }
    const odd = source.search(/\0|\p{Surrogate}/u);
    if (odd >= 0) throw errorAt(source, odd, "a NUL or lone surrogate; write it as \\x00 or \\uHHHH");
    return new Grammar(source, root, new GrammarParser(source).parse(root));
  }

  static readonly #known = new ContentCache<Grammar>(knownCharacters);

  /** As {@link parse}; of the same text, while it was used lately, the same grammar. */
  static of(source: string, options: GrammarOptions = {}): Grammar {
    if (typeof source !== "string") return Grammar.parse(source, options);
    const { root = "root" } = options;
    return Grammar.#known.get(`${root} ${source}`, () => Grammar.parse(source, options));
  }

  /** As plain data, to be put together again on another thread. */
  get parts(): GrammarParts {
    return { source: this.source, root: this.root, compiled: this.#compiled };
  }

  /** The grammar that these are the parts of. */
  static assemble({ source, root, compiled }: GrammarParts): Grammar {
    return new Grammar(source, root, compiled);
  }

  /**
   * A matcher that follows this grammar over a vocabulary's tokens; borrows the vocabulary.
   * @throws GrammarError where the grammar names a token that the vocabulary does not have.
   */
  matcher(vocab: Vocab): GrammarMatcher {
    const ids = this.#compiled.tokens.map(({ text, id, offset }) => {
      if (id !== undefined && id < vocab.size) return id;
      if (id !== undefined) {
        throw errorAt(this.source, offset, `${text} is no token; the vocabulary has ${vocab.size}`);
      }
      const tokens = vocab.tokenize(text, { addSpecial: false, parseSpecial: true });
      if (tokens.length !== 1)
        throw errorAt(this.source, offset, `${text} is not one token of this vocabulary`);
      return tokens[0]!;
    });
    return new GrammarMatcher(this.#compiled, Int32Array.from(ids), vocab);
  }
}
