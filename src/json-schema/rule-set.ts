import { choice, type Expression, isNothing, nothing, repeat, rule, sequence } from "./expression.ts";
import { schemaLimits } from "./limits.ts";
import { printExpression } from "./print.ts";
import { Repetitions } from "./repetitions.ts";
import type { RuleSink } from "./text-rules.ts";

/** The rules of a grammar while they are made. */
export class RuleSet implements RuleSink {
  readonly #rules = new Map<string, Expression>();
  readonly #names = new Set<string>();
  /** The last number that was put behind each name. */
  readonly #counts = new Map<string, number>();
  readonly #cached = new Map<string, Expression>();
  readonly #prefix: string;

  /** @param prefix of all names that are made here. */
  constructor(prefix = "") {
    this.#prefix = prefix;
  }

  freshName(hint: string): string {
    const cleaned = hint
      .replace(/[^a-zA-Z0-9]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 40);
    const plain = this.#prefix + (cleaned || "rule");
    let name = plain;
    for (let count = this.#counts.get(plain) ?? 1; this.#names.has(name); ) {
      name = `${plain}-${++count}`;
      this.#counts.set(plain, count);
    }
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
    const repetitions = new Repetitions(rules, (hint) => this.freshName(hint));
    for (const [name, expression] of [...rules]) rules.set(name, repetitions.written(expression, name));
    const merged = mergeEqual(rules, root);
    const start = merged.get(root)!;
    if (start.kind === "rule") merged.set(root, merged.get(start.name)!);
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
