import type { Leaf } from "./alternatives.ts";
import { ArrayShape } from "./array-shape.ts";
import type { Compiler } from "./compiler.ts";
import {
  choice,
  type Expression,
  emptyText,
  nothing,
  optional,
  repeat,
  rule,
  sequence,
  text,
} from "./expression.ts";
import { jsonText } from "./json-value.ts";
import { schemaLimits } from "./limits.ts";
import { separated } from "./repetitions.ts";

/** Depth of what is written inside one another before a rule of its own is begun. */
const inlineDepth = 16;

/** An array that all leaves allow. */
export function arrayExpression(compiler: Compiler, leaves: readonly Leaf[], hint: string): Expression {
  const shape = new ArrayShape(compiler, leaves);
  if (shape.max < shape.min) {
    const node = leaves.find((leaf) => compiler.keywords.count(leaf.node, "minItems") !== undefined);
    if (node) compiler.impossible(node.node, "minItems", "the array cannot have so many items");
    return nothing;
  }
  const inside =
    containing(compiler, shape, hint) ?? distinct(compiler, shape, hint) ?? plain(compiler, shape, hint);
  return sequence(text("["), compiler.space.bracket, inside, text("]"));
}

function plain(compiler: Compiler, shape: ArrayShape, hint: string): Expression {
  const { comma, bracket } = compiler.space;
  const { min, max, prefixLength } = shape;
  const item = (index: number) => compiler.value(shape.schemasAt(index), `${hint}-item`);
  const behind = (expression: Expression) => sequence(text(","), comma, expression);
  if (max === 0) return emptyText;
  const fixed = Math.min(prefixLength, max);
  if (fixed === 0) {
    const some = sequence(separated(item(0), behind(item(0)), Math.max(1, min), max), bracket);
    return min === 0 ? optional(some) : some;
  }
  let tail = repeat(max > fixed ? behind(item(fixed)) : nothing, Math.max(0, min - fixed), max - fixed);
  tail = sequence(tail, bracket);
  for (let index = fixed - 1; index >= 0; index--) {
    const here = sequence(index === 0 ? item(0) : behind(item(index)), tail);
    // What follows an item that is left out is left out too, but for the space before the bracket.
    tail = index < min ? here : index === 0 ? optional(here) : choice(here, bracket);
    if (index % inlineDepth === inlineDepth - 1) tail = compiler.rules.named(`${hint}-rest`, tail);
  }
  return tail;
}

/** Items of which some satisfy `contains`; undefined where that is not asked. */
function containing(compiler: Compiler, shape: ArrayShape, hint: string): Expression | undefined {
  const { contains } = shape;
  if (!contains) return undefined;
  if (contains.max < contains.min) {
    compiler.impossible(contains.node, "maxContains", "is below minContains");
    return nothing;
  }
  const { comma, bracket } = compiler.space;
  const bounded = shape.max !== Number.POSITIVE_INFINITY;
  const length = bounded ? shape.max : Math.max(shape.prefixLength, shape.min, 1);
  const matches = contains.max === Number.POSITIVE_INFINITY ? contains.min : contains.max;
  if ((length + 1) * (matches + 1) > schemaLimits.countingRules) {
    throw compiler.keywords.error(
      contains.node,
      "contains",
      `needs more than ${schemaLimits.countingRules} rules for so many items`,
    );
  }
  // A rule for what may follow from the item at `index` on, when `count` of those before it have matched; above what
  // matters, indices and counts are alike.
  const names = new Map<string, string>();
  const places: { index: number; count: number }[] = [];
  for (let index = 0; index <= length; index++) {
    const most = bounded || index < length ? Math.min(index, matches) : matches;
    for (let count = 0; count <= most; count++) {
      names.set(`${index},${count}`, compiler.rules.freshName(`${hint}-rest`));
      places.push({ index, count });
    }
  }
  const rest = (index: number, count: number) => rule(names.get(`${index},${count}`)!);
  for (const { index, count } of places) {
    const next = bounded ? index + 1 : Math.min(index + 1, length);
    const behind = (item: Expression) => (index === 0 ? item : sequence(text(","), comma, item));
    const schemas = shape.schemasAt(index);
    const options: Expression[] = [];
    if (index >= shape.min && count >= contains.min) options.push(index === 0 ? emptyText : bracket);
    if (index < shape.max) {
      if (count < matches) {
        const item = compiler.value([...schemas, contains.schema], `${hint}-contained`);
        options.push(sequence(behind(item), rest(next, count + 1)));
      }
      const others = contains.negation ? [...schemas, contains.negation] : schemas;
      options.push(sequence(behind(compiler.value(others, `${hint}-item`)), rest(next, count)));
    }
    compiler.rules.define(names.get(`${index},${count}`)!, choice(...options));
  }
  return rest(0, 0);
}

/** Items that are all different, where there are few values for them; undefined where that is not asked. */
function distinct(compiler: Compiler, shape: ArrayShape, hint: string): Expression | undefined {
  const values = shape.distinctValues;
  if (!values) return undefined;
  const { comma, bracket } = compiler.space;
  const known = new Map<number, Expression>();
  const at = (used: number, count: number): Expression => {
    let expression = known.get(used);
    if (expression) return expression;
    const options: Expression[] = count >= shape.min ? [count === 0 ? emptyText : bracket] : [];
    for (const [index, value] of count < shape.max ? values.entries() : []) {
      if (used & (1 << index)) continue;
      const item = text(jsonText(value));
      options.push(
        sequence(
          count === 0 ? emptyText : sequence(text(","), comma),
          item,
          at(used | (1 << index), count + 1),
        ),
      );
    }
    expression = compiler.rules.named(`${hint}-rest`, choice(...options));
    known.set(used, expression);
    return expression;
  };
  return at(0, 0);
}
