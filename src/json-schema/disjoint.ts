import type { Alternative } from "./alternatives.ts";
import type { Compiler } from "./compiler.ts";
import { typeBits } from "./keywords.ts";
import type { SchemaNode } from "./schema-document.ts";

/** Properties inside one another that are looked at. */
const depthLimit = 4;

/** Whether no value satisfies both schemas, by types, listed values, strings, and properties that must be there. */
export function areDisjoint(compiler: Compiler, one: SchemaNode, other: SchemaNode, depth = 0): boolean {
  const [ours, theirs] = [compiler.alternativesOf(one), compiler.alternativesOf(other)];
  return ours.every((a) =>
    theirs.every((b) => {
      compiler.spend(1);
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
  return !finite.values.some(
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
  return !strings.isPossible(terms.intersection(strings.language([one]), strings.language([other])));
}

/** Whether a property that `a` requires has schemas that exclude each other, or is none that `b` allows. */
function objectsDiffer(compiler: Compiler, a: Alternative, b: Alternative, depth: number): boolean {
  if ((a.types & b.types) !== typeBits.object || depth >= depthLimit) return false;
  const { keywords } = compiler;
  const properties = ({ leaves }: Alternative) =>
    leaves.flatMap(({ node }) => keywords.schemaMap(node, "properties"));
  const required = new Set(a.leaves.flatMap(({ node }) => keywords.names(node, "required")));
  return [...required].some((name) => {
    const mine = properties(a).filter(([own]) => own === name);
    const theirs = properties(b).filter(([own]) => own === name);
    const closed = b.leaves.some(
      ({ node }) =>
        keywords.value(node, "additionalProperties") === false &&
        keywords.value(node, "patternProperties") === undefined &&
        !keywords.map(node, "properties").some(([own]) => own === name),
    );
    if (closed || theirs.some(([, { schema }]) => schema === false)) return true;
    return mine.some(([, x]) => theirs.some(([, y]) => areDisjoint(compiler, x, y, depth + 1)));
  });
}
