import { choice, type Expression, optional, repeat, rule, sequence } from "./expression.ts";
import { printExpression } from "./print.ts";

/** Repetitions above this are made of blocks of so many; libllama takes up to 2000 only. */
const blockLength = 1000;
/** Repetitions from here on are rules of their own, to be shared. */
const sharedLength = 64;

/** Groups from which on what is repeated is a rule of its own. */
const largeGroup = 50;

/** Writes repetitions so that libllama takes them, and does not write out the same ones twice. */
export class Repetitions {
  readonly #rules: Map<string, Expression>;
  readonly #freshName: (hint: string) => string;
  /** Names of the rules made here, by what they match. */
  readonly #known = new Map<string, string>();

  /** @param rules Where the rules go that are made for parts. */
  constructor(rules: Map<string, Expression>, freshName: (hint: string) => string) {
    this.#rules = rules;
    this.#freshName = freshName;
  }

  /** An expression with its repetitions as they can be taken; `name` is the rule it stands in. */
  written(expression: Expression, name: string): Expression {
    switch (expression.kind) {
      case "sequence":
        return sequence(...expression.parts.map((part) => this.written(part, name)));
      case "choice":
        return choice(...expression.options.map((option) => this.written(option, name)));
      case "repeat":
        return this.#repetition(this.written(expression.item, name), expression.min, expression.max, name);
      default:
        return expression;
    }
  }

  #repetition(inside: Expression, min: number, max: number, name: string): Expression {
    const times = max === Number.POSITIVE_INFINITY ? min : max;
    const item = this.#repeatable(inside, times, name);
    if (times > blockLength) return this.#inBlocks(item, min, max, name);
    const whole = repeat(item, min, max);
    return times < sharedLength ? whole : this.#ruleFor(whole, `${name}-run`);
  }

  /**
   * What stands under a count is a rule of its own, since counts inside counts multiply for libllama; and so is what has
   * many groups, which count too.
   */
  #repeatable(item: Expression, times: number, name: string): Expression {
    if ((times <= 1 && groupsIn(item) < largeGroup) || item.kind === "rule" || item.kind === "set")
      return item;
    if (item.kind === "text" && item.text.length === 1) return item;
    return this.#ruleFor(item, `${name}-item`);
  }

  #ruleFor(expression: Expression, hint: string): Expression {
    const key = printExpression(expression);
    let name = this.#known.get(key);
    if (name === undefined) {
      name = this.#freshName(hint);
      this.#known.set(key, name);
      this.#rules.set(name, expression);
    }
    return rule(name);
  }

  #inBlocks(item: Expression, min: number, max: number, name: string): Expression {
    const block = this.#ruleFor(repeat(item, blockLength, blockLength), `${name}-block`);
    const whole = Math.floor(min / blockLength);
    const left = min % blockLength;
    const required = sequence(this.#repetition(block, whole, whole, name), repeat(item, left, left));
    if (max === Number.POSITIVE_INFINITY) return sequence(required, repeat(item, 0, max));
    const [full, more] = [Math.floor((max - min) / blockLength), (max - min) % blockLength];
    if (full === 0) return sequence(required, repeat(item, 0, more));
    // One block less and a part of one fall short of the bound by so many, which may stand before them.
    const short = this.#ruleFor(repeat(item, more + 1, more + 1), `${name}-run`);
    const blocks = this.#repetition(block, 0, full - 1, name);
    const partial = this.#ruleFor(repeat(item, 0, blockLength - 1), `${name}-partial`);
    return sequence(required, optional(short), blocks, partial);
  }
}

/** Rules that the parser may come to know in an expression: it counts those it makes, and those it has not met before. */
function groupsIn(expression: Expression): number {
  switch (expression.kind) {
    case "sequence":
      return expression.parts.reduce((sum, part) => sum + groupsIn(part), 0);
    case "choice":
      return expression.options.reduce((sum, option) => sum + groupsIn(option), 1);
    case "repeat":
      return 2 + groupsIn(expression.item);
    case "rule":
      return 1;
    default:
      return 0;
  }
}

/** `(item (separator item)*)`, `min` to `max` times. */
export function separated(item: Expression, next: Expression, min: number, max: number): Expression {
  if (max === 0) return sequence();
  const some = sequence(item, repeat(next, Math.max(0, min - 1), max - 1));
  return min === 0 ? optional(some) : some;
}
