import type { ObjectStep } from "../format.ts";
import type { OpenCall } from "../open-call.ts";
import { ArgumentsReader, JsonScanner } from "./json-reader.ts";
import { isSpace, type Reader, type Verdict } from "./reader.ts";

type Role = "name" | "arguments" | "id" | "other";

/** Reads a call written as a JSON object with the name under one key and the arguments under another, in any order. */
export class ObjectReader implements Reader {
  readonly #step: ObjectStep;
  readonly #call: OpenCall;
  #place: "open" | "key-or-end" | "key" | "colon" | "value" | "string" | "nested" | "after" = "open";
  #depth = 0;
  #text = "";
  #key = "";
  #role: Role = "other";
  #nested: Reader | undefined;
  #hasArguments = false;

  constructor(step: ObjectStep, call: OpenCall) {
    this.#step = step;
    this.#call = call;
  }

  read(unit: string): Verdict {
    switch (this.#place) {
      case "key":
        return unit === '"' ? this.#endKey() : this.#collect(unit);
      case "string":
        return unit === '"' ? this.#endString() : this.#collect(unit);
      case "nested":
        return this.#readNested(unit);
    }
    if (isSpace(unit)) return "more";
    switch (this.#place) {
      case "open":
        return unit === "{" ? this.#descend() : "refused";
      case "key-or-end":
        if (unit === "}") return this.#ascend();
        if (unit !== '"') return "refused";
        return this.#go("key");
      case "colon":
        return unit === ":" ? this.#go("value") : "refused";
      case "value":
        return this.#beginValue(unit);
      case "after":
        if (unit === ",") return this.#go("key-or-end");
        return unit === "}" ? this.#ascend() : "refused";
    }
  }

  #go(place: "key" | "key-or-end" | "colon" | "value" | "string" | "after"): Verdict {
    this.#place = place;
    this.#text = "";
    return "more";
  }

  #collect(unit: string): Verdict {
    this.#text += unit;
    return "more";
  }

  #descend(): Verdict {
    this.#depth++;
    return this.#go("key-or-end");
  }

  #ascend(): Verdict {
    this.#depth--;
    if (this.#depth > 0) return this.#go("after");
    return this.#call.isCommitted ? "done" : "refused";
  }

  #endKey(): Verdict {
    const { name, arguments: given, id, counter, wrapper, others = [] } = this.#step;
    const key = this.#text;
    if (name.includes(key)) this.#role = "name";
    else if (given.includes(key)) this.#role = "arguments";
    else if (key === id) this.#role = "id";
    else this.#role = "other";
    const isKnown = this.#role !== "other" || key === wrapper || key === counter || others.includes(key);
    // Behind the arguments it is a call, whatever else stands there.
    if (!isKnown && !(this.#call.isCommitted && this.#hasArguments)) return "refused";
    this.#key = key;
    return this.#go("colon");
  }

  #beginValue(unit: string): Verdict {
    if (unit === "{" && this.#key === this.#step.wrapper) return this.#descend();
    if (this.#role === "name") return unit === '"' ? this.#go("string") : "refused";
    if (this.#role === "id" && unit === '"') return this.#go("string");
    if (this.#role === "arguments" && !this.#hasArguments) {
      this.#hasArguments = true;
      this.#nested = new ArgumentsReader(this.#call, "member");
    } else this.#nested = new JsonScanner();
    this.#place = "nested";
    return this.#readNested(unit);
  }

  #readNested(unit: string): Verdict {
    const verdict = this.#nested!.read(unit);
    if (verdict === "more" || verdict === "refused") return verdict;
    this.#go("after");
    return verdict === "done" ? "more" : this.read(unit);
  }

  #endString(): Verdict {
    const text = this.#text;
    if (this.#role === "id") this.#call.id(text);
    else if (!this.#call.name(text)) return "refused";
    return this.#go("after");
  }
}
