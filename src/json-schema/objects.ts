import type { Leaf } from "./alternatives.ts";
import type { Compiler } from "./compiler.ts";
import {
  choice,
  type Expression,
  emptyText,
  isNothing,
  nothing,
  optional,
  repeat,
  sequence,
  text,
} from "./expression.ts";
import { schemaLimits } from "./limits.ts";
import { ObjectShape } from "./object-shape.ts";
import { separated } from "./repetitions.ts";
import type { SchemaNode } from "./schema-document.ts";

/** A member with a name that the schema gives. */
interface Slot {
  readonly pair: Expression;
  readonly required: boolean;
}

interface Members {
  readonly slots: readonly Slot[];
  /** A member with any other name; `nothing` where there can be none. */
  readonly other: Expression;
  readonly hint: string;
}

/** An object that all leaves allow. */
export function objectExpression(compiler: Compiler, leaves: readonly Leaf[], hint: string): Expression {
  const nodes = leaves.map(({ node }) => node);
  const shape = new ObjectShape(compiler, leaves);
  const slots: Slot[] = [];
  for (const name of shape.named) {
    const pair = slotOf(compiler, shape, name, hint);
    const required = shape.required.has(name);
    if (isNothing(pair) && required) {
      const node = nodes.find((one) => compiler.keywords.names(one, "required").has(name))!;
      compiler.impossible(node, "required", `the property ${JSON.stringify(name)} can have no value`);
      return nothing;
    }
    if (!isNothing(pair)) slots.push({ pair, required });
  }
  const members = { slots, other: othersOf(compiler, shape, nodes, hint), hint };
  const { bracket } = compiler.space;
  const inside = counted(compiler, nodes, members) ?? uncounted(compiler, members);
  return sequence(text("{"), bracket, inside, text("}"));
}

function slotOf(compiler: Compiler, shape: ObjectShape, name: string, hint: string): Expression {
  if (!shape.allowsName(name)) return nothing;
  const value = compiler.value(shape.schemasOf(name), `${hint.replace(/object$/, "")}${name}`);
  if (isNothing(value)) return nothing;
  return sequence(text(`${JSON.stringify(name)}:`), compiler.space.colon, value);
}

function othersOf(
  compiler: Compiler,
  shape: ObjectShape,
  nodes: readonly SchemaNode[],
  hint: string,
): Expression {
  const pairs: Expression[] = [];
  for (const { names, schemas } of shape.otherNames()) {
    const value = compiler.value(schemas, `${hint.replace(/-?object$/, "")}-additional`);
    if (isNothing(value)) continue;
    const { terms, strings } = compiler;
    const name =
      names === terms.everything ? strings.anyString() : strings.written(names, nodes, `${hint}-name`);
    pairs.push(sequence(name, text(":"), compiler.space.colon, value));
  }
  return compiler.rules.named(`${hint}-member`, choice(...pairs));
}

/** Any subset of the members, in their order: as many rules as members. */
function uncounted(compiler: Compiler, { slots, other, hint }: Members): Expression {
  const { comma, bracket } = compiler.space;
  const behind = (pair: Expression) => sequence(text(","), comma, pair);
  const others = repeat(behind(other), 0, Number.POSITIVE_INFINITY);
  const first = slots.findIndex(({ required }) => required);
  if (first >= 0) {
    const parts = slots.map(({ pair, required }, index) => {
      if (index < first) return optional(sequence(pair, text(","), comma));
      if (index === first) return pair;
      return required ? behind(pair) : optional(behind(pair));
    });
    return sequence(...parts, others, bracket);
  }
  // The first member has no comma before it, whichever it is; each is followed by some of those behind it.
  const options: Expression[] = [sequence(other, others, bracket)];
  let tail = sequence(others, bracket);
  for (let index = slots.length - 1; index >= 0; index--) {
    const pair = compiler.rules.named(`${hint}-member`, slots[index]!.pair);
    options.unshift(sequence(pair, tail));
    if (index > 0) tail = compiler.rules.named(`${hint}-rest`, sequence(optional(behind(pair)), tail));
  }
  return optional(choice(...options));
}

/** Members of which so many are wanted; undefined where any number will do. */
function counted(compiler: Compiler, nodes: readonly SchemaNode[], members: Members): Expression | undefined {
  const { keywords } = compiler;
  const { slots, other } = members;
  const find = (keyword: string) => nodes.filter((node) => keywords.count(node, keyword) !== undefined);
  const [lower, upper] = [find("minProperties"), find("maxProperties")];
  const required = slots.filter((slot) => slot.required).length;
  const min = Math.max(0, ...lower.map((node) => keywords.count(node, "minProperties")!));
  const max = Math.min(
    Number.POSITIVE_INFINITY,
    ...upper.map((node) => keywords.count(node, "maxProperties")!),
  );
  const most = isNothing(other) ? slots.length : Number.POSITIVE_INFINITY;
  if (max < required || max < min || most < min) {
    compiler.impossible(
      (max < required ? upper[0] : lower[0])!,
      max < required ? "maxProperties" : "minProperties",
      "the number of properties cannot be right",
    );
    return nothing;
  }
  if (min <= required && max >= most) return undefined;
  if (!isNothing(other) && min > required + 1) {
    // The same name twice would count as two here, and as one to whoever reads it.
    compiler.refuse(
      lower[0]!,
      "minProperties",
      "above the number of required properties by two or more cannot be guaranteed where names are free",
    );
  }
  const width = max === Number.POSITIVE_INFINITY ? min : Math.min(max, most);
  if ((slots.length + 1) * (width + 1) > schemaLimits.countingRules && slots.length > 0) {
    throw keywords.error(
      (upper[0] ?? lower[0])!,
      upper[0] ? "maxProperties" : "minProperties",
      `over ${slots.length} properties needs more than ${schemaLimits.countingRules} rules`,
    );
  }
  return countedMembers(compiler, members, min, max);
}

/** Rules for what may follow when some members have come: one for each place and count. */
function countedMembers(compiler: Compiler, members: Members, min: number, max: number): Expression {
  const { slots, hint } = members;
  const unbounded = max === Number.POSITIVE_INFINITY;
  // Above what matters, counts are alike.
  const most = Math.min(slots.length, unbounded ? Math.max(1, min) : max);
  const counts = Array.from({ length: most + 1 }, (_, count) => count);
  // From the member at `index` on, for each count of those before it; from the last one on.
  let rest = counts.map((count) => othersBehind(compiler, members, min - count, max - count, count));
  for (let index = slots.length - 1; index >= 0; index--) {
    const { pair, required } = slots[index]!;
    const behind = rest;
    rest = counts.slice(0, index + 1).map((count) => {
      const next = unbounded ? Math.min(count + 1, most) : count + 1;
      const taken = count < max ? sequence(separator(compiler, count), pair, behind[next]!) : nothing;
      return compiler.rules.named(`${hint}-rest`, required ? taken : choice(taken, behind[count]!));
    });
  }
  return rest[0]!;
}

/** Members with other names, `min` to `max` of them, when `count` have come before. */
function othersBehind(
  { space }: Compiler,
  { other }: Members,
  min: number,
  max: number,
  count: number,
): Expression {
  const least = Math.max(0, min);
  const next = sequence(text(","), space.comma, other);
  if (count > 0) return sequence(repeat(next, least, max), space.bracket);
  const some = sequence(separated(other, next, Math.max(1, least), max), space.bracket);
  return least === 0 ? optional(max === 0 ? nothing : some) : some;
}

function separator({ space }: Compiler, count: number): Expression {
  return count === 0 ? emptyText : sequence(text(","), space.comma);
}
