import { LiteralAutomaton } from "../../../lib/literal-automaton.ts";
import type { ParametersStep } from "../format.ts";
import { MarkerScanner } from "../marker-scanner.ts";
import type { OpenCall } from "../open-call.ts";
import { bareToJson, escapeText, type Schema, type ValueKind, valueKind } from "../value-kind.ts";
import { JsonScanner } from "./json-reader.ts";
import { LiteralReader } from "./literal-reader.ts";
import { isSpace, type Reader, type Verdict } from "./reader.ts";

/**
 * Reads a parameter's value and the tag that closes it, and writes the value as JSON. Strings, objects and arrays go out as they
 * come; other values when they are complete, since only then it is known whether they are the JSON that they should be.
 */
export class BareValueReader implements Reader {
  readonly #schema: Schema;
  readonly #call: OpenCall;
  readonly #kind: ValueKind;
  readonly #text: MarkerScanner;
  readonly #json = new JsonScanner();
  readonly #close: LiteralReader;
  #place: "line-end" | "start" | "text" | "json" | "close";
  #value = "";

  constructor(step: ParametersStep, schema: Schema, call: OpenCall) {
    this.#schema = schema;
    this.#call = call;
    this.#kind = valueKind(schema, call.schema);
    const close = step.close.trim();
    this.#close = new LiteralReader(close);
    const closes = step.close.startsWith("\n") ? [`\n${close}`, close] : [close];
    this.#text = new MarkerScanner(new LiteralAutomaton(closes), "passed");
    this.#place = step.middle.at(-1)!.endsWith("\n") ? "line-end" : "start";
    if (this.#kind === "text") call.arguments('"');
  }

  read(unit: string): Verdict {
    switch (this.#place) {
      case "line-end":
        // The line end behind the tag is the tag's.
        this.#place = "start";
        return unit === "\n" ? "more" : this.read(unit);
      case "start":
        if (this.#kind === "json" && isSpace(unit)) return "more";
        // Such a value tells its end itself, and may hold the tag inside a string.
        this.#place = this.#kind === "json" && (unit === "{" || unit === "[") ? "json" : "text";
        return this.read(unit);
      case "text":
        return this.#readText(unit);
      case "json":
        return this.#readJson(unit);
      case "close":
        return this.#close.read(unit);
    }
  }

  #readText(unit: string): Verdict {
    const text = this.#text.read(unit);
    const isEnd = this.#text.marker !== undefined;
    if (this.#kind === "text") {
      this.#call.arguments(escapeText(text));
      if (isEnd) this.#call.arguments('"');
    } else {
      this.#value += text;
      if (isEnd) this.#call.arguments(bareToJson(this.#value, this.#schema, this.#call.schema));
    }
    return isEnd ? "done" : "more";
  }

  #readJson(unit: string): Verdict {
    const verdict = this.#json.read(unit);
    if (verdict === "more" || verdict === "done") this.#call.arguments(unit);
    if (verdict === "more") return "more";
    this.#place = "close";
    return verdict === "done" ? "more" : this.read(unit);
  }
}
