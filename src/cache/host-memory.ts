import { FreeList } from "../../lib/free-list.ts";

const pageBytes = 65_536;
/** Pages of one memory: 4 GiB but for a page, so that ranges of two memories never touch. */
const mostPages = 65_535;
/** Where one memory's offsets begin after the one before. */
const memoryStride = 2 ** 32;
const alignment = 16;
/** A memory grows by at least so many pages at once. */
const leastGrowth = 64;

/**
 * Memories of up to `bytes` bytes together, as whoever shares them between threads makes them. Address space is reserved,
 * memory is not. There may be fewer than asked for where the system reserves no more.
 */
export function reserveHostMemory(bytes: number): WebAssembly.Memory[] {
  const memories: WebAssembly.Memory[] = [];
  for (let left = Math.ceil(bytes / pageBytes); left > 0; left -= mostPages) {
    try {
      const maximum = Math.min(left, mostPages);
      memories.push(new WebAssembly.Memory({ initial: 0, maximum, shared: true }));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      break;
    }
  }
  return memories;
}

interface Growing {
  readonly memory: WebAssembly.Memory;
  pages: number;
  maximum: number;
}

/** Ranges of bytes in memory that several threads see, handed out by one of them. Offsets stay what they are. */
export class HostMemory {
  readonly #memories: Growing[];
  readonly #free = new FreeList(0, 0);
  /** Ranges that another thread is reading, and what was freed of them meanwhile. */
  readonly #reading: Range[] = [];
  readonly #deferred: Range[] = [];
  #used = 0;
  #budget: number;

  /** @param budget bytes to hand out at most. */
  constructor(memories: readonly WebAssembly.Memory[], budget: number) {
    this.#budget = budget;
    let left = Math.floor(budget / pageBytes);
    this.#memories = memories.map((memory) => {
      const maximum = Math.min(left, mostPages);
      left -= maximum;
      return { memory, pages: 0, maximum };
    });
  }

  get used(): number {
    return this.#used;
  }

  /** Changes the bytes to hand out at most, up to those there were room for at first. What is out stays out. */
  limit(budget: number): void {
    this.#budget = budget;
  }

  /** @returns the offset; undefined where there is no room in one piece. */
  allocate(byteLength: number): number | undefined {
    const size = roundUp(byteLength);
    if (this.#used + size > this.#budget) return undefined;
    const offset = this.#free.take(size) ?? (this.#grow(size) ? this.#free.take(size) : undefined);
    if (offset !== undefined) this.#used += size;
    return offset;
  }

  /** Gives back what {@link allocate} gave, or a part of it that begins and ends at a multiple of 16 bytes. */
  free(offset: number, byteLength: number): void {
    const range = { offset, length: roundUp(byteLength) };
    this.#used -= range.length;
    if (this.#reading.some((other) => overlap(range, other))) this.#deferred.push(range);
    else this.#free.give(range.offset, range.length);
  }

  /** Keeps a range as it is until {@link unlock}, whoever frees it. */
  lock(offset: number, byteLength: number): void {
    this.#reading.push({ offset, length: roundUp(byteLength) });
  }

  unlock(offset: number): void {
    const index = this.#reading.findIndex((range) => range.offset === offset);
    if (index < 0) return;
    this.#reading.splice(index, 1);
    for (const range of this.#deferred.splice(0)) {
      if (this.#reading.some((other) => overlap(range, other))) this.#deferred.push(range);
      else this.#free.give(range.offset, range.length);
    }
  }

  view(offset: number, byteLength: number): Uint8Array {
    return hostView(
      this.#memories.map(({ memory }) => memory),
      offset,
      byteLength,
    );
  }

  #grow(byteLength: number): boolean {
    const pages = Math.ceil(byteLength / pageBytes);
    for (const [index, growing] of this.#memories.entries()) {
      const most = growing.maximum - growing.pages;
      if (most < pages) continue;
      const more = Math.min(most, Math.max(pages, leastGrowth, growing.pages >> 3));
      try {
        growing.memory.grow(more);
      } catch {
        // The system has none left; what there is must do.
        growing.maximum = growing.pages;
        continue;
      }
      this.#free.give(index * memoryStride + growing.pages * pageBytes, more * pageBytes);
      growing.pages += more;
      return true;
    }
    return false;
  }
}

/** A range as any thread sees it that has the same memories. */
export function hostView(
  memories: readonly WebAssembly.Memory[],
  offset: number,
  byteLength: number,
): Uint8Array {
  const index = Math.floor(offset / memoryStride);
  return new Uint8Array(memories[index]!.buffer, offset - index * memoryStride, byteLength);
}

interface Range {
  readonly offset: number;
  readonly length: number;
}

function overlap(a: Range, b: Range): boolean {
  return a.offset < b.offset + b.length && b.offset < a.offset + a.length;
}

function roundUp(byteLength: number): number {
  return Math.max(alignment, Math.ceil(byteLength / alignment) * alignment);
}
