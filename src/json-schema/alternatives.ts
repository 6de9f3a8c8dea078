import { type Branchings, type BranchingsHost, circular } from "./branchings.ts";
import { JsonSchemaError } from "./json-schema-error.ts";
import { everyType, typeBits } from "./keywords.ts";
import { schemaLimits } from "./limits.ts";
import { excludedValues, isMade, isOpposite, type MadeSchema } from "./made-schema.ts";
import type { SchemaNode } from "./schema-document.ts";

/** The schemas that one was reached through without going into the value. */
interface Path {
  readonly node: SchemaNode;
  readonly up: Path | undefined;
  readonly length: number;
}

/** A schema whose own keywords hold in an alternative. */
export interface Leaf {
  readonly node: SchemaNode;
  /** The ways in which it was reached. */
  readonly paths: readonly Path[];
}

/** A way to satisfy schemas: all the leaves hold, and nothing else is asked. */
export interface Alternative {
  readonly leaves: readonly Leaf[];
  /** Bits of the types that all leaves allow. */
  readonly types: number;
}

/** Schemas one of which has to hold. */
interface Choice {
  readonly options: readonly SchemaNode[];
  readonly path: Path;
}

interface Progress {
  readonly pending: Path[];
  readonly leaves: Leaf[];
  readonly choices: Choice[];
  types: number;
}

export interface AlternativesHost extends BranchingsHost {
  /** Remembers why nothing satisfies what is being written. */
  impossible(node: SchemaNode, keyword: string, message: string): void;
}

/** Takes schemas apart into the ways in which all of them hold. */
export class Alternatives {
  readonly #host: AlternativesHost;
  readonly #branchings: Branchings;
  readonly #certain = new Map<SchemaNode, readonly Leaf[] | undefined>();

  constructor(host: AlternativesHost, branchings: Branchings) {
    this.#host = host;
    this.#branchings = branchings;
  }

  /** @throws JsonSchemaError where there are too many, or a schema refers to itself without a base. */
  of(nodes: readonly SchemaNode[]): Alternative[] {
    const found = new Map<string, Alternative>();
    const open: Progress[] = [startOf(nodes)];
    for (let progress = open.pop(); progress; progress = open.pop()) {
      const before = progress.leaves.length;
      if (!this.#settle(progress)) continue;
      if (before > 0 && !this.#isPossible(progress, before)) continue;
      const { leaves, choices, types } = progress;
      const next = choices[0];
      if (next) {
        for (const node of next.options.toReversed()) {
          this.#host.spend(5 + (leaves.length + choices.length) / 4);
          open.push({
            pending: [stepTo(node, next.path)],
            leaves: [...leaves],
            choices: choices.slice(1),
            types,
          });
        }
        continue;
      }
      const key = keyOf(leaves);
      if (!found.has(key)) found.set(key, { leaves, types });
      if (found.size > schemaLimits.alternatives) {
        throw new JsonSchemaError(
          nodes[0]!.pointer,
          undefined,
          `anyOf, oneOf, if and the like combine in more than ${schemaLimits.alternatives} ways; use fewer of them side by side`,
        );
      }
    }
    return [...found.values()];
  }

  /** Leaves that hold whichever way is chosen; undefined where nothing satisfies them together. */
  certain(nodes: readonly SchemaNode[]): readonly Leaf[] | undefined {
    const progress = startOf(nodes);
    return this.#settle(progress) ? progress.leaves : undefined;
  }

  /** Follows references and `allOf` until only leaves and choices are left. @returns false where nothing satisfies them. */
  #settle(progress: Progress): boolean {
    const { pending, leaves } = progress;
    for (let path = pending.pop(); path; path = pending.pop()) {
      const { node } = path;
      this.#host.spend(12 + (path.length + leaves.length) / 8);
      for (let at = path.up; at; at = at.up) if (at.node === node) throw circular(node);
      if (node.schema === true) continue;
      if (node.schema === false) {
        this.#host.impossible(node, "false", "the schema false allows nothing");
        return false;
      }
      const known = leaves.findIndex((leaf) => leaf.node === node);
      if (known >= 0) {
        leaves[known] = { node, paths: [...leaves[known]!.paths, path] };
        continue;
      }
      if (path.length > schemaLimits.references) throw tooFar(node);
      leaves.push({ node, paths: [path] });
      for (const child of this.#branchings.conjuncts(node).toReversed()) pending.push(stepTo(child, path));
      for (const options of this.#branchings.of(node)) {
        this.#host.spend(10);
        progress.choices.push({ options, path });
      }
      progress.types &= this.#host.keywords.types(node);
      if (progress.types === 0) {
        this.#host.impossible(node, "type", "no type is left");
        return false;
      }
    }
    return true;
  }

  /**
   * Leaves objects out where a property that has to be there can have none of the values that are listed for it: so that
   * conditions on one property, such as a kind, do not multiply.
   * @param from The first leaf that has not been looked at.
   * @returns false where no type is left.
   */
  #isPossible(progress: Progress, from: number): boolean {
    if ((progress.types & typeBits.object) === 0) return true;
    const { keywords } = this.#host;
    const named = new Set<string>();
    const nodes: SchemaNode[] = [];
    for (const [index, { node }] of progress.leaves.entries()) {
      const [required, properties] = [
        keywords.names(node, "required"),
        keywords.schemaMap(node, "properties"),
      ];
      if (required.size + properties.size > 0) nodes.push(node);
      if (index < from) continue;
      for (const name of required) named.add(name);
      for (const name of properties.keys()) named.add(name);
    }
    this.#host.spend(progress.leaves.length / 2 + named.size);
    for (const name of named) {
      this.#host.spend(2 + nodes.length / 2);
      const asking = nodes.find((node) => keywords.names(node, "required").has(name));
      if (!asking || this.#canHave(nodes, name)) continue;
      progress.types &= ~typeBits.object;
      this.#host.impossible(asking, "required", `the property ${JSON.stringify(name)} can have no value`);
      break;
    }
    return progress.types !== 0;
  }

  /** Whether some value is left for a property, as far as values are listed. */
  #canHave(nodes: readonly SchemaNode[], name: string): boolean {
    const { keywords } = this.#host;
    const children = nodes.flatMap((node) => keywords.schemaMap(node, "properties").get(name) ?? []);
    if (children.some(({ schema }) => schema === false)) return false;
    if (children.length < 2) return true;
    const lists: ReadonlyMap<string, unknown>[] = [];
    const excluded: ReadonlyMap<string, unknown>[] = [];
    for (const child of children) {
      const leaves = this.#certainOf(child);
      if (!leaves) return false;
      for (const { node } of leaves) {
        const [listed, refused] = [keywords.finite(node), (node.schema as MadeSchema)[excludedValues]];
        if (listed) lists.push(listed.values);
        if (refused) excluded.push(refused);
      }
      this.#host.spend(2 + leaves.length * 2);
    }
    const [shortest, ...others] = lists.sort((one, other) => one.size - other.size);
    for (const key of shortest?.keys() ?? []) {
      this.#host.spend(1 + (lists.length + excluded.length) / 8);
      if (others.every((list) => list.has(key)) && !excluded.some((list) => list.has(key))) return true;
    }
    return !shortest;
  }

  #certainOf(node: SchemaNode): readonly Leaf[] | undefined {
    if (!this.#certain.has(node)) this.#certain.set(node, this.certain([node]));
    return this.#certain.get(node);
  }
}

/** Leaves whose keywords count as evaluated for a schema: those that were reached from it, and not as an opposite. */
export function evaluatedFor(
  host: AlternativesHost,
  node: SchemaNode,
  leaves: readonly Leaf[],
): readonly Leaf[] {
  const reached = new Set([node]);
  // A leaf that was reached in several ways leads on in all of them, though what follows it knows but the first.
  for (let before = 0; before < reached.size; ) {
    before = reached.size;
    for (const leaf of leaves) {
      host.spend(1 + leaf.paths.length);
      if (leaf.paths.some((path) => leadsFrom(reached, path))) reached.add(leaf.node);
    }
  }
  return leaves.filter((leaf) => reached.has(leaf.node) && !isMade(leaf.node.schema));
}

function leadsFrom(reached: ReadonlySet<SchemaNode>, path: Path): boolean {
  for (let at: Path | undefined = path; at; at = at.up) {
    if (reached.has(at.node)) return true;
    if (isOpposite(at.node.schema)) return false;
  }
  return false;
}

function startOf(nodes: readonly SchemaNode[]): Progress {
  const pending = nodes.map((node) => stepTo(node, undefined)).reverse();
  return { pending, leaves: [], choices: [], types: everyType };
}

function stepTo(node: SchemaNode, up: Path | undefined): Path {
  return { node, up, length: up ? up.length + 1 : 0 };
}

function keyOf(leaves: readonly Leaf[]): string {
  return leaves
    .map(({ node }) => node.id)
    .sort((a, b) => a - b)
    .join();
}

function tooFar(node: SchemaNode): JsonSchemaError {
  return new JsonSchemaError(
    node.pointer,
    undefined,
    `more than ${schemaLimits.references} references follow one another; shorten the chain`,
  );
}
