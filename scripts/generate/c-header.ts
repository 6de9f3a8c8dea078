import { spell, splitAtCommas, statements, tokenizeHeader } from "./c-tokens.ts";

export interface CFunction {
  readonly name: string;
  readonly returns: readonly string[];
  /** Type tokens of each parameter, its name included. */
  readonly params: readonly (readonly string[])[];
  readonly declaration: string;
}

/** A field, or a union of fields that share their place. */
export type CField = { readonly tokens: readonly string[] } | { readonly union: readonly CField[] };

/** What headers declare, deprecated functions left out. */
export class CHeaders {
  readonly functions = new Map<string, CFunction>();
  readonly enums = new Map<string, Map<string, number>>();
  readonly structs = new Map<string, readonly CField[]>();
  /** Names given to other types: the tokens of that type, or "pointer". */
  readonly typedefs = new Map<string, readonly string[] | "pointer">();
  readonly constants = new Map<string, number>();

  add(source: string): void {
    const { tokens, defines } = tokenizeHeader(source);
    for (const [name, value] of defines) {
      const number = this.#evaluate([value.replace(/(\d)[uUlL]+$/, "$1")], new Map());
      if (number !== undefined) this.constants.set(name, number);
    }
    for (const statement of statements(tokens)) this.#statement(statement);
  }

  #statement(all: readonly string[]): void {
    if (all.some((token) => token === "DEPRECATED" || token === "GGML_DEPRECATED")) return;
    const tokens = all.filter(
      (token) => !/^(LLAMA_API|GGML_API|GGML_BACKEND_API|GGML_CALL|extern|static|inline)$/.test(token),
    );
    if (tokens[0] === "typedef") this.#typedef(tokens.slice(1));
    else if (tokens.includes("{")) this.#definition(tokens);
    else this.#function(tokens);
  }

  #typedef(tokens: readonly string[]): void {
    const name = tokens.at(-1) as string;
    const pointer = tokens.indexOf("(");
    if (pointer >= 0 && tokens[pointer + 1] === "*") {
      this.typedefs.set(tokens[pointer + 2] as string, "pointer");
    } else if (tokens.includes("{")) {
      const tag = this.#definition(tokens.slice(0, tokens.lastIndexOf("}") + 1), name);
      if (tag) this.typedefs.set(name, [tokens[0] as string, tag]);
    } else {
      this.typedefs.set(name, tokens.includes("*") ? "pointer" : tokens.slice(0, -1));
    }
  }

  /** @returns the tag, which for an anonymous type is the name of its typedef. */
  #definition(tokens: readonly string[], alias?: string): string | undefined {
    const open = tokens.indexOf("{");
    const tag = open === 2 ? tokens[1] : alias;
    const body = tokens.slice(open + 1, tokens.lastIndexOf("}"));
    if (tag === undefined) return undefined;
    if (tokens[0] === "enum") this.enums.set(tag, this.#enumerators(body));
    else if (tokens[0] === "struct") this.structs.set(tag, fieldsOf(body));
    return tag;
  }

  #enumerators(body: readonly string[]): Map<string, number> {
    const values = new Map<string, number>();
    let next = 0;
    for (const [name, ...rest] of splitAtCommas(body) as [string, ...string[]][]) {
      const value = rest.length > 0 ? this.#evaluate(rest.slice(1), values) : next;
      if (value === undefined) throw new Error(`cannot evaluate enumerator ${spell([name, ...rest])}`);
      values.set(name, value);
      next = value + 1;
    }
    return values;
  }

  /** Value of a constant expression of integers, names, shifts and sums. */
  #evaluate(tokens: readonly string[], names: ReadonlyMap<string, number>): number | undefined {
    const known = tokens.map((token) => names.get(token) ?? this.constants.get(token) ?? token);
    const text = known.join(" ");
    if (!/^[-\s\dxa-fA-F<>|+()]+$/.test(text) || !/\d/.test(text)) return undefined;
    const value: unknown = new Function(`return (${text})`)();
    return Number.isInteger(value) ? (value as number) : undefined;
  }

  #function(tokens: readonly string[]): void {
    const open = tokens.indexOf("(");
    if (open < 2 || tokens.at(-1) !== ")") return;
    const name = tokens[open - 1] as string;
    const inner = tokens.slice(open + 1, -1);
    const params = inner.length === 1 && inner[0] === "void" ? [] : splitAtCommas(inner);
    this.functions.set(name, {
      name,
      returns: tokens.slice(0, open - 1),
      params,
      declaration: `${spell(tokens)};`,
    });
  }
}

function fieldsOf(body: readonly string[]): CField[] {
  return statements([...body]).map((tokens) => {
    if (tokens[0] !== "union") return { tokens };
    return { union: fieldsOf(tokens.slice(tokens.indexOf("{") + 1, tokens.lastIndexOf("}"))) };
  });
}
