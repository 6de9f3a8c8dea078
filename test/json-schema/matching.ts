import { kind } from "../../src/grammar/elements.ts";
import { GrammarParser } from "../../src/grammar/parse.ts";
import { Grammar } from "../../src/grammar.ts";
import type { Vocab } from "../../src/vocab.ts";

/** A vocabulary that the matcher asks nothing of but the bytes it is given. */
const bytesVocab = {
  size: 257,
  pieceBytes: (token: number) => Uint8Array.of(token),
  isEndOfGeneration: (token: number) => token === 256,
  tokenize: () => new Int32Array(0),
} as unknown as Vocab;

/** Says whether whole texts match a grammar. */
export function textMatcher(source: string): (text: string) => boolean {
  const matcher = Grammar.parse(source).matcher(bytesVocab);
  return (text) => {
    matcher.reset();
    return matcher.acceptPiece(0, new TextEncoder().encode(text)) && matcher.canEnd;
  };
}

/** Numbers from 0 up to 1, the same for the same seed (xorshift32). */
export function randomNumbers(seed: number): () => number {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}

/** Characters that are picked where a class has them, since faults are likelier there. */
const telling = Array.from(' "\\/09azAZ._-:+eé日😀\u007f\u2028', (character) => character.codePointAt(0)!);

/** Makes texts of a grammar: derives them from the root, with weights for alternatives that are new for each text. */
export class GrammarSampler {
  readonly #grammar;
  /** Fewest rules inside one another that each rule can end with. */
  readonly #heights: number[];
  readonly #alternatives: number[][];

  constructor(source: string) {
    this.#grammar = new GrammarParser(source).parse("root");
    const { kinds, starts } = this.#grammar;
    this.#alternatives = Array.from(starts, (start) => {
      const found = [start];
      for (let at = start; kinds[at] !== kind.end; at++)
        if (kinds[at] === kind.alternative) found.push(at + 1);
      return found;
    });
    this.#heights = Array.from(starts, () => Number.POSITIVE_INFINITY);
    const users: number[][] = Array.from(starts, () => []);
    for (const [rule, start] of starts.entries()) {
      for (let at = start; kinds[at] !== kind.end; at++)
        if (kinds[at] === kind.rule) users[this.#grammar.values[at]!]!.push(rule);
    }
    const queue = [...starts.keys()];
    for (let rule = queue.pop(); rule !== undefined; rule = queue.pop()) {
      const height = 1 + Math.min(...this.#alternatives[rule]!.map((at) => this.#heightOf(at)));
      if (height >= this.#heights[rule]!) continue;
      this.#heights[rule] = height;
      queue.push(...users[rule]!);
    }
  }

  /** @param length Code points after which the shortest way out is taken. */
  sample(random: () => number, length = 60): string {
    const { kinds, values, root } = this.#grammar;
    const weights = new Map<number, number>();
    const weightOf = (at: number) => {
      let weight = weights.get(at);
      if (weight === undefined) {
        weight = random() ** 3;
        weights.set(at, weight);
      }
      return weight;
    };
    let text = "";
    let count = 0;
    const stack: number[] = [];
    const open = (rule: number) => {
      const alternatives = this.#alternatives[rule]!;
      let chosen = alternatives[0]!;
      if (count >= length || stack.length > 400) {
        for (const at of alternatives) if (this.#heightOf(at) < this.#heightOf(chosen)) chosen = at;
      } else {
        let left = random() * alternatives.reduce((sum, at) => sum + weightOf(at), 0);
        for (const at of alternatives) {
          chosen = at;
          left -= weightOf(at);
          if (left < 0) break;
        }
      }
      stack.push(chosen);
    };
    open(root);
    while (stack.length > 0) {
      const at = stack.pop()!;
      const type = kinds[at]!;
      if (type === kind.end || type === kind.alternative) continue;
      if (type === kind.rule) {
        if (kinds[at + 1]! > kind.alternative) stack.push(at + 1);
        open(values[at]!);
        continue;
      }
      const { point, end } = this.#character(at, random);
      text += String.fromCodePoint(point);
      count++;
      stack.push(end);
    }
    return text;
  }

  #heightOf(at: number): number {
    const { kinds, values } = this.#grammar;
    let height = 0;
    for (let next = at; kinds[next]! > kind.alternative; next++) {
      if (kinds[next] === kind.rule) height = Math.max(height, this.#heights[values[next]!]!);
    }
    return height;
  }

  #character(at: number, random: () => number): { point: number; end: number } {
    const { kinds, values } = this.#grammar;
    const ranges: [number, number][] = [];
    let end = at;
    do {
      const isRange = kinds[end + 1] === kind.rangeEnd;
      ranges.push([values[end]!, values[isRange ? end + 1 : end]!]);
      end += isRange ? 2 : 1;
    } while (kinds[end] === kind.charAlternative);
    if (kinds[at] !== kind.char) throw new Error("only plain classes are sampled");
    const inside = telling.filter((point) => ranges.some(([low, high]) => point >= low && point <= high));
    if (inside.length > 0 && random() < 0.3)
      return { point: inside[Math.floor(random() * inside.length)]!, end };
    const [low, high] = ranges[Math.floor(random() * ranges.length)]!;
    const span = random() < 0.8 ? Math.min(high, low + 90) : high;
    return { point: low + Math.floor(random() * (span - low + 1)), end };
  }
}
