import { LiteralAutomaton } from "../../../lib/literal-automaton.ts";
import type { ParametersStep } from "../format.ts";
import { MarkerScanner } from "../marker-scanner.ts";
import type { OpenCall } from "../open-call.ts";
import { bareToJson, escapeText, propertiesOf, valueKind } from "../value-kind.ts";
import { LiteralReader } from "./literal-reader.ts";
import type { Reader, Verdict } from "./reader.ts";

/**
 * Reads parameters between tags and writes them as one JSON object. Strings go out as they come; other values when they are
 * complete, since only then it is known whether they are the JSON that they should be.
 */
export class ParametersReader implements Reader {
  readonly #step: ParametersStep;
  readonly #call: OpenCall;
  #place: "between" | "key" | "middle" | "value-start" | "value" = "between";
  #tag: LiteralReader;
  #scanner: MarkerScanner | undefined;
  #middle = 0;
  #key = "";
  #value = "";
  #isStreamed = false;
  #isFirst = true;

  constructor(step: ParametersStep, call: OpenCall) {
    this.#step = step;
    this.#call = call;
    this.#tag = new LiteralReader(step.open, step.end);
  }

  read(unit: string): Verdict {
    switch (this.#place) {
      case "between":
        return this.#readTag(unit);
      case "key":
        this.#key += this.#scanner!.read(unit);
        if (this.#scanner!.marker !== undefined) this.#endKey();
        return "more";
      case "middle": {
        const verdict = this.#tag.read(unit);
        if (verdict === "done") this.#nextMiddle();
        return verdict === "done" ? "more" : verdict;
      }
      case "value-start":
        this.#beginValue();
        // The line end behind the tag is the tag's.
        if (unit === "\n" && this.#step.middle.at(-1)!.endsWith("\n")) return "more";
        return this.read(unit);
      case "value":
        this.#add(this.#scanner!.read(unit));
        if (this.#scanner!.marker !== undefined) this.#endValue();
        return "more";
    }
  }

  /** Where the end is missing, but no value is open, the object is whole. */
  finish(): void {
    if (this.#place === "between") this.#close();
  }

  #readTag(unit: string): Verdict {
    const verdict = this.#tag.read(unit);
    if (verdict !== "done") return verdict;
    if (this.#tag.found === 1) {
      this.#close();
      return "done";
    }
    this.#place = "key";
    this.#key = "";
    this.#middle = 0;
    this.#scanner = new MarkerScanner(new LiteralAutomaton([this.#step.middle[0]!.trim()]), "passed");
    return "more";
  }

  #endKey(): void {
    this.#key = this.#key.trim();
    this.#call.beginArguments();
    this.#call.arguments(`${this.#isFirst ? "{" : ", "}${JSON.stringify(this.#key)}: `);
    this.#isFirst = false;
    this.#nextMiddle();
  }

  #nextMiddle(): void {
    const literal = this.#step.middle[++this.#middle];
    this.#place = literal === undefined ? "value-start" : "middle";
    if (literal !== undefined) this.#tag = new LiteralReader(literal);
  }

  #beginValue(): void {
    const close = this.#step.close.trim();
    const closes = this.#step.close.startsWith("\n") ? [`\n${close}`, close] : [close];
    this.#scanner = new MarkerScanner(new LiteralAutomaton(closes), "passed");
    this.#value = "";
    this.#isStreamed = valueKind(this.#schema, this.#call.schema) === "text";
    if (this.#isStreamed) this.#call.arguments('"');
    this.#place = "value";
  }

  get #schema(): unknown {
    return propertiesOf(this.#call.schema).get(this.#key);
  }

  #add(text: string): void {
    if (this.#isStreamed) this.#call.arguments(escapeText(text));
    else this.#value += text;
  }

  #endValue(): void {
    this.#call.arguments(this.#isStreamed ? '"' : bareToJson(this.#value, this.#schema, this.#call.schema));
    this.#place = "between";
    this.#tag = new LiteralReader(this.#step.open, this.#step.end);
  }

  #close(): void {
    this.#call.beginArguments();
    this.#call.arguments(this.#isFirst ? "{}" : "}");
  }
}
