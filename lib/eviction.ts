interface Entry {
  /** What it is worth to keep; the least goes first. */
  worth: number;
  touched: number;
}

/**
 * Chooses what to drop: what is cheap to make again for the room it takes, and what was not used for long.
 *
 * The worth of a thing is its cost per unit of size, on top of a level that rises with every eviction: so recent use counts,
 * and what was dear to make outlives what was cheap, but not for ever.
 *
 * Source: Cao and Irani, "Cost-Aware WWW Proxy Caching Algorithms" (1997), GreedyDual-Size.
 */
export class GreedyDual<K> {
  readonly #entries = new Map<K, Entry>();
  #level = 0;
  #clock = 0;

  get size(): number {
    return this.#entries.size;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** Notes that a thing was made or used. @param costPerUnit of making it again, in any unit, 0 or more. */
  touch(key: K, costPerUnit: number): void {
    if (!(costPerUnit >= 0)) throw new RangeError(`costPerUnit must be 0 or more, got ${costPerUnit}`);
    this.#entries.set(key, { worth: this.#level + costPerUnit, touched: ++this.#clock });
  }

  /** Takes out what is worth least, of what `allowed` admits; undefined where there is none. */
  evict(allowed: (key: K) => boolean = () => true): K | undefined {
    let victim: { key: K; entry: Entry } | undefined;
    for (const [key, entry] of this.#entries) {
      const order = victim ? entry.worth - victim.entry.worth || entry.touched - victim.entry.touched : -1;
      if (order < 0 && allowed(key)) victim = { key, entry };
    }
    if (!victim) return undefined;
    this.#entries.delete(victim.key);
    this.#level = Math.max(this.#level, victim.entry.worth);
    return victim.key;
  }

  /** Forgets a thing that was taken into use or dropped otherwise. */
  delete(key: K): void {
    this.#entries.delete(key);
  }
}
