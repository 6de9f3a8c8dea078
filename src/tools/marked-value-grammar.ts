import { literal } from "../grammar/spelling.ts";
import { type ListItem, listRules, textRules } from "./gbnf.ts";
import {
  choicesOf,
  itemsOf,
  propertiesOf,
  requiredOf,
  resolve,
  type Schema,
  typesOf,
  valuesOf,
} from "./value-kind.ts";

/** How deep a schema is followed; below it any value may stand. */
const depthLimit = 6;

/**
 * Rules for one value of a schema in a notation that is JSON but for its strings, which stand between markers, and its keys, which
 * are bare. Types, values, items and properties are kept to; patterns and bounds are not.
 */
export function markedValueRules(name: string, schema: Schema, root: Schema, marker: string): string {
  const rules = new Map<string, string>();
  new MarkedValueGrammar(root, marker, rules).add(name, schema, name, 0);
  return [...rules.values()].join("\n");
}

class MarkedValueGrammar {
  readonly #root: Schema;
  readonly #marker: string;
  readonly #rules: Map<string, string>;

  constructor(root: Schema, marker: string, rules: Map<string, string>) {
    this.#root = root;
    this.#marker = marker;
    this.#rules = rules;
  }

  /** @param prefix Name of the rule that everything here begins with. */
  add(name: string, schema: Schema, prefix: string, depth: number): void {
    const at = resolve(schema, this.#root);
    const values = valuesOf(at);
    const choices = choicesOf(at);
    let alternatives: string[];
    if (depth > depthLimit) alternatives = [this.#any(prefix)];
    else if (values?.every((value) => this.#canWrite(value))) {
      alternatives = values.map((value) => literal(this.#write(value)));
    } else if (choices) {
      alternatives = choices.map((choice, index) => this.#child(`${name}-${index}`, choice, prefix, depth));
    } else {
      alternatives = [...typesOf(at, this.#root)].map((type) => this.#type(name, type, at, prefix, depth));
    }
    this.#rules.set(name, `${name} ::= ${alternatives.join(" | ")}`);
  }

  #child(name: string, schema: Schema, prefix: string, depth: number): string {
    this.add(name, schema, prefix, depth + 1);
    return name;
  }

  #canWrite(value: unknown): boolean {
    return typeof value === "string"
      ? !value.includes(this.#marker)
      : typeof value !== "object" || value === null;
  }

  #write(value: unknown): string {
    return typeof value === "string" ? this.#marker + value + this.#marker : JSON.stringify(value);
  }

  #type(name: string, type: string, schema: Schema, prefix: string, depth: number): string {
    if (type === "object") return this.#object(`${name}-object`, schema, prefix, depth);
    if (type === "array") {
      const item = this.#child(`${name}-item`, itemsOf(schema), prefix, depth);
      return `"[" (${item} ("," ${item})*)? "]"`;
    }
    return this.#scalar(type, prefix);
  }

  #scalar(type: string, prefix: string): string {
    if (type === "string") {
      const until = `${prefix}-string`;
      this.#rules.set(until, textRules(until, { until: this.#marker }));
      return `${literal(this.#marker)} ${until}`;
    }
    if (type === "integer") return `"-"? ("0" | [1-9] [0-9]{0,15})`;
    if (type === "number") return `"-"? ("0" | [1-9] [0-9]{0,15}) ("." [0-9]{1,15})?`;
    return type === "boolean" ? `("true" | "false")` : `"null"`;
  }

  #object(name: string, schema: Schema, prefix: string, depth: number): string {
    const properties = [...propertiesOf(schema)].filter(([key]) => /^[a-zA-Z0-9_-]+$/.test(key));
    if (properties.length === 0) return this.#anyObject(prefix);
    const required = requiredOf(schema);
    const items = properties.map(([key, property], index): ListItem => {
      const value = this.#child(`${name}-${index}`, property, prefix, depth);
      return { source: `${literal(`${key}:`)} ${value}`, isRequired: required.has(key) };
    });
    this.#rules.set(`${name}-list`, listRules(`${name}-list`, items, ","));
    return `"{" ${name}-list "}"`;
  }

  #anyObject(prefix: string): string {
    const any = this.#any(prefix);
    const member = `[a-zA-Z_] [a-zA-Z0-9_-]{0,63} ":" ${any}`;
    return `"{" (${member} ("," ${member})*)? "}"`;
  }

  #any(prefix: string): string {
    const any = `${prefix}-any`;
    if (!this.#rules.has(any)) {
      this.#rules.set(any, "");
      const scalars = ["string", "number", "boolean", "null"].map((type) => this.#scalar(type, prefix));
      const array = `"[" (${any} ("," ${any})*)? "]"`;
      this.#rules.set(any, `${any} ::= ${[...scalars, this.#anyObject(prefix), array].join(" | ")}`);
    }
    return any;
  }
}
