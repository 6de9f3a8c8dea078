import type { ToolFormat } from "../tools/format.ts";
import type { Vocab } from "../vocab.ts";

const known = new WeakMap<Vocab, readonly { readonly token: number; readonly text: string }[]>();

/** Control tokens of a vocabulary with their texts; found once, which takes about 0.1 µs a token. */
function controlTokens(vocab: Vocab) {
  let tokens = known.get(vocab);
  if (!tokens) {
    const decoder = new TextDecoder();
    tokens = Array.from({ length: vocab.size }, (_, token) => token)
      .filter((token) => vocab.isControl(token))
      .map((token) => ({ token, text: decoder.decode(vocab.pieceBytes(token, { special: true })) }));
    known.set(vocab, tokens);
  }
  return tokens;
}

/** The control tokens that a format's markers are made of: in the text of an answer they have to show. */
export function shownTokens(vocab: Vocab, format: ToolFormat): ReadonlySet<number> {
  const markers = textsOf(format);
  const shown = controlTokens(vocab).filter(
    ({ text }) => text !== "" && markers.some((marker) => marker.includes(text)),
  );
  return new Set(shown.map(({ token }) => token));
}

/** All texts in a description. */
function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}
