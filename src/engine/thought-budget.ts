/** How long a model may think, and what ends its thought. Texts are compared as bytes. */
export interface ThoughtLimit {
  /** Tokens of the thought, or of all thoughts together. */
  readonly tokens: number;
  /** What begins a thought. */
  readonly open: string;
  /** Whether the prompt has begun one. */
  readonly begun: boolean;
  /** Whether thoughts may begin anywhere in the text; else there is one at most, at its beginning. */
  readonly repeats: boolean;
  /** What ends it, where the model does. */
  readonly close: string;
  /** Tokens that are written where the budget is spent. */
  readonly end: readonly number[];
}

type State =
  /** Nothing but white space and what may be the beginning of a thought's marker has come. */
  | "before"
  | "inside"
  /** Inside, and its end is to be written. */
  | "ending"
  | "outside";

/** Tokens that a thought may still have to finish a character, so that its end does not cut one in two. */
const mostForCharacter = 3;

/** Follows a text, and says which tokens have to come once its thought has gone on for too long. */
export class ThoughtBudget {
  readonly #limit: ThoughtLimit;
  readonly #pieceOf: (token: number) => Uint8Array;
  readonly #open: string;
  readonly #close: string;
  #state: State;
  /** Bytes of the text, one as a character each: all before the thought, and as many of it as may hold a marker. */
  #text = "";
  #count = 0;
  /** Tokens of the end that have come. */
  #written = 0;

  /** @param pieceOf Bytes of a token, control tokens spelled out. */
  constructor(limit: ThoughtLimit, pieceOf: (token: number) => Uint8Array) {
    this.#limit = limit;
    this.#pieceOf = pieceOf;
    this.#open = bytesOf(limit.open);
    this.#close = bytesOf(limit.close);
    this.#state = limit.begun ? "inside" : "before";
    this.#spend();
  }

  /** The token that has to come next; undefined where any may. */
  get next(): number | undefined {
    return this.#state === "ending" ? this.#limit.end[this.#written] : undefined;
  }

  /** Moves past a token. */
  push(token: number): void {
    if (this.#state === "outside" && !this.#limit.repeats) return;
    const isDue = token === this.next;
    this.#text += String.fromCharCode(...this.#pieceOf(token));
    switch (this.#state) {
      case "before":
        this.#begin();
        break;
      case "outside":
        this.#seek();
        break;
      default:
        if (isDue) this.#write();
        else this.#goOn();
    }
  }

  #begin(): void {
    const text = this.#text.trimStart();
    if (text.startsWith(this.#open)) this.#enter(text.slice(this.#open.length));
    else if (!this.#open.startsWith(text)) this.#leave(text);
  }

  #seek(): void {
    const at = this.#text.indexOf(this.#open);
    if (at >= 0) this.#enter(this.#text.slice(at + this.#open.length));
    else this.#forget();
  }

  #write(): void {
    // What was forced is an end, whatever its text: a grammar may not know the marker.
    if (++this.#written >= this.#limit.end.length) this.#leave("");
  }

  /** One more token of the thought; also where a grammar forbade the end, which then begins anew. */
  #goOn(): void {
    this.#count++;
    this.#written = 0;
    this.#look();
  }

  #enter(text: string): void {
    this.#text = text;
    this.#state = "inside";
    this.#look();
  }

  /** Looks for the thought's own end. */
  #look(): void {
    const at = this.#text.indexOf(this.#close);
    if (at >= 0) {
      this.#leave(this.#text.slice(at + this.#close.length));
      return;
    }
    this.#spend();
    this.#forget();
  }

  #leave(text: string): void {
    this.#text = text;
    this.#state = "outside";
    if (this.#limit.repeats) this.#seek();
  }

  #spend(): void {
    const over = this.#count - this.#limit.tokens;
    if (this.#state !== "inside" || over < 0 || this.#limit.end.length === 0) return;
    if (over < mostForCharacter && endsWithinCharacter(this.#text)) return;
    this.#state = "ending";
    this.#written = 0;
  }

  #forget(): void {
    this.#text = this.#text.slice(-Math.max(this.#open.length, this.#close.length, 4));
  }
}

function bytesOf(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** Whether bytes of UTF-8, one as a character each, end within a character. */
function endsWithinCharacter(bytes: string): boolean {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes.charCodeAt(bytes.length - back);
    if (byte < 0x80) return false;
    // The first byte of a character tells how many there are.
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2);
  }
  return false;
}
