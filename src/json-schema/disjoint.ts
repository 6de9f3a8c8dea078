import type { Alternative } from "./alternatives.ts";
import type { Compiler } from "./compiler.ts";
import { typeBits } from "./keywords.ts";
import type { SchemaNode } from "./schema-document.ts";

/** Properties inside one another that are looked at. */
const depthLimit = 4;

/** For each schema, the others that may share values with it. */
export function overlapsOf(compiler: Compiler, schemas: readonly SchemaNode[]): readonly SchemaNode[][] {
  const overlaps: SchemaNode[][] = schemas.map(() => []);
  for (const [one, other] of doubtfulPairs(compiler, schemas)) {
    if (areDisjoint(compiler, schemas[one]!, schemas[other]!)) continue;
    overlaps[one]!.push(schemas[other]!);
    overlaps[other]!.push(schemas[one]!);
  }
  return overlaps;
}

/** Pairs of schemas that no list of values tells apart at once, such as that of a kind which all of them have. */
function doubtfulPairs(compiler: Compiler, schemas: readonly SchemaNode[]): [one: number, other: number][] {
  const keys = schemas.map((schema) => listedKeys(compiler, schema));
  const shared = [...keys[0]!.keys()].filter((place) => keys.every((own) => own.has(place)));
  let fewest: [number, number][] | undefined;
  for (const place of shared) {
    const pairs = pairsWithCommonKey(
      compiler,
      keys.map((own) => own.get(place)!),
    );
    if (!fewest || pairs.length < fewest.length) fewest = pairs;
  }
  if (fewest) return fewest;
  compiler.spend(schemas.length ** 2 / 2);
  return schemas.flatMap((_, one) =>
    schemas.slice(one + 1).map((__, at): [number, number] => [one, one + 1 + at]),
  );
}

function pairsWithCommonKey(compiler: Compiler, lists: readonly Iterable<string>[]): [number, number][] {
  const holders = new Map<string, number[]>();
  const pairs = new Map<number, [number, number]>();
  for (const [index, list] of lists.entries()) {
    for (const key of list) {
      const known = holders.get(key);
      compiler.spend(1 + (known?.length ?? 0));
      for (const other of known ?? []) pairs.set(other * lists.length + index, [other, index]);
      if (known) known.push(index);
      else holders.set(key, [index]);
    }
  }
  return [...pairs.values()];
}

/** Keys of the values that a schema lists for the whole, "", and for properties that it requires, by name. */
function listedKeys(compiler: Compiler, schema: SchemaNode): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, readonly string[]>();
  const { keywords } = compiler;
  const alternatives = compiler.alternativesOf(schema);
  const [only] = alternatives;
  if (!only || alternatives.length > 1) return keys;
  const add = (place: string, nodes: readonly SchemaNode[]) => {
    const values = nodes.map((node) => keywords.finite(node)?.values).find(Boolean);
    if (!values) return;
    compiler.spend(values.size);
    keys.set(place, [...values.keys()]);
  };
  const nodes = only.leaves.map(({ node }) => node);
  add("", nodes);
  if (only.types !== typeBits.object) return keys;
  for (const node of nodes) {
    for (const name of keywords.names(node, "required")) {
      const children = nodes.flatMap((one) => keywords.schemaMap(one, "properties").get(name) ?? []);
      compiler.spend(nodes.length);
      add(
        `/${name}`,
        children.length === 0 ? [] : (compiler.certain(children) ?? []).map((leaf) => leaf.node),
      );
    }
  }
  return keys;
}

/** Whether no value satisfies both schemas, by types, listed values, strings, and properties that must be there. */
function areDisjoint(compiler: Compiler, one: SchemaNode, other: SchemaNode, depth = 0): boolean {
  const [ours, theirs] = [compiler.alternativesOf(one), compiler.alternativesOf(other)];
  return ours.every((a) =>
    theirs.every((b) => {
      compiler.spend(15 + (a.leaves.length + b.leaves.length) * 3);
      return (
        (a.types & b.types) === 0 ||
        refusesListed(compiler, a, other) ||
        refusesListed(compiler, b, one) ||
        stringsDiffer(compiler, a, b, one, other) ||
        objectsDiffer(compiler, a, b, depth) ||
        objectsDiffer(compiler, b, a, depth)
      );
    }),
  );
}

function refusesListed(
  { keywords, instances }: Compiler,
  { leaves }: Alternative,
  other: SchemaNode,
): boolean {
  const finite = leaves.map(({ node }) => keywords.finite(node)).find(Boolean);
  if (!finite) return false;
  return ![...finite.values.values()].some(
    (value) =>
      instances.satisfies(other, value) && leaves.every(({ node }) => instances.satisfies(node, value)),
  );
}

function stringsDiffer(
  { strings, terms }: Compiler,
  a: Alternative,
  b: Alternative,
  one: SchemaNode,
  other: SchemaNode,
): boolean {
  if ((a.types & b.types) !== typeBits.string) return false;
  terms.spend(50);
  return !strings.isPossible(terms.intersection(strings.language([one]), strings.language([other])));
}

/** Whether a property that `a` requires has schemas that exclude each other, or is none that `b` allows. */
function objectsDiffer(compiler: Compiler, a: Alternative, b: Alternative, depth: number): boolean {
  if ((a.types & b.types) !== typeBits.object || depth >= depthLimit) return false;
  const { keywords } = compiler;
  const propertiesOf = ({ leaves }: Alternative, name: string) =>
    leaves.flatMap(({ node }) => keywords.schemaMap(node, "properties").get(name) ?? []);
  const required = new Set(a.leaves.flatMap(({ node }) => [...keywords.names(node, "required")]));
  compiler.spend(required.size * (5 + a.leaves.length + b.leaves.length));
  return [...required].some((name) => {
    const [mine, theirs] = [propertiesOf(a, name), propertiesOf(b, name)];
    const closed = b.leaves.some(
      ({ node }) =>
        keywords.value(node, "additionalProperties") === false &&
        keywords.value(node, "patternProperties") === undefined &&
        !keywords.schemaMap(node, "properties").has(name),
    );
    if (closed || theirs.some(({ schema }) => schema === false)) return true;
    return mine.some((x) => theirs.some((y) => areDisjoint(compiler, x, y, depth + 1)));
  });
}
