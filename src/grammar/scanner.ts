import { GrammarError } from "../../lib/errors.ts";

const escapes: Readonly<Record<string, number>> = {
  t: 9,
  r: 13,
  n: 10,
  "\\": 0x5c,
  '"': 0x22,
  "[": 0x5b,
  "]": 0x5d,
  "-": 0x2d,
};
const hexLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Reads GBNF source from left to right. Offsets are UTF-16 units. */
export class Scanner {
  readonly source: string;
  offset = 0;

  constructor(source: string) {
    this.source = source;
  }

  /** The character at the cursor; "" at the end. */
  get current(): string {
    return this.source[this.offset] ?? "";
  }

  get atEnd(): boolean {
    return this.offset >= this.source.length;
  }

  /** Steps over `text` if it is next. */
  take(text: string): boolean {
    if (!this.source.startsWith(text, this.offset)) return false;
    this.offset += text.length;
    return true;
  }

  /** Steps over `text`. @throws GrammarError where something else is next. */
  expect(text: string, what = `"${text}"`): void {
    if (!this.take(text)) throw this.error(`expected ${what}, found ${this.describe()}`);
  }

  /** Longest run of a class of characters at the cursor; "" for none. */
  run(isMember: (character: string) => boolean): string {
    const start = this.offset;
    while (!this.atEnd && isMember(this.current)) this.offset++;
    return this.source.slice(start, this.offset);
  }

  /** Skips blanks and comments, and line ends where they do not end a rule. */
  skipSpace({ newlines }: { newlines: boolean }): void {
    for (;;) {
      const { current } = this;
      if (current === "#") this.run((character) => character !== "\n" && character !== "\r");
      else if (current === " " || current === "\t") this.offset++;
      else if (newlines && (current === "\n" || current === "\r")) this.offset++;
      else return;
    }
  }

  /** One character of a literal or class, escapes included, as a code point. */
  codePoint(inside: string): number {
    if (this.atEnd) throw this.error(`expected the end of the ${inside}, found the end of the grammar`);
    if (this.current !== "\\") {
      const point = this.source.codePointAt(this.offset)!;
      this.offset += point > 0xffff ? 2 : 1;
      return point;
    }
    const name = this.source[this.offset + 1] ?? "";
    const plain = escapes[name];
    if (plain !== undefined) {
      this.offset += 2;
      return plain;
    }
    const length = hexLengths[name];
    if (length === undefined) {
      throw this.error(
        `unknown escape \\${name}; known are \\n \\r \\t \\\\ \\" \\[ \\] \\- \\xHH \\uHHHH \\UHHHHHHHH`,
      );
    }
    const digits = this.source.slice(this.offset + 2, this.offset + 2 + length);
    if (digits.length < length || !/^[0-9a-fA-F]+$/.test(digits)) {
      throw this.error(`expected ${length} hexadecimal digits after \\${name}`);
    }
    this.offset += 2 + length;
    return Number.parseInt(digits, 16);
  }

  /** What stands at the cursor, for messages. */
  describe(): string {
    if (this.atEnd) return "the end of the grammar";
    if (this.current === "\n" || this.current === "\r") return "the end of the line";
    return JSON.stringify(String.fromCodePoint(this.source.codePointAt(this.offset)!));
  }

  /** An error at the cursor, to be thrown. */
  error(message: string, offset = this.offset): GrammarError {
    return errorAt(this.source, offset, message);
  }
}

/** A {@link GrammarError} at an offset of the source. */
export function errorAt(source: string, offset: number, message: string): GrammarError {
  const lines = source.slice(0, offset).split(/\r\n|\r|\n/);
  const line = lines.length;
  const column = lines.at(-1)!.length + 1;
  return new GrammarError(`grammar, line ${line}, column ${column}: ${message}`, line, column);
}
