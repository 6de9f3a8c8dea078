/** First-fit allocation of ranges; neighbours that are given back become one range again. */
export class FreeList {
  /** Free ranges by offset, none touching another. */
  readonly #ranges: { offset: number; length: number }[] = [];

  /** Everything from `start` to `end` is free. */
  constructor(start: number, end: number) {
    if (end > start) this.#ranges.push({ offset: start, length: end - start });
  }

  /** Length of all free ranges together. */
  get freeLength(): number {
    return this.#ranges.reduce((sum, range) => sum + range.length, 0);
  }

  /** @returns the offset of a range of that length, undefined where none is large enough. */
  take(length: number): number | undefined {
    const index = this.#ranges.findIndex((range) => range.length >= length);
    const range = this.#ranges[index];
    if (!range) return undefined;
    const { offset } = range;
    range.offset += length;
    range.length -= length;
    if (range.length === 0) this.#ranges.splice(index, 1);
    return offset;
  }

  give(offset: number, length: number): void {
    let index = this.#ranges.findIndex((range) => range.offset > offset);
    if (index < 0) index = this.#ranges.length;
    const before = this.#ranges[index - 1];
    const after = this.#ranges[index];
    if ((before && before.offset + before.length > offset) || (after && offset + length > after.offset)) {
      throw new RangeError(`the range at ${offset} is free already`);
    }
    this.#ranges.splice(index, 0, { offset, length });
    this.#join(index);
    this.#join(index - 1);
  }

  #join(index: number): void {
    const here = this.#ranges[index];
    const next = this.#ranges[index + 1];
    if (!here || !next || here.offset + here.length !== next.offset) return;
    here.length += next.length;
    this.#ranges.splice(index + 1, 1);
  }
}
