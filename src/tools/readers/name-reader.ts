import type { OpenCall } from "../open-call.ts";
import { LiteralReader } from "./literal-reader.ts";
import { isNameUnit, isSpace, type Reader, type Verdict } from "./reader.ts";

/** Reads a function's name that stands by itself. */
export class NameReader implements Reader {
  readonly #call: OpenCall;
  #name = "";

  constructor(call: OpenCall) {
    this.#call = call;
  }

  read(unit: string): Verdict {
    if (isNameUnit(unit)) {
      this.#name += unit;
      return "more";
    }
    if (this.#name === "") return isSpace(unit) ? "more" : "refused";
    return this.#call.name(this.#name) ? "before" : "refused";
  }
}

/** Reads an id between two literals, or the second literal alone. */
export class IdReader implements Reader {
  readonly #call: OpenCall;
  readonly #start: LiteralReader;
  readonly #close: LiteralReader;
  #state: "start" | "id" | "close" = "start";
  #id = "";

  constructor(call: OpenCall, open: string, close: string) {
    this.#call = call;
    this.#start = new LiteralReader(open, close);
    this.#close = new LiteralReader(close);
    if (open === "") this.#state = "id";
  }

  read(unit: string): Verdict {
    if (this.#state === "start") {
      const verdict = this.#start.read(unit);
      if (verdict !== "done") return verdict;
      if (this.#start.found === 1) return this.#end();
      this.#state = "id";
      return "more";
    }
    if (this.#state === "id" && isNameUnit(unit)) {
      this.#id += unit;
      return "more";
    }
    this.#state = "close";
    const verdict = this.#close.read(unit);
    return verdict === "done" ? this.#end() : verdict;
  }

  #end(): Verdict {
    this.#call.id(this.#id);
    return "done";
  }
}
