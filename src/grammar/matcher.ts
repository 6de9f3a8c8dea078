import { RequestError } from "../../lib/errors.ts";
import { decodePiece, type PartialSequence, rangeOf, wholeSequence } from "./code-points.ts";
import { type CompiledGrammar, isEnd, kind } from "./elements.ts";
import { grammarLimits } from "./limits.ts";
import type { VocabularyIndex } from "./vocabulary-index.ts";

/** What the matcher must know of a vocabulary. */
export interface MatcherVocab {
  /** Bytes of a token, control tokens spelled out. */
  pieceBytes(token: number, options: { special: true }): Uint8Array;
  isEndOfGeneration(token: number): boolean;
}

/** What is still to be matched: an element, and what comes behind it. Equal stacks are one object. */
interface Stack {
  readonly id: number;
  readonly position: number;
  readonly below: Stack | undefined;
}

const finished: Stack = { id: 0, position: -1, below: undefined };
/** Interned stacks to keep before those no longer in use are dropped. */
const internedLimit = 50_000;

interface State {
  readonly stacks: readonly Stack[];
  readonly open: PartialSequence;
}

/**
 * Follows a grammar along the tokens of a text, in step with libllama's grammar sampler. libllama ends the process when
 * it is given a token that its grammar forbids, and lets a few of them pass its own filter; this says which.
 */
export class GrammarMatcher {
  readonly #grammar: CompiledGrammar;
  readonly #tokenIds: Int32Array;
  readonly #vocab: MatcherVocab;
  #interned = new Map<number, Stack>();
  #lastId = 0;
  #state: State;
  readonly #start: State;

  /** @param tokenIds Ids of the grammar's token references, in their order. */
  constructor(grammar: CompiledGrammar, tokenIds: Int32Array, vocab: MatcherVocab) {
    this.#grammar = grammar;
    this.#tokenIds = tokenIds;
    this.#vocab = vocab;
    const written = new Set<Stack>();
    this.#openRule(grammar.root, finished, written);
    const stacks = new Set<Stack>();
    for (const stack of written) this.#expand(stack, stacks);
    this.#start = { stacks: [...stacks], open: wholeSequence };
    this.#state = this.#start;
  }

  /** Whether the text may end here. */
  get canEnd(): boolean {
    return this.#state.stacks.includes(finished);
  }

  /** Whether `token` may come next. @throws RequestError where the grammar has become too ambiguous. */
  allows(token: number): boolean {
    if (this.#vocab.isEndOfGeneration(token)) return this.canEnd;
    return this.#after(token, this.#vocab.pieceBytes(token, { special: true })) !== undefined;
  }

  /** Moves past a token. @returns false, without moving, where it may not come next. */
  accept(token: number): boolean {
    if (this.#vocab.isEndOfGeneration(token)) return this.canEnd;
    return this.acceptPiece(token, this.#vocab.pieceBytes(token, { special: true }));
  }

  /** Moves past a token of which only these bytes count. @returns false, without moving, where they may not come next. */
  acceptPiece(token: number, piece: Uint8Array): boolean {
    const next = this.#after(token, piece);
    if (!next) return false;
    this.#state = next;
    this.#forget();
    return true;
  }

  /**
   * All tokens that may come next and do not end the text, in no order; undefined where they are more than `most`, or where the
   * grammar allows all but some. @throws RequestError where the grammar has become too ambiguous.
   */
  allowedTokens(index: VocabularyIndex, most: number): number[] | undefined {
    const { stacks, open } = this.#state;
    const { kinds, values } = this.#grammar;
    const tops = stacks.filter((stack) => stack !== finished).map(({ position }) => position);
    if (tops.some((position) => kinds[position] === kind.tokenNot)) return undefined;
    const named = tops
      .filter((position) => kinds[position] === kind.token)
      .map((position) => this.#tokenIds[values[position]!]!);
    const single = [...named, ...index.partial].filter((token) => !this.#vocab.isEndOfGeneration(token));
    const found = new Set(single.filter((token) => this.allows(token)));
    // Where a character is open, only its next bytes may come.
    if (open.missing === 0 && !this.#addWhole(index, most, found)) return undefined;
    this.#forget();
    return found.size > most ? undefined : [...found];
  }

  /** Adds the tokens of an index that may come; false where they become more than `most`. */
  #addWhole({ tokens, points, starts, common }: VocabularyIndex, most: number, found: Set<number>): boolean {
    // What is left to be matched behind each code point of the token before.
    const behind = [new Set(this.#state.stacks)];
    for (let index = 0; index < tokens.length; ) {
      const [start, length] = [starts[index]!, starts[index + 1]! - starts[index]!];
      behind.length = Math.min(behind.length, common[index]! + 1);
      while (behind.length <= length) {
        const next = this.#step(behind.at(-1)!, points[start + behind.length - 1]!);
        if (next.size === 0) break;
        behind.push(next);
      }
      const matched = behind.length - 1;
      if (matched === length) found.add(tokens[index]!);
      if (found.size > most) return false;
      index++;
      // Others with the code points that led nowhere lead nowhere.
      if (matched < length) while (index < tokens.length && common[index]! > matched) index++;
    }
    return true;
  }

  reset(): void {
    this.#state = this.#start;
  }

  clone(): GrammarMatcher {
    const copy = new GrammarMatcher(this.#grammar, this.#tokenIds, this.#vocab);
    copy.copyFrom(this);
    return copy;
  }

  /** Takes over the state of a matcher of the same grammar. */
  copyFrom(other: GrammarMatcher): void {
    this.#state = { stacks: other.#state.stacks.map((stack) => this.#adopt(stack)), open: other.#state.open };
  }

  /** The state behind a token that does not end the text; undefined where it may not come. */
  #after(token: number, piece: Uint8Array): State | undefined {
    // libllama never lets the grammar generate a token without text.
    if (piece.length === 0 || piece[0] === 0) return undefined;
    const { points, rest } = decodePiece(piece, this.#state.open);
    const { kinds, values } = this.#grammar;
    const survivors = new Set<Stack>();
    for (const stack of this.#state.stacks) {
      if (stack === finished) continue;
      const type = kinds[stack.position]!;
      if (type === kind.token || type === kind.tokenNot) {
        // libllama takes a token without a whole character for the rest of one that began before.
        if (points.length === 0 && rest.missing !== 0) continue;
        const same = this.#tokenIds[values[stack.position]!] === token;
        if (same === (type === kind.token)) this.#advance(stack, stack.position + 1, survivors);
      } else {
        let current = new Set([stack]);
        for (const point of points) current = this.#step(current, point);
        for (const next of current) survivors.add(next);
      }
      if (survivors.size > grammarLimits.ambiguity) tooAmbiguous();
    }
    const stacks = [...survivors];
    if (rest.missing !== 0 && !stacks.some((stack) => this.#canBecome(stack, rest))) return undefined;
    return stacks.length > 0 ? { stacks, open: rest } : undefined;
  }

  /** The stacks behind one more code point. */
  #step(stacks: ReadonlySet<Stack>, point: number): Set<Stack> {
    const next = new Set<Stack>();
    for (const stack of stacks) {
      if (stack === finished) continue;
      const type = this.#grammar.kinds[stack.position]!;
      if (type === kind.token || type === kind.tokenNot) continue;
      const { matches, end } = this.#match(stack.position, point, point);
      if (matches === (type !== kind.charNot)) this.#advance(stack, end, next);
    }
    return next;
  }

  /** Whether the character class at an element has a member in [low, high], and where it ends. */
  #match(position: number, low: number, high: number): { matches: boolean; end: number } {
    const { kinds, values } = this.#grammar;
    let matches = false;
    let at = position;
    do {
      const value = values[at]!;
      if (kinds[at] === kind.anyChar) matches = true;
      else if (kinds[at + 1] === kind.rangeEnd) {
        matches ||= value <= high && low <= values[at + 1]!;
        at++;
      } else matches ||= value <= high && low <= value;
      at++;
    } while (kinds[at] === kind.charAlternative);
    return { matches, end: at };
  }

  #canBecome(stack: Stack, open: PartialSequence): boolean {
    const range = rangeOf(open);
    if (stack === finished || !range) return false;
    const type = this.#grammar.kinds[stack.position]!;
    if (type === kind.token || type === kind.tokenNot) return false;
    return this.#match(stack.position, range.low, range.high).matches === (type !== kind.charNot);
  }

  /** Adds to `into` the stacks that follow when the top of `stack` has been matched up to `position`. */
  #advance(stack: Stack, position: number, into: Set<Stack>): void {
    const below = stack.below as Stack;
    const ended = isEnd(this.#grammar.kinds, position);
    this.#expand(ended ? below : this.#intern(position, below), into);
  }

  /** Replaces rules on top by their alternatives until each stack has something to match on top. */
  #expand(start: Stack, into: Set<Stack>): void {
    const { kinds, values } = this.#grammar;
    const seen = new Set([start]);
    for (const stack of seen) {
      if (stack === finished || kinds[stack.position] !== kind.rule) {
        into.add(stack);
        if (into.size > grammarLimits.ambiguity) tooAmbiguous();
        continue;
      }
      if (seen.size > 4 * grammarLimits.ambiguity) tooAmbiguous();
      const behind = stack.position + 1;
      const below = isEnd(kinds, behind)
        ? (stack.below as Stack)
        : this.#intern(behind, stack.below as Stack);
      this.#openRule(values[stack.position]!, below, seen);
    }
  }

  /** Adds one stack for each alternative of a rule, as written. */
  #openRule(rule: number, below: Stack, into: Set<Stack>): void {
    const { kinds, starts } = this.#grammar;
    let at = starts[rule]!;
    for (;;) {
      into.add(isEnd(kinds, at) ? below : this.#intern(at, below));
      while (!isEnd(kinds, at)) at++;
      if (kinds[at] === kind.end) return;
      at++;
    }
  }

  #intern(position: number, below: Stack): Stack {
    const key = below.id * this.#grammar.kinds.length + position;
    let stack = this.#interned.get(key);
    if (!stack) {
      stack = { id: ++this.#lastId, position, below };
      this.#interned.set(key, stack);
    }
    return stack;
  }

  /** The stack of ours that equals one of another matcher. */
  #adopt(stack: Stack): Stack {
    const positions: number[] = [];
    for (let at = stack; at !== finished; at = at.below as Stack) positions.push(at.position);
    return positions.reduceRight<Stack>((below, position) => this.#intern(position, below), finished);
  }

  #forget(): void {
    if (this.#interned.size < internedLimit) return;
    this.#interned = new Map();
    for (const state of [this.#start, this.#state]) {
      for (const stack of state.stacks) this.#keep(stack);
    }
  }

  #keep(stack: Stack): void {
    for (let at = stack; at !== finished; at = at.below as Stack) {
      const key = (at.below as Stack).id * this.#grammar.kinds.length + at.position;
      if (this.#interned.get(key) === at) return;
      this.#interned.set(key, at);
    }
  }
}

function tooAmbiguous(): never {
  throw new RequestError(
    `the grammar can be read in more than ${grammarLimits.ambiguity} ways at once; make its rules less ambiguous`,
    "grammar",
  );
}
