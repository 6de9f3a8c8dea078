/** How long a model may think, and what ends its thought. Texts are compared as bytes. */
export interface ThoughtLimit {
  /** Tokens of the thought. */
  readonly tokens: number;
  /** What begins a thought; empty where the prompt has begun it. */
  readonly open: string;
  /** What ends it, where the model does. */
  readonly close: string;
  /** Tokens that are written where the budget is spent. */
  readonly end: readonly number[];
}

type State =
  /** The text may be the beginning of a thought's marker. */
  "before" | "inside" | "ending" | "over";

/** Follows a text, and says which tokens have to come once its thought has gone on for too long. */
export class ThoughtBudget {
  readonly #limit: ThoughtLimit;
  readonly #pieceOf: (token: number) => Uint8Array;
  readonly #open: string;
  readonly #close: string;
  #state: State;
  /** Bytes of the text, one as a character each: all before the thought, and as many of it as may hold its end. */
  #text = "";
  #count = 0;
  #written = 0;

  /** @param pieceOf Bytes of a token, control tokens spelled out. */
  constructor(limit: ThoughtLimit, pieceOf: (token: number) => Uint8Array) {
    this.#limit = limit;
    this.#pieceOf = pieceOf;
    this.#open = bytesOf(limit.open);
    this.#close = bytesOf(limit.close);
    this.#state = limit.open === "" ? "inside" : "before";
    this.#spend();
  }

  /** The token that has to come next; undefined where any may. */
  get next(): number | undefined {
    return this.#state === "ending" ? this.#limit.end[this.#written] : undefined;
  }

  /** Moves past a token. */
  push(token: number): void {
    if (this.#state === "over") return;
    if (this.#state === "ending") {
      if (++this.#written >= this.#limit.end.length) this.#state = "over";
      return;
    }
    this.#text += String.fromCharCode(...this.#pieceOf(token));
    if (this.#state === "before") this.#begin();
    else this.#go();
  }

  #begin(): void {
    const text = this.#text.trimStart();
    if (text.startsWith(this.#open)) {
      this.#text = text.slice(this.#open.length);
      this.#state = "inside";
      this.#spend();
    } else if (!this.#open.startsWith(text)) this.#state = "over";
  }

  #go(): void {
    this.#count++;
    if (this.#text.includes(this.#close)) this.#state = "over";
    else {
      this.#text = this.#text.slice(-this.#close.length);
      this.#spend();
    }
  }

  #spend(): void {
    if (this.#state === "inside" && this.#count >= this.#limit.tokens)
      this.#state = this.#limit.end.length > 0 ? "ending" : "over";
  }
}

function bytesOf(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}
