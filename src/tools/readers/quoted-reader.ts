import { LiteralAutomaton } from "../../../lib/literal-automaton.ts";
import { MarkerScanner } from "../marker-scanner.ts";
import type { OpenCall } from "../open-call.ts";
import { escapeText, escapeUnit } from "../value-kind.ts";
import type { Reader, Verdict } from "./reader.ts";

const simpleEscapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  b: "\b",
  f: "\f",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "/": "/",
  "\n": "",
};
const hexLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Reads a string behind its opening quote, with the escapes of Python and JSON, and writes it as JSON. */
export class QuotedReader implements Reader {
  readonly #quote: string;
  readonly #call: OpenCall;
  #escape: string | undefined;

  constructor(quote: string, call: OpenCall) {
    this.#quote = quote;
    this.#call = call;
    call.arguments('"');
  }

  read(unit: string): Verdict {
    if (this.#escape !== undefined) return this.#readEscape(unit);
    if (unit === "\\") {
      this.#escape = "";
      return "more";
    }
    this.#call.arguments(unit === this.#quote ? '"' : escapeUnit(unit));
    return unit === this.#quote ? "done" : "more";
  }

  #readEscape(unit: string): Verdict {
    this.#escape += unit;
    const written = this.#escape as string;
    const digits = hexLengths[written[0]!];
    if (digits === undefined) {
      const plain = simpleEscapes[written];
      // Python keeps the backslash of an escape that it does not know.
      this.#call.arguments(plain === undefined ? `\\\\${escapeUnit(written)}` : escapeText(plain));
    } else if (written.length <= digits) return "more";
    else this.#call.arguments(hexEscape(written.slice(1)));
    this.#escape = undefined;
    return "more";
  }
}

/** An escape of JSON; never a bare half of a character, which a stream cannot carry. */
function hexEscape(digits: string): string {
  const code = Number.parseInt(digits, 16);
  if (Number.isNaN(code) || code > 0x10ffff) return "\\ufffd";
  if (code > 0xffff) return String.fromCodePoint(code);
  return code < 0x80 ? escapeUnit(String.fromCharCode(code)) : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** Reads a string between two markers, the first included, and writes it as JSON. */
export class MarkedReader implements Reader {
  readonly #marker: string;
  readonly #call: OpenCall;
  #matched = 0;
  #scanner: MarkerScanner | undefined;

  constructor(marker: string, call: OpenCall) {
    this.#marker = marker;
    this.#call = call;
  }

  read(unit: string): Verdict {
    if (!this.#scanner) {
      if (this.#marker[this.#matched] !== unit) return "refused";
      if (++this.#matched === this.#marker.length) {
        this.#scanner = new MarkerScanner(new LiteralAutomaton([this.#marker]), "passed");
        this.#call.arguments('"');
      }
      return "more";
    }
    this.#call.arguments(escapeText(this.#scanner.read(unit)));
    if (this.#scanner.marker === undefined) return "more";
    this.#call.arguments('"');
    return "done";
  }
}
