import type { OpenCall } from "../open-call.ts";
import { isSpace, type Reader, type Verdict } from "./reader.ts";

/** Follows one JSON value of any kind to its end, without minding whether it is right inside. */
export class JsonScanner implements Reader {
  #depth = 0;
  #place: "start" | "scalar" | "string" | "escape" | "inside" = "start";

  read(unit: string): Verdict {
    if (this.#place === "escape") this.#place = "string";
    else if (this.#place === "string") {
      if (unit === "\\") this.#place = "escape";
      else if (unit === '"') {
        this.#place = "inside";
        return this.#depth === 0 ? "done" : "more";
      }
    } else if (unit === '"' && this.#place !== "scalar") this.#place = "string";
    else if (this.#place === "start" && isSpace(unit)) return "more";
    // No JSON has these outside its strings, but markers begin with them: the value is broken and over.
    else if (unit === "<" || unit === "`") return this.#place === "start" ? "refused" : "before";
    else if (unit === "{" || unit === "[") {
      if (this.#place === "scalar") return "before";
      this.#depth++;
      this.#place = "inside";
    } else if (unit === "}" || unit === "]") {
      if (this.#depth === 0) return this.#place === "start" ? "refused" : "before";
      return --this.#depth === 0 ? "done" : "more";
    } else if (this.#depth === 0) {
      if (isSpace(unit) || unit === ",") return this.#place === "start" ? "refused" : "before";
      this.#place = "scalar";
    }
    return "more";
  }
}

const simpleEscapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f" };

/** Reads a JSON string whose content is JSON text again, as some models write arguments, and passes the content on. */
class EncodedReader implements Reader {
  readonly #call: OpenCall;
  #escape: string | undefined;

  constructor(call: OpenCall) {
    this.#call = call;
  }

  read(unit: string): Verdict {
    if (this.#escape === undefined) {
      if (unit === '"') return "done";
      if (unit === "\\") this.#escape = "";
      else this.#call.arguments(unit);
      return "more";
    }
    this.#escape += unit;
    if (this.#escape[0] !== "u") this.#call.arguments(simpleEscapes[unit] ?? unit);
    else if (this.#escape.length < 5) return "more";
    else {
      const code = Number.parseInt(this.#escape.slice(1), 16);
      // What is not ASCII stands in a string of the content, where the escape is as good and never half a character.
      this.#call.arguments(code < 0x80 ? String.fromCharCode(code) : `\\${this.#escape}`);
    }
    this.#escape = undefined;
    return "more";
  }
}

/** What arguments may be: an object, or also nothing in the shape of `null`, which is left out. */
export type ArgumentsPlace = "step" | "member";

/** Passes arguments on as the model writes them, without white space around. */
export class ArgumentsReader implements Reader {
  readonly #call: OpenCall;
  readonly #place: ArgumentsPlace;
  #reader: Reader | undefined;
  #isPassed = false;

  constructor(call: OpenCall, place: ArgumentsPlace) {
    this.#call = call;
    this.#place = place;
  }

  read(unit: string): Verdict {
    if (!this.#reader) {
      if (isSpace(unit)) return "more";
      if (unit === '"') {
        this.#call.beginArguments();
        this.#reader = new EncodedReader(this.#call);
        return "more";
      }
      this.#isPassed = unit === "{" || unit === "[";
      if (!this.#isPassed && this.#place === "step") return "refused";
      this.#call.beginArguments();
      this.#reader = new JsonScanner();
    }
    const verdict = this.#reader.read(unit);
    if (this.#isPassed && (verdict === "more" || verdict === "done")) this.#call.arguments(unit);
    return verdict;
  }
}
