import { JsonSchemaError, pointerStep } from "./json-schema-error.ts";
import { everyType, type Keywords, madeOf } from "./keywords.ts";
import { schemaLimits } from "./limits.ts";
import { having, type Negations, NoNegation, not } from "./negation.ts";
import type { SchemaNode } from "./schema-document.ts";

/** The schemas that one was reached through without going into the value. */
interface Path {
  readonly node: SchemaNode;
  readonly up: Path | undefined;
}

/** A schema whose own keywords hold in an alternative. */
export interface Leaf {
  readonly node: SchemaNode;
  readonly path: Path;
}

/** A way to satisfy schemas: all the leaves hold, and nothing else is asked. */
export interface Alternative {
  readonly leaves: readonly Leaf[];
  /** Bits of the types that all leaves allow. */
  readonly types: number;
}

/** Schemas one of which has to hold. */
interface Branching {
  readonly options: readonly SchemaNode[];
  readonly path: Path;
}

interface Progress {
  readonly pending: { node: SchemaNode; up: Path | undefined }[];
  readonly leaves: Leaf[];
  readonly branchings: Branching[];
  types: number;
}

export interface AlternativesHost {
  readonly keywords: Keywords;
  readonly negations: Negations;
  spend(steps: number): void;
  /** Throws where the mode is strict, and reports where it is lenient. */
  refuse(node: SchemaNode, keyword: string, message: string): void;
  report(node: SchemaNode, keyword: string, message: string): void;
  /** Remembers why nothing satisfies what is being written. */
  impossible(node: SchemaNode, keyword: string, message: string): void;
  /** Whether no value satisfies both schemas, as far as is seen at once. */
  areDisjoint(one: SchemaNode, other: SchemaNode): boolean;
}

/** Takes schemas apart into the ways in which all of them hold. */
export class Alternatives {
  readonly #host: AlternativesHost;
  /** Schemas made here, so that the same place gives the same node. */
  readonly #kept = new Map<string, readonly SchemaNode[]>();
  readonly #compared = new Set<SchemaNode>();
  readonly #checked = new Set<SchemaNode>();

  constructor(host: AlternativesHost) {
    this.#host = host;
  }

  /** @throws JsonSchemaError where there are too many, or a schema refers to itself without a base. */
  of(nodes: readonly SchemaNode[]): Alternative[] {
    const found = new Map<string, Alternative>();
    const start = nodes.map((node) => ({ node, up: undefined })).reverse();
    this.#expand({ pending: start, leaves: [], branchings: [], types: everyType }, (alternative) => {
      const key = alternative.leaves
        .map(({ node }) => node.id)
        .sort((a, b) => a - b)
        .join();
      if (!found.has(key)) found.set(key, alternative);
      if (found.size > schemaLimits.alternatives) {
        throw new JsonSchemaError(
          nodes[0]!.pointer,
          undefined,
          `anyOf, oneOf, if and the like combine in more than ${schemaLimits.alternatives} ways; use fewer of them side by side`,
        );
      }
    });
    return [...found.values()];
  }

  /** @throws JsonSchemaError where a schema leads back to itself without going into the value, or far on. */
  checkCircles(node: SchemaNode, open: Set<SchemaNode> = new Set()): void {
    if (this.#checked.has(node)) return;
    if (open.has(node)) throw circular(node);
    if (open.size > schemaLimits.references) {
      throw new JsonSchemaError(
        node.pointer,
        undefined,
        `more than ${schemaLimits.references} references follow one another; shorten the chain`,
      );
    }
    open.add(node);
    const options = this.#branchings(node, { node, up: undefined }).flatMap((branching) => branching.options);
    for (const child of [...this.#conjuncts(node), ...options]) this.checkCircles(child, open);
    open.delete(node);
    this.#checked.add(node);
  }

  /** Leaves that hold whichever way is chosen. */
  certain(nodes: readonly SchemaNode[]): readonly Leaf[] {
    const progress: Progress = {
      pending: nodes.map((node) => ({ node, up: undefined })),
      leaves: [],
      branchings: [],
      types: everyType,
    };
    return this.#settle(progress) ? progress.leaves : [];
  }

  #expand(progress: Progress, found: (alternative: Alternative) => void): void {
    if (!this.#settle(progress)) return;
    const { leaves, branchings, types } = progress;
    const [next, ...rest] = branchings;
    if (!next) {
      found({ leaves, types });
      return;
    }
    for (const node of next.options) {
      this.#host.spend(1 + leaves.length);
      this.#expand(
        { pending: [{ node, up: next.path }], leaves: [...leaves], branchings: [...rest], types },
        found,
      );
    }
  }

  /** Follows references and `allOf` until only leaves and branchings are left. @returns false where nothing satisfies them. */
  #settle(progress: Progress): boolean {
    for (let next = progress.pending.pop(); next; next = progress.pending.pop()) {
      const { node, up } = next;
      this.#host.spend(1);
      for (let at = up; at; at = at.up) if (at.node === node) throw circular(node);
      if (node.schema === true) continue;
      if (node.schema === false) {
        this.#host.impossible(node, "false", "the schema false allows nothing");
        return false;
      }
      this.#host.spend(progress.leaves.length / 4);
      if (progress.leaves.some((leaf) => leaf.node === node)) continue;
      const path: Path = { node, up };
      const all = this.#conjuncts(node);
      for (const child of all.reverse()) progress.pending.push({ node: child, up: path });
      progress.branchings.push(...this.#branchings(node, path));
      progress.leaves.push({ node, path });
      progress.types &= this.#host.keywords.types(node);
      if (progress.types === 0) {
        this.#host.impossible(node, "type", "no type is left");
        return false;
      }
    }
    return true;
  }

  /** Schemas that have to hold together with a schema's own keywords. */
  #conjuncts(node: SchemaNode): SchemaNode[] {
    const { keywords, negations } = this.#host;
    const all: SchemaNode[] = [];
    for (const keyword of ["$ref", "$dynamicRef", "$recursiveRef"]) {
      const reference = keywords.string(node, keyword);
      if (reference === undefined) continue;
      if (keyword !== "$ref" && keywords.document.resourceCount > 1) {
        this.#host.refuse(
          node,
          keyword,
          `depends on who refers to whom in a schema with several $id; use $ref`,
        );
      } else all.push(keywords.document.resolve(node, keyword, reference));
    }
    all.push(...(keywords.schemaList(node, "allOf") ?? []));
    const negated = keywords.schema(node, "not");
    if (negated) {
      const negation = this.#tried(node, "not", () => negations.of(negated));
      if (negation !== undefined) all.push(keywords.document.node(node, negation, "not"));
    }
    return all;
  }

  /** A negation; undefined where there is none and the mode lets that pass. */
  #tried<T>(node: SchemaNode, keyword: string, negate: () => T): T | undefined {
    try {
      return negate();
    } catch (error) {
      if (!(error instanceof NoNegation)) throw error;
      this.#host.refuse(node, keyword, `cannot be expressed: ${error.message}`);
      return undefined;
    }
  }

  #branchings(node: SchemaNode, path: Path): Branching[] {
    const { keywords } = this.#host;
    const branchings: Branching[] = [];
    const add = (options: readonly SchemaNode[] | undefined) => {
      if (options) branchings.push({ options, path });
    };
    add(keywords.schemaList(node, "anyOf"));
    add(this.#exclusive(node));
    add(this.#condition(node));
    for (const [name, others] of keywords.map(node, "dependentRequired")) {
      add(
        this.#dependent(
          node,
          "dependentRequired",
          name,
          this.#required(node, "dependentRequired", name, others),
        ),
      );
    }
    for (const [name, child] of keywords.schemaMap(node, "dependentSchemas")) {
      add(this.#dependent(node, "dependentSchemas", name, child));
    }
    for (const [name, value] of keywords.map(node, "dependencies")) {
      const child = Array.isArray(value)
        ? this.#required(node, "dependencies", name, value)
        : keywords.document.node(node, value, "dependencies", name);
      add(this.#dependent(node, "dependencies", name, child));
    }
    return branchings;
  }

  #made(node: SchemaNode, schema: unknown, ...steps: string[]): SchemaNode {
    return this.#host.keywords.document.node(node, schema, ...steps);
  }

  #once(node: SchemaNode, key: string, make: () => readonly SchemaNode[]): readonly SchemaNode[] {
    const whole = `${node.id} ${key}`;
    let options = this.#kept.get(whole);
    if (!options) {
      options = make();
      this.#kept.set(whole, options);
    }
    return options;
  }

  #required(node: SchemaNode, keyword: string, name: string, others: unknown): SchemaNode {
    if (!Array.isArray(others) || !others.every((other) => typeof other === "string")) {
      throw new JsonSchemaError(
        node.pointer + pointerStep(keyword) + pointerStep(name),
        keyword,
        `${keyword} must list names`,
      );
    }
    return this.#once(node, `${keyword} required ${name}`, () => [
      this.#made(node, having(...others), keyword, name),
    ])[0]!;
  }

  #dependent(node: SchemaNode, keyword: string, name: string, then: SchemaNode): readonly SchemaNode[] {
    return this.#once(node, `${keyword} ${name}`, () => [
      this.#made(node, madeOf({ allOf: [not(having(name))] }), keyword, name),
      this.#made(node, madeOf({ allOf: [having(name), then.schema] }), keyword, name),
    ]);
  }

  #condition(node: SchemaNode): readonly SchemaNode[] | undefined {
    const { keywords } = this.#host;
    const condition = keywords.schema(node, "if");
    const [yes, no] = [keywords.schema(node, "then"), keywords.schema(node, "else")];
    if (!condition || (!yes && !no)) return undefined;
    return this.#once(node, "if", () => {
      const negation = this.#tried(node, "if", () => this.#host.negations.of(condition));
      if (negation === undefined) return [this.#made(node, true, "if")];
      return [
        this.#made(node, madeOf({ allOf: [condition.schema, yes?.schema ?? true] }), "then"),
        this.#made(node, madeOf({ allOf: [negation, no?.schema ?? true] }), "else"),
      ];
    });
  }

  /** The options of `oneOf`, each without the values of the others where they overlap and that can be said. */
  #exclusive(node: SchemaNode): readonly SchemaNode[] | undefined {
    const { keywords, negations } = this.#host;
    const options = keywords.schemaList(node, "oneOf");
    if (!options) return undefined;
    // A schema that comes up again while its options are compared is circular, and found to be so further down.
    if (this.#compared.has(node)) return options;
    this.#compared.add(node);
    const exclusive = this.#once(node, "oneOf", () => {
      const overlaps: SchemaNode[][] = options.map(() => []);
      for (const [index, one] of options.entries()) {
        for (const [at, other] of options.entries()) {
          if (at <= index || this.#host.areDisjoint(one, other)) continue;
          overlaps[index]!.push(other);
          overlaps[at]!.push(one);
        }
      }
      if (overlaps.every((list) => list.length === 0)) return options;
      try {
        return options.map((option, index) => {
          if (overlaps[index]!.length === 0) return option;
          for (const other of overlaps[index]!) negations.check(other);
          const others = overlaps[index]!.map(({ schema }) => not(schema));
          return this.#made(node, madeOf({ allOf: [option.schema, ...others] }), "oneOf", String(index));
        });
      } catch (error) {
        if (!(error instanceof NoNegation)) throw error;
        this.#host.report(
          node,
          "oneOf",
          `is treated as anyOf, since its schemas may overlap and ${error.message}; a value may satisfy several`,
        );
        return options;
      }
    });
    this.#compared.delete(node);
    return exclusive;
  }
}

function circular(node: SchemaNode): JsonSchemaError {
  return new JsonSchemaError(
    node.pointer,
    undefined,
    "the schema refers to itself without going into the value, so that it never ends; " +
      "put the reference under properties or items",
  );
}
