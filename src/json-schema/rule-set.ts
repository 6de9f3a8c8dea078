import {
  choice,
  type Expression,
  isNothing,
  nothing,
  optional,
  repeat,
  rule,
  sequence,
} from "./expression.ts";
import { schemaLimits } from "./limits.ts";
import { printExpression } from "./print.ts";
import type { RuleSink } from "./text-rules.ts";

/** Repetitions above this are made of blocks of so many; libllama takes up to 2000 only. */
const blockLength = 1000;

/** The rules of a grammar while they are made. */
export class RuleSet implements RuleSink {
  readonly #rules = new Map<string, Expression>();
  readonly #names = new Set<string>();
  readonly #cached = new Map<string, Expression>();
  readonly #blocks = new Map<string, string>();

  freshName(hint: string): string {
    const plain =
      hint
        .replace(/[^a-zA-Z0-9]+/g, "-")
        .replace(/^-|-$/g, "")
        .slice(0, 40) || "rule";
    let name = plain;
    for (let count = 2; this.#names.has(name); count++) name = `${plain}-${count}`;
    this.#names.add(name);
    return name;
  }

  define(name: string, expression: Expression): void {
    this.#rules.set(name, expression);
  }

  /** A rule for `expression`, made the first time it is asked for under this key. */
  cached(key: string, hint: string, make: () => Expression): Expression {
    let known = this.#cached.get(key);
    if (!known) {
      known = this.named(hint, make());
      this.#cached.set(key, known);
    }
    return known;
  }

  /** A rule of its own for an expression that is used in several places. */
  named(hint: string, expression: Expression): Expression {
    if (expression.kind === "rule" || isNothing(expression)) return expression;
    const name = this.freshName(hint);
    this.define(name, expression);
    return rule(name);
  }

  get size(): number {
    return this.#rules.size;
  }

  /** Names of the rules that a rule refers to. */
  uses(name: string): readonly string[] {
    const names: string[] = [];
    const expression = this.#rules.get(name);
    if (expression) {
      rewritten(expression, (used) => {
        names.push(used);
        return rule(used);
      });
    }
    return names;
  }

  /** Names of the rules that match some text, by a fixed point. */
  productive(): Set<string> {
    const found = new Set<string>();
    const holds = (expression: Expression): boolean => {
      switch (expression.kind) {
        case "sequence":
          return expression.parts.every(holds);
        case "choice":
          return expression.options.some(holds);
        case "repeat":
          return expression.min === 0 || holds(expression.item);
        case "rule":
          return found.has(expression.name);
        default:
          return true;
      }
    };
    // Rules mostly refer to later ones, so that going backwards settles most of them at once.
    const backwards = [...this.#rules].reverse();
    for (let before = -1; before !== found.size; ) {
      before = found.size;
      for (const [name, expression] of backwards) if (!found.has(name) && holds(expression)) found.add(name);
    }
    return found;
  }

  /** GBNF of all that `root` needs; rules that match nothing are left out, equal ones are written once. */
  print(root: string): string {
    const productive = this.productive();
    const rules = new Map<string, Expression>();
    for (const name of productive) {
      rules.set(
        name,
        rewritten(this.#rules.get(name)!, (used) => (productive.has(used) ? rule(used) : nothing)),
      );
    }
    for (const [name, expression] of [...rules]) {
      rules.set(name, this.#withBlocks(expression, name, rules));
    }
    const merged = mergeEqual(rules, root);
    const order = [root];
    const seen = new Set(order);
    for (const name of order) {
      rewritten(merged.get(name)!, (used) => {
        if (!seen.has(used)) order.push(used);
        seen.add(used);
        return rule(used);
      });
    }
    return order.map((name) => `${name} ::= ${printExpression(merged.get(name)!)}\n`).join("");
  }

  /** Writes large repetitions as repetitions of blocks. */
  #withBlocks(expression: Expression, name: string, rules: Map<string, Expression>): Expression {
    const inside = (part: Expression) => this.#withBlocks(part, name, rules);
    switch (expression.kind) {
      case "sequence":
        return sequence(...expression.parts.map(inside));
      case "choice":
        return choice(...expression.options.map(inside));
      case "repeat": {
        const { min, max } = expression;
        const item = this.#repeatable(
          inside(expression.item),
          name,
          rules,
          Math.max(min, max === Number.POSITIVE_INFINITY ? 0 : max),
        );
        if (min <= blockLength && (max <= blockLength || max === Number.POSITIVE_INFINITY))
          return repeat(item, min, max);
        return this.#inBlocks(item, min, max, name, rules);
      }
      default:
        return expression;
    }
  }

  /** What stands under a count is a rule of its own, since counts inside counts multiply for libllama. */
  #repeatable(item: Expression, name: string, rules: Map<string, Expression>, times: number): Expression {
    if (times <= 1 || item.kind === "rule" || item.kind === "set") return item;
    if (item.kind === "text" && item.text.length === 1) return item;
    return this.#block(item, `${name}-item`, rules);
  }

  #block(expression: Expression, hint: string, rules: Map<string, Expression>): Expression {
    const key = printExpression(expression);
    let name = this.#blocks.get(key);
    if (name === undefined) {
      name = this.freshName(hint);
      this.#blocks.set(key, name);
      rules.set(name, expression);
    }
    return rule(name);
  }

  #inBlocks(
    item: Expression,
    min: number,
    max: number,
    name: string,
    rules: Map<string, Expression>,
  ): Expression {
    const block = this.#block(repeat(item, blockLength, blockLength), `${name}-block`, rules);
    const whole = Math.floor(min / blockLength);
    const required = sequence(
      repeat(block, whole, whole),
      repeat(item, min % blockLength, min % blockLength),
    );
    if (max === Number.POSITIVE_INFINITY) return sequence(required, repeat(item, 0, max));
    const more = max - min;
    // A last block that is not full ends it; until then each rule leads to the one for a block less.
    const partial = this.#block(repeat(item, 0, blockLength - 1), `${name}-partial`, rules);
    let rest = repeat(item, 0, more % blockLength);
    for (let blocks = 0; blocks < Math.floor(more / blockLength); blocks++) {
      rest = this.#block(choice(partial, sequence(block, rest)), `${name}-up-to`, rules);
    }
    return sequence(required, rest);
  }
}

/** The same expression with each reference to a rule replaced. */
function rewritten(expression: Expression, replace: (name: string) => Expression): Expression {
  switch (expression.kind) {
    case "sequence":
      return sequence(...expression.parts.map((part) => rewritten(part, replace)));
    case "choice":
      return choice(...expression.options.map((option) => rewritten(option, replace)));
    case "repeat":
      return repeat(rewritten(expression.item, replace), expression.min, expression.max);
    case "rule":
      return replace(expression.name);
    default:
      return expression;
  }
}

/** Puts one rule in the place of all that are written alike, and the rule meant in the place of one that only names it. */
function mergeEqual(rules: ReadonlyMap<string, Expression>, root: string): Map<string, Expression> {
  const merged = new Map(rules);
  for (let changed = true, rounds = 0; changed && rounds < schemaLimits.depth; rounds++) {
    const byText = new Map<string, string>();
    const aliases = new Map<string, string>();
    for (const [name, expression] of merged) {
      const body = printExpression(expression);
      const known = byText.get(body);
      if (name === root) continue;
      if (expression.kind === "rule") aliases.set(name, expression.name);
      else if (known !== undefined) aliases.set(name, known);
      else byText.set(body, name);
    }
    const final = (name: string) => {
      let target = name;
      for (let next = aliases.get(target); next !== undefined; next = aliases.get(target)) target = next;
      return target;
    };
    changed = aliases.size > 0;
    if (!changed) break;
    for (const [name, expression] of [...merged]) {
      if (aliases.has(name)) merged.delete(name);
      else
        merged.set(
          name,
          rewritten(expression, (used) => rule(final(used))),
        );
    }
  }
  return merged;
}

/** `(item (separator item)*)`, `min` to `max` times. */
export function separated(item: Expression, next: Expression, min: number, max: number): Expression {
  if (max === 0) return sequence();
  const some = sequence(item, repeat(next, Math.max(0, min - 1), max - 1));
  return min === 0 ? optional(some) : some;
}
