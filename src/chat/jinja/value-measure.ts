import { LimitExceeded, type RenderBudget } from "./budget.ts";
import type { RuntimeValue } from "./jinja-library.ts";
import { isArray, isMapping, isString } from "./runtime-values.ts";

/** What it takes to write a value as JSON: an estimate that ignores escapes. */
interface Extent {
  characters: number;
  nodes: number;
  depth: number;
}

const MAX_VALUE_DEPTH = 200;
const SCALAR_CHARACTERS = 32;

/**
 * Measures values as trees, so that `[a, a]` nested forty times is seen for what it would print.
 * Arrays and objects are measured once, until a list changes; namespaces are measured each time.
 */
export class ValueMeasure {
  readonly #budget: RenderBudget;
  #known = new WeakMap<object, Extent>();

  constructor(budget: RenderBudget) {
    this.#budget = budget;
  }

  /** @throws LimitExceeded when the value would print more than the budget's characters. */
  measure(value: RuntimeValue): Extent {
    return this.#measure(value, 0).extent;
  }

  characters(value: RuntimeValue): number {
    return isString(value) ? value.value.length : this.measure(value).characters;
  }

  /** A list has changed, and with it all that holds it. */
  forget(): void {
    this.#known = new WeakMap();
  }

  #measure(value: RuntimeValue, level: number): { extent: Extent; fixed: boolean } {
    if (isString(value)) {
      return { extent: { characters: value.value.length + 2, nodes: 1, depth: 0 }, fixed: true };
    }
    const isList = isArray(value);
    if (!isList && !isMapping(value)) {
      return { extent: { characters: SCALAR_CHARACTERS, nodes: 1, depth: 0 }, fixed: true };
    }
    const known = this.#known.get(value);
    if (known) return { extent: known, fixed: true };
    if (level > MAX_VALUE_DEPTH)
      throw new LimitExceeded(`a value nests deeper than ${MAX_VALUE_DEPTH} levels`);

    const extent: Extent = { characters: 2, nodes: 1, depth: 0 };
    let fixed = value.type !== "NamespaceValue";
    const add = (child: RuntimeValue, keyLength: number): void => {
      this.#budget.spend(1);
      const inner = this.#measure(child, level + 1);
      extent.characters += inner.extent.characters + keyLength + 2;
      extent.nodes += inner.extent.nodes;
      extent.depth = Math.max(extent.depth, inner.extent.depth + 1);
      fixed &&= inner.fixed;
      if (extent.characters > this.#budget.limits.characters) {
        throw new LimitExceeded(`a value prints more than ${this.#budget.limits.characters} characters`);
      }
    };
    if (isList) for (const child of value.value) add(child, 0);
    else for (const [key, child] of value.value) add(child, key.length + 4);
    if (fixed) this.#known.set(value, extent);
    return { extent, fixed };
  }
}
