import { Grammar } from "../../src/grammar.ts";
import type { Vocab } from "../../src/vocab.ts";

const encoder = new TextEncoder();
/** Every code point is a token. */
const codePoints = {
  size: 0x110000,
  pieceBytes: (token: number) => encoder.encode(String.fromCodePoint(token)),
  isEndOfGeneration: () => false,
  tokenize: () => new Int32Array(0),
} as unknown as Vocab;

/** How far a grammar follows a text: all of it and it may end there, all of it, or not. */
export function follows(source: string, root: string, text: string): "whole" | "beginning" | "no" {
  const matcher = Grammar.of(source, { root }).matcher(codePoints);
  for (const character of text) if (!matcher.accept(character.codePointAt(0)!)) return "no";
  return matcher.canEnd ? "whole" : "beginning";
}

export function matches(source: string, root: string, text: string): boolean {
  return follows(source, root, text) === "whole";
}
