import { type Expression, rewritten, rule, usesOf } from "./expression.ts";
import { printExpression } from "./print.ts";

/** Puts one rule in the place of all that are written alike, and the rule meant in the place of one that only names it. */
export class MergedRules {
  readonly #rules: Map<string, Expression>;
  readonly #root: string;
  readonly #bodies = new Map<string, string>();
  readonly #byBody = new Map<string, string>();
  /** What stands in the place of a rule. */
  readonly #aliases = new Map<string, string>();

  /** @param rules whose references all are among them. */
  constructor(rules: ReadonlyMap<string, Expression>, root: string, spend: (steps: number) => void) {
    this.#rules = new Map(rules);
    this.#root = root;
    const users = new Map<string, Set<string>>(Array.from(rules.keys(), (name) => [name, new Set()]));
    for (const [name, expression] of rules) for (const used of usesOf(expression)) users.get(used)!.add(name);
    const queue = innermostFirst(rules, root).reverse();
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (this.#aliases.has(name) || !this.#isChanged(name, spend)) continue;
      const target = this.#equal(name);
      if (target === undefined) continue;
      this.#aliases.set(name, target);
      for (const user of users.get(name)!) {
        users.get(target)!.add(user);
        // The others come later anyway.
        if (this.#bodies.has(user)) queue.push(user);
      }
    }
    const start = this.#rules.get(root)!;
    if (start.kind === "rule") {
      this.#rules.set(root, this.#rules.get(start.name)!);
      this.#bodies.set(root, this.#bodies.get(start.name)!);
    }
  }

  expressionOf(name: string): Expression {
    return this.#rules.get(name)!;
  }

  bodyOf(name: string): string {
    return this.#bodies.get(name)!;
  }

  /** Writes a rule with what stands in the place of those that it refers to. */
  #isChanged(name: string, spend: (steps: number) => void): boolean {
    const expression = rewritten(this.#rules.get(name)!, (used) => rule(this.#final(used)));
    const body = printExpression(expression);
    spend(5 + body.length / 8);
    const before = this.#bodies.get(name);
    if (before === body) return false;
    if (before !== undefined && this.#byBody.get(before) === name) this.#byBody.delete(before);
    this.#rules.set(name, expression);
    this.#bodies.set(name, body);
    return true;
  }

  /** A rule that is written alike, or named by this one. */
  #equal(name: string): string | undefined {
    const expression = this.#rules.get(name)!;
    if (name === this.#root) return undefined;
    if (expression.kind === "rule" && expression.name !== this.#root) return expression.name;
    const body = this.#bodies.get(name)!;
    const known = this.#byBody.get(body);
    if (known === undefined) this.#byBody.set(body, name);
    return known;
  }

  #final(name: string): string {
    let target = name;
    for (let next = this.#aliases.get(target); next !== undefined; next = this.#aliases.get(target))
      target = next;
    return target;
  }
}

/** Names of the rules in an order in which most refer to earlier ones. */
function innermostFirst(rules: ReadonlyMap<string, Expression>, root: string): string[] {
  const order: string[] = [];
  const seen = new Set([root]);
  const path = [{ name: root, uses: usesOf(rules.get(root)!).values() }];
  for (let at = path.at(-1); at; at = path.at(-1)) {
    const { value: used, done } = at.uses.next();
    if (done) {
      order.push(at.name);
      path.pop();
    } else if (!seen.has(used)) {
      seen.add(used);
      path.push({ name: used, uses: usesOf(rules.get(used)!).values() });
    }
  }
  return order;
}
