import { type Expression, isNothing, nothing, rewritten, rule, sizeOf, usesOf } from "./expression.ts";
import { MergedRules } from "./merged-rules.ts";
import { Repetitions } from "./repetitions.ts";
import type { RuleSink } from "./text-rules.ts";

/** The longest name of a rule, but for its number. */
const nameLength = 40;

/** The rules of a grammar while they are made. */
export class RuleSet implements RuleSink {
  readonly #rules = new Map<string, Expression>();
  readonly #names = new Set<string>();
  /** The last number that was put behind each name. */
  readonly #counts = new Map<string, number>();
  readonly #cached = new Map<string, Expression>();
  readonly #spend: (steps: number) => void;
  readonly #prefix: string;

  /**
   * @param spend Called with the steps that rules cost; throws where there have been too many.
   * @param prefix of all names that are made here.
   */
  constructor(spend: (steps: number) => void, prefix = "") {
    this.#spend = spend;
    this.#prefix = prefix;
  }

  freshName(hint: string): string {
    const cleaned = hint
      .slice(0, nameLength * 4)
      .replace(/[^a-zA-Z0-9]+/g, "-")
      .replace(/^-|-$/g, "")
      .slice(0, nameLength);
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
    this.#spend(20 + sizeOf(expression) * 4);
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
    return usesOf(this.#rules.get(name) ?? nothing);
  }

  /** Names of the rules that match some text. */
  productive(): Set<string> {
    const found = new Set<string>();
    /** Rules by one that they wait for. */
    const waiting = new Map<string, string[]>();
    const holds = (expression: Expression, waiter: string): boolean => {
      this.#spend(0.5);
      switch (expression.kind) {
        case "sequence":
          return expression.parts.every((part) => holds(part, waiter));
        case "choice":
          return expression.options.some((option) => holds(option, waiter));
        case "repeat":
          return expression.min === 0 || holds(expression.item, waiter);
        case "rule": {
          if (found.has(expression.name)) return true;
          const waiters = waiting.get(expression.name);
          if (waiters) waiters.push(waiter);
          else waiting.set(expression.name, [waiter]);
          return false;
        }
        default:
          return true;
      }
    };
    // Rules mostly refer to later ones, so that the last ones come first.
    const queue = [...this.#rules.keys()];
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (found.has(name) || !holds(this.#rules.get(name)!, name)) continue;
      found.add(name);
      queue.push(...(waiting.get(name) ?? []));
      waiting.delete(name);
    }
    return found;
  }

  /**
   * GBNF of all that `root` needs; rules that match nothing are left out, equal ones are written once.
   * @param productive Names of the rules that match some text.
   */
  print(root: string, productive: ReadonlySet<string>): string {
    const rules = new Map<string, Expression>();
    const repetitions = new Repetitions(rules, (hint) => this.freshName(hint));
    const usable = (used: string) => (productive.has(used) ? rule(used) : nothing);
    for (const name of this.#reached(root, (at) => this.#rules.get(at)!)) {
      if (!productive.has(name)) continue;
      const expression = rewritten(this.#rules.get(name)!, usable);
      this.#spend(sizeOf(expression));
      rules.set(name, repetitions.written(expression, name));
    }
    const merged = new MergedRules(rules, root, this.#spend);
    return this.#reached(root, (name) => merged.expressionOf(name))
      .map((name) => `${name} ::= ${merged.bodyOf(name)}\n`)
      .join("");
  }

  /** Names of the rules that `root` leads to, itself first. */
  #reached(root: string, expressionOf: (name: string) => Expression): string[] {
    const seen = new Set([root]);
    for (const name of seen) for (const used of usesOf(expressionOf(name))) seen.add(used);
    return [...seen];
  }
}
