import { decodeFragment, pointed, pointerNames, pointerStep } from "../../lib/json-pointer.ts";
import { JsonSchemaError } from "./json-schema-error.ts";
import { isObject, type JsonObject, member } from "./json-value.ts";
import { isMade } from "./made-schema.ts";

export type Draft = "draft-07" | "2019-09" | "2020-12";

/** A subschema, and where it stands. */
export interface SchemaNode {
  /** The same for the same subschema object. */
  readonly id: number;
  readonly schema: boolean | JsonObject;
  /** JSON pointer to it; that of where it is needed, for a schema that was made. */
  readonly pointer: string;
  /** URI that references inside are relative to. */
  readonly base: string;
}

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const applicators: Readonly<Record<string, "schema" | "list" | "map">> = {
  additionalProperties: "schema",
  propertyNames: "schema",
  items: "schema",
  additionalItems: "schema",
  contains: "schema",
  not: "schema",
  if: "schema",
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON schema.
  then: "schema",
  else: "schema",
  unevaluatedProperties: "schema",
  unevaluatedItems: "schema",
  allOf: "list",
  anyOf: "list",
  oneOf: "list",
  prefixItems: "list",
  properties: "map",
  patternProperties: "map",
  dependentSchemas: "map",
  dependencies: "map",
  definitions: "map",
  $defs: "map",
};

const noBase = "schema://document/";
const drafts: readonly (readonly [RegExp, Draft])[] = [
  [/^https?:\/\/json-schema\.org\/draft-07\/schema#?$/, "draft-07"],
  [/^https?:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, "2019-09"],
  [/^https?:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, "2020-12"],
];

/** The subschemas of one schema, and what its references mean. */
export class SchemaDocument {
  readonly root: SchemaNode;
  /** What `$schema` says; undefined where it is missing, and both kinds of `items` are taken. */
  readonly draft: Draft | undefined;
  readonly #nodes = new Map<JsonObject, SchemaNode>();
  /** Roots of resources by their URI, and anchors by URI and fragment. */
  readonly #targets = new Map<string, SchemaNode>();
  readonly #resources = new Map<string, SchemaNode>();
  readonly #resolved = new Map<string, SchemaNode>();
  #lastId = 0;

  constructor(schema: unknown) {
    if (typeof schema !== "boolean" && !isObject(schema)) {
      throw new JsonSchemaError("", undefined, `a schema is an object or a boolean, got ${typeOf(schema)}`);
    }
    this.draft = draftOf(schema);
    this.root = this.#register(schema, "", noBase);
    this.#resources.set(noBase, this.root);
    this.#scan();
  }

  /** Whether more schemas than the whole have an `$id`. */
  get hasSeveralResources(): boolean {
    return [...this.#resources.values()].some((node) => node !== this.root);
  }

  /** The node of a schema written under a keyword. @throws JsonSchemaError where it is no schema. */
  node(parent: SchemaNode, schema: unknown, ...steps: readonly (string | number)[]): SchemaNode {
    const known = typeof schema === "object" && schema !== null && this.#nodes.get(schema as JsonObject);
    if (known) return known;
    const pointer = isMade(parent.schema) ? parent.pointer : parent.pointer + steps.map(pointerStep).join("");
    if (typeof schema !== "boolean" && !isObject(schema)) {
      throw new JsonSchemaError(
        pointer,
        String(steps[0]),
        `a schema is an object or a boolean, got ${typeOf(schema)}`,
      );
    }
    return this.#register(schema, pointer, parent.base);
  }

  #register(schema: boolean | JsonObject, pointer: string, base: string): SchemaNode {
    if (typeof schema === "boolean") return { id: this.#lastId++, schema, pointer, base };
    let node = this.#nodes.get(schema);
    if (!node) {
      node = { id: this.#lastId++, schema, pointer, base: this.#baseOf(schema, base) };
      this.#nodes.set(schema, node);
      this.#name(node, schema, base);
    }
    return node;
  }

  #baseOf(schema: JsonObject, base: string): string {
    const id = member(schema, "$id");
    // In draft 7 the keywords beside $ref mean nothing.
    if (
      typeof id !== "string" ||
      id.startsWith("#") ||
      (this.draft === "draft-07" && Object.hasOwn(schema, "$ref"))
    )
      return base;
    return absolute(id, base)?.split("#")[0] ?? base;
  }

  #name(node: SchemaNode, schema: JsonObject, outer: string): void {
    if (node.base !== outer) this.#resources.set(node.base, node);
    const id = member(schema, "$id");
    const names = [member(schema, "$anchor"), member(schema, "$dynamicAnchor")];
    if (typeof id === "string" && id.startsWith("#")) names.push(id.slice(1));
    for (const name of names) if (typeof name === "string") this.#targets.set(`${node.base}#${name}`, node);
  }

  /** Registers all subschemas that stand where a schema is expected, so that `$id` and `$anchor` are known. */
  #scan(): void {
    const queue = [this.root];
    const seen = new Set<SchemaNode>();
    const add = (parent: SchemaNode, schema: unknown, ...steps: (string | number)[]) => {
      if (typeof schema === "boolean" || isObject(schema)) queue.push(this.node(parent, schema, ...steps));
    };
    for (let node = queue.pop(); node; node = queue.pop()) {
      if (typeof node.schema === "boolean" || seen.has(node)) continue;
      seen.add(node);
      for (const [keyword, value] of Object.entries(node.schema)) {
        const form = Object.hasOwn(applicators, keyword) ? applicators[keyword] : undefined;
        if (form === undefined) continue;
        if (Array.isArray(value))
          for (const [index, item] of value.entries()) add(node, item, keyword, index);
        else if (form === "schema") add(node, value, keyword);
        else if (form === "map" && isObject(value)) {
          for (const [name, item] of Object.entries(value)) add(node, item, keyword, name);
        }
      }
    }
  }

  /** What a reference in `node` means. @throws JsonSchemaError where that is not in this document. */
  resolve(node: SchemaNode, keyword: string, reference: string): SchemaNode {
    const fail = (why: string) =>
      new JsonSchemaError(
        node.pointer + pointerStep(keyword),
        keyword,
        `${keyword} ${JSON.stringify(reference)} ${why}`,
      );
    const uri = absolute(reference, node.base);
    if (uri === undefined) throw fail("is no URI reference");
    let found = this.#resolved.get(uri);
    if (!found) {
      found = this.#find(uri, fail);
      this.#resolved.set(uri, found);
    }
    return found;
  }

  #find(uri: string, fail: (why: string) => JsonSchemaError): SchemaNode {
    const [resource = "", fragment = ""] = uri.split("#");
    const root = this.#resources.get(resource);
    if (!root) throw fail("leads out of the schema, and nothing is fetched; put the target into $defs");
    const decoded = decodeFragment(fragment);
    if (decoded === undefined) throw fail("has a wrong %-escape");
    if (decoded === "") return root;
    if (!decoded.startsWith("/")) {
      const target = this.#targets.get(`${resource}#${decoded}`);
      if (!target) throw fail("names an anchor that no schema has");
      return target;
    }
    return this.#follow(root, decoded, fail);
  }

  #follow(root: SchemaNode, path: string, fail: (why: string) => JsonSchemaError): SchemaNode {
    let value: unknown = root.schema;
    let { pointer, base } = root;
    for (const name of pointerNames(path)) {
      if (isObject(value)) base = this.#nodes.get(value)?.base ?? base;
      value = pointed(value, name);
      if (value === undefined) throw fail(`finds nothing at ${JSON.stringify(name)}`);
      pointer += pointerStep(name);
    }
    if (typeof value !== "boolean" && !isObject(value))
      throw fail(`leads to ${typeOf(value)}, which is no schema`);
    return this.#register(value, pointer, base);
  }
}

function absolute(reference: string, base: string): string | undefined {
  // References inside a document need no URL parser, which would escape their fragments.
  if (reference.startsWith("#")) return base.split("#")[0] + reference;
  try {
    return new URL(reference, base).href;
  } catch {
    // A base such as urn:uuid:… has no relative references.
    return undefined;
  }
}

function draftOf(schema: boolean | JsonObject): Draft | undefined {
  const uri = typeof schema === "boolean" ? undefined : member(schema, "$schema");
  if (uri === undefined) return undefined;
  const found = drafts.find(([pattern]) => typeof uri === "string" && pattern.test(uri));
  if (!found) {
    throw new JsonSchemaError(
      "/$schema",
      "$schema",
      `${JSON.stringify(uri)} is not known; use draft-07, 2019-09 or 2020-12, or leave it out`,
    );
  }
  return found[1];
}

/** A value's JSON type, for messages. */
export function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : typeof value;
}
