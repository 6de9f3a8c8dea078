import { LiteralAutomaton } from "../../../lib/literal-automaton.ts";
import type { ParametersStep } from "../format.ts";
import { MarkerScanner } from "../marker-scanner.ts";
import type { OpenCall } from "../open-call.ts";
import { propertiesOf, valueKind } from "../value-kind.ts";
import { BareValueReader } from "./bare-value-reader.ts";
import { LiteralReader } from "./literal-reader.ts";
import type { Reader, Verdict } from "./reader.ts";

/** Reads parameters between tags and writes them as one JSON object. */
export class ParametersReader implements Reader {
  readonly #step: ParametersStep;
  readonly #call: OpenCall;
  #place: "between" | "key" | "middle" | "type" | "value" = "between";
  #tag: LiteralReader;
  #scanner: MarkerScanner | undefined;
  #middle = 0;
  #key = "";
  #value: BareValueReader | undefined;
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
      case "type": {
        const verdict = this.#tag.read(unit);
        if (verdict === "done") this.#beginValue(this.#tag.found === 0 ? "string" : "any");
        return verdict === "done" ? "more" : verdict;
      }
      case "value": {
        const verdict = this.#value!.read(unit);
        if (verdict !== "done") return verdict;
        this.#place = "between";
        this.#tag = new LiteralReader(this.#step.open, this.#step.end);
        return "more";
      }
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
    const { middle, typed } = this.#step;
    const literal = middle[++this.#middle];
    if (literal !== undefined) {
      this.#place = "middle";
      this.#tag = new LiteralReader(literal);
    } else if (typed) {
      this.#place = "type";
      this.#tag = new LiteralReader(typed.string, typed.other);
    } else this.#beginValue("any");
  }

  #beginValue(type: "string" | "any"): void {
    const schema = propertiesOf(this.#call.schema).get(this.#key);
    // Where the schema leaves it open, the tag decides.
    const isString = type === "string" && valueKind(schema, this.#call.schema) === "either";
    this.#value = new BareValueReader(this.#step, isString ? { type: "string" } : schema, this.#call);
    this.#place = "value";
  }

  #close(): void {
    this.#call.beginArguments();
    this.#call.arguments(this.#isFirst ? "{}" : "}");
  }
}
