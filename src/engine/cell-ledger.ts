/** Cells that one holder computed in a row, from position `start` on, and who has how much of them. */
interface Run<H> {
  readonly start: number;
  readonly creator: H;
  /** Position where the part of each holder ends. */
  readonly ends: Map<H, number>;
}

/**
 * Counts the cells that sequences use in a cache where they share them: libllama does not tell.
 *
 * Each holder's cells are the runs [start, end) one after another from position 0. Sharing a prefix shares the runs.
 */
export class CellLedger<H> {
  readonly #runs = new Map<H, Run<H>[]>();
  #used = 0;

  /** Cells in use, shared ones counted once. */
  get used(): number {
    return this.#used;
  }

  /** Cells that more than one holder has. */
  get shared(): number {
    const runs = new Set([...this.#runs.values()].flat());
    let shared = 0;
    for (const run of runs) {
      const [, second = run.start] = [...run.ends.values()].sort((a, b) => b - a);
      shared += second - run.start;
    }
    return shared;
  }

  /** Positions of a holder that have cells. */
  lengthOf(holder: H): number {
    const last = this.#runs.get(holder)?.at(-1);
    return last ? last.ends.get(holder)! : 0;
  }

  /** Cells that dropping a holder would free. */
  exclusive(holder: H): number {
    let count = 0;
    for (const run of this.#runs.get(holder) ?? []) {
      count += Math.max(0, run.ends.get(holder)! - endBeside(run, holder));
    }
    return count;
  }

  /** Notes that a holder computed cells up to `length`. */
  grow(holder: H, length: number): void {
    const from = this.lengthOf(holder);
    if (length < from) throw new RangeError(`a holder of ${from} cells cannot grow to ${length}`);
    if (length === from) return;
    const runs = this.#runs.get(holder) ?? [];
    this.#runs.set(holder, runs);
    const last = runs.at(-1);
    if (last && last.creator === holder && endBeside(last, holder) <= from) last.ends.set(holder, length);
    else runs.push({ start: from, creator: holder, ends: new Map([[holder, length]]) });
    this.#used += length - from;
  }

  /** Lets `target`, which has no cells, share the first `length` cells of `source`. */
  share(source: H, target: H, length: number): void {
    if (this.lengthOf(target) > 0) throw new RangeError("the target has cells of its own");
    if (length > this.lengthOf(source))
      throw new RangeError(`the source has ${this.lengthOf(source)} cells, not ${length}`);
    const shared = (this.#runs.get(source) ?? []).filter(({ start }) => start < length);
    for (const run of shared) run.ends.set(target, Math.min(run.ends.get(source)!, length));
    if (shared.length > 0) this.#runs.set(target, shared.slice());
  }

  /** Notes that a holder gave up its cells from `length` on. */
  truncate(holder: H, length: number): void {
    const runs = this.#runs.get(holder);
    while (runs && runs.length > 0) {
      const run = runs.at(-1)!;
      const end = run.ends.get(holder)!;
      if (end <= length) break;
      const keep = Math.max(run.start, length);
      this.#used -= Math.max(0, end - Math.max(keep, endBeside(run, holder)));
      if (keep > run.start) {
        run.ends.set(holder, keep);
        break;
      }
      run.ends.delete(holder);
      runs.pop();
    }
    if (runs?.length === 0) this.#runs.delete(holder);
  }

  drop(holder: H): void {
    this.truncate(holder, 0);
  }
}

/** Where the longest part ends that anyone but `holder` has. */
function endBeside<H>(run: Run<H>, holder: H): number {
  let end = run.start;
  for (const [other, itsEnd] of run.ends) if (other !== holder && itsEnd > end) end = itsEnd;
  return end;
}
