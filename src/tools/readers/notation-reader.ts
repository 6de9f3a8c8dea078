import type { NotationStep } from "../format.ts";
import type { OpenCall } from "../open-call.ts";
import { propertiesOf, pythonWords } from "../value-kind.ts";
import { MarkedReader, QuotedReader } from "./quoted-reader.ts";
import { isSpace, type Reader, type Verdict } from "./reader.ts";

interface Container {
  readonly isObject: boolean;
  size: number;
}

/**
 * Reads arguments such as `(a="x", b=[1, True])` or `{a:<|"|>x<|"|>}` and writes them as JSON. Arguments without a name, as Python
 * allows, get the names of the schema's properties in their order.
 */
export class NotationReader implements Reader {
  readonly #step: NotationStep;
  readonly #call: OpenCall;
  readonly #containers: Container[] = [];
  #place: "open" | "item" | "value" | "word" | "string" | "after" = "open";
  /** Whether what is being read, or was just read, may still turn out to be a key. */
  #maybeKey = false;
  #word = "";
  #string: Reader | undefined;

  constructor(step: NotationStep, call: OpenCall) {
    this.#step = step;
    this.#call = call;
  }

  read(unit: string): Verdict {
    if (this.#place === "string") return this.#readString(unit);
    if (this.#place === "word") {
      if (!isSpace(unit) && !",:=()[]{}".includes(unit)) {
        this.#word += unit;
        return "more";
      }
      this.#place = "after";
    }
    if (isSpace(unit)) return "more";
    switch (this.#place) {
      case "open":
        if (unit !== this.#step.open) return "refused";
        this.#call.beginArguments();
        return this.#enter("object");
      case "item":
      case "value":
        return this.#beginItem(unit);
      default:
        return this.#follow(unit);
    }
  }

  get #container(): Container {
    return this.#containers.at(-1)!;
  }

  #enter(kind: "object" | "array"): Verdict {
    this.#containers.push({ isObject: kind === "object", size: 0 });
    this.#call.arguments(kind === "object" ? "{" : "[");
    this.#place = "item";
    return "more";
  }

  #leave(): Verdict {
    const { isObject } = this.#containers.pop()!;
    this.#call.arguments(isObject ? "}" : "]");
    this.#place = "after";
    this.#maybeKey = false;
    return this.#containers.length === 0 ? "done" : "more";
  }

  /** The begin of a key, or of a value. */
  #beginItem(unit: string): Verdict {
    if (")]}".includes(unit)) return this.#place === "item" ? this.#leave() : "refused";
    if (",:=".includes(unit)) return "refused";
    const isItem = this.#place === "item";
    const isBracket = "([{".includes(unit);
    const { strings } = this.#step;
    const isString = strings === "quotes" ? unit === '"' || unit === "'" : unit === strings.marker[0];
    if (isItem && this.#container.isObject) {
      // A call's own arguments have bare names in Python: a string there is a value.
      const isValue = isBracket || (isString && this.#containers.length === 1 && this.#step.assign === "=");
      this.#maybeKey = !isValue;
      if (isValue) this.#writeNextKey();
      else if (isString) this.#separate();
    } else {
      this.#maybeKey = false;
      if (isItem) this.#separate();
    }
    if (isBracket) return this.#enter(unit === "{" ? "object" : "array");
    if (!isString) {
      this.#word = unit;
      this.#place = "word";
      return "more";
    }
    this.#place = "string";
    this.#word = "";
    if (strings === "quotes") {
      this.#string = new QuotedReader(unit, this.#call);
      return "more";
    }
    this.#string = new MarkedReader(strings.marker, this.#call);
    return this.#string.read(unit);
  }

  #readString(unit: string): Verdict {
    const verdict = this.#string!.read(unit);
    if (verdict !== "done") return verdict;
    this.#place = "after";
    return "more";
  }

  /** What stands behind a key or a value. */
  #follow(unit: string): Verdict {
    if (unit === ":" || unit === "=") {
      if (!this.#maybeKey) return "refused";
      this.#maybeKey = false;
      if (this.#word !== "") this.#writeKey(this.#word);
      else this.#call.arguments(": ");
      this.#word = "";
      this.#place = "value";
      return "more";
    }
    const closes = ")]}".includes(unit);
    if (unit !== "," && !closes) return "refused";
    if (this.#word !== "") this.#writeWord();
    if (closes) return this.#leave();
    this.#place = "item";
    return "more";
  }

  #separate(): void {
    if (this.#container.size++ > 0) this.#call.arguments(", ");
  }

  #writeKey(key: string): void {
    this.#separate();
    this.#call.arguments(`${JSON.stringify(key)}: `);
  }

  /** A name for an argument that has none. */
  #writeNextKey(): void {
    const index = this.#container.size;
    const names = this.#containers.length === 1 ? [...propertiesOf(this.#call.schema).keys()] : [];
    this.#writeKey(names[index] ?? String(index));
  }

  #writeWord(): void {
    if (this.#maybeKey) this.#writeNextKey();
    this.#maybeKey = false;
    this.#call.arguments(wordToJson(this.#word));
    this.#word = "";
  }
}

function wordToJson(word: string): string {
  const known = pythonWords.get(word);
  if (known !== undefined) return known;
  try {
    JSON.parse(word);
    return word;
  } catch {
    const number = Number(word.replaceAll("_", ""));
    return Number.isFinite(number) ? String(number) : JSON.stringify(word);
  }
}
