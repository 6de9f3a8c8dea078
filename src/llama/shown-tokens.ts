import type { ToolFormat } from "../tools/format.ts";
import type { Vocab } from "../vocab.ts";

interface KnownTokens {
  /** Control tokens with their texts; found once, which takes about 0.1 µs a token of the vocabulary. */
  readonly control: readonly { readonly token: number; readonly text: string }[];
  readonly shown: Map<ToolFormat, ReadonlySet<number>>;
}

const known = new WeakMap<Vocab, KnownTokens>();

function tokensOf(vocab: Vocab): KnownTokens {
  let tokens = known.get(vocab);
  if (!tokens) {
    const decoder = new TextDecoder();
    const control = Array.from({ length: vocab.size }, (_, token) => token)
      .filter((token) => vocab.isControl(token))
      .map((token) => ({ token, text: decoder.decode(vocab.pieceBytes(token, { special: true })) }));
    tokens = { control, shown: new Map() };
    known.set(vocab, tokens);
  }
  return tokens;
}

/** The control tokens that a format's markers are made of: in the text of an answer they have to show. */
export function shownTokens(vocab: Vocab, format: ToolFormat): ReadonlySet<number> {
  const { control, shown } = tokensOf(vocab);
  let tokens = shown.get(format);
  if (!tokens) {
    const markers = markersOf(format);
    const own = control.filter(({ text }) => text !== "" && markers.some((marker) => marker.includes(text)));
    tokens = new Set(own.map(({ token }) => token));
    shown.set(format, tokens);
  }
  return tokens;
}

/** All texts in a description, but for those that only tell which templates it is for. */
function markersOf({ name: _, templates: __, without: ___, ...description }: ToolFormat): string[] {
  return textsOf(description);
}

function textsOf(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsOf);
}
