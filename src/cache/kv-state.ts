import { elementBytes, KvShape, type LayerShape } from "./kv-shape.ts";

// The state of a sequence as libllama writes it, and as it is stored: there layer by layer, in the order of cells and with
// values transposed where flash attention is off; here token by token, in the order of positions, and never transposed, so
// that a block is cut by cutting its bytes and fits a context of either layout.
//
// Source: `llama_kv_cache::state_write_meta` and `state_write_data` in llama-kv-cache.cpp, v0.5.0.

/** Which of the streams of a context a sequence has its cells in. */
export interface StreamPlace {
  readonly streams: number;
  readonly stream: number;
}

/** Bytes of a magic number and the sequence's id. */
const header = 8;
const magic = 0xaf143cd8; // io_magic of llama-context.cpp
/** Bytes of a cell: position, count of sequences, sequence. */
const cellBytes = 12;
/** Tokens that a transposition does at once, so that what it writes stays in the cache. */
const tile = 32;

/** A sequence's state, looked into; its bytes are borrowed. */
export class KvState {
  readonly shape: KvShape;
  /** Whether values are laid out by number of their vector. */
  readonly transposed: boolean;
  readonly #state: Uint8Array;
  /** Cell of each position from 0 on. */
  readonly #cells: Int32Array;
  readonly #keys: readonly number[];
  readonly #values: readonly number[];

  private constructor(state: Uint8Array, cells: Int32Array, { layers, keys, values, transposed }: Tables) {
    this.#state = state;
    this.#cells = cells;
    this.shape = new KvShape(layers);
    this.transposed = transposed;
    this.#keys = keys;
    this.#values = values;
  }

  /**
   * @param from position of the first token there is.
   * @returns undefined where the state is of a memory that is no plain KV cache, or has gaps.
   */
  static parse(state: Uint8Array, { streams, stream }: StreamPlace, from: number): KvState | undefined {
    const read = new Reader(state);
    read.at = header;
    if (read.u32() !== streams) return undefined;
    for (let before = 0; before < stream; before++) if (read.u32() !== 0) return undefined;
    const count = read.u32();
    if (count === 0 || count > (state.length - read.at) / cellBytes) return undefined;
    const cells = new Int32Array(count).fill(-1);
    for (let cell = 0; cell < count; cell++) {
      const position = read.u32() - from;
      if (read.u32() !== 1 || position < 0 || position >= count || cells[position] !== -1) return undefined;
      cells[position] = cell;
      read.at += 4;
    }
    const tables = readTables(read, count);
    if (!tables) return undefined;
    for (let behind = stream + 1; behind < streams; behind++) if (read.u32() !== 0) return undefined;
    return read.at === state.length ? new KvState(state, cells, tables) : undefined;
  }

  get length(): number {
    return this.#cells.length;
  }

  /** Writes tokens [from, to), counted from the first there is, into `target`, which has room for just these. */
  copyTokens(from: number, to: number, target: Uint8Array): void {
    const { layers, tokenBytes } = this.shape;
    let offset = 0;
    for (const [index, { keyBytes, valueBytes, valueType }] of layers.entries()) {
      this.#copyRows(this.#keys[index]!, keyBytes, { from, to, target, offset });
      offset += keyBytes;
      if (valueBytes === 0) continue;
      const start = this.#values[index]!;
      if (!this.transposed) this.#copyRows(start, valueBytes, { from, to, target, offset });
      else {
        const size = elementBytes(valueType)!;
        const numbers = valueBytes / size;
        const source = elements(this.#state, start, numbers * this.length, size);
        const sink = elements(target, 0, target.length / size, size);
        gather(source, sink, {
          cells: this.#cells.subarray(from, to),
          count: this.length,
          numbers,
          offset: offset / size,
          stride: tokenBytes / size,
        });
      }
      offset += valueBytes;
    }
  }

  #copyRows(
    start: number,
    bytes: number,
    { from, to, target, offset }: { from: number; to: number; target: Uint8Array; offset: number },
  ): void {
    const { tokenBytes } = this.shape;
    for (let token = from; token < to; token++) {
      const source = start + this.#cells[token]! * bytes;
      target.set(this.#state.subarray(source, source + bytes), (token - from) * tokenBytes + offset);
    }
  }
}

interface Tables {
  readonly layers: LayerShape[];
  /** Where keys and values of each layer begin. */
  readonly keys: number[];
  readonly values: number[];
  readonly transposed: boolean;
}

function readTables(read: Reader, count: number): Tables | undefined {
  const flag = read.u32();
  const layerCount = read.u32();
  if (flag > 1 || layerCount === 0 || layerCount > read.left / 12) return undefined;
  const transposed = flag === 1;
  const keys: number[] = [];
  const values: number[] = [];
  const layers: LayerShape[] = [];
  for (let layer = 0; layer < layerCount; layer++) {
    const keyType = read.u32();
    const keyBytes = read.u64();
    keys.push(read.at);
    if (!read.skip(count * keyBytes)) return undefined;
    layers.push({ keyType, keyBytes, valueType: 0, valueBytes: 0 });
  }
  // Where keys and values are one there are no values; other streams' zeros may follow.
  if (read.left < 12 * layerCount) return { layers, keys, values, transposed };
  for (let layer = 0; layer < layerCount; layer++) {
    const valueType = read.u32();
    let valueBytes: number;
    if (transposed) {
      const size = read.u32();
      if (size !== elementBytes(valueType)) return undefined;
      valueBytes = size * read.u32();
      if (read.at % size !== 0) return undefined;
    } else valueBytes = read.u64();
    values.push(read.at);
    if (!read.skip(count * valueBytes)) return undefined;
    layers[layer] = { ...layers[layer]!, valueType, valueBytes };
  }
  return { layers, keys, values, transposed };
}

/** Tokens one after another, as {@link KvState.copyTokens} wrote them. */
export interface TokenRows {
  readonly data: Uint8Array;
  readonly count: number;
}

/**
 * The state of a sequence made of stored tokens.
 * @param from position of the first.
 * @returns undefined where values would have to be transposed and cannot be.
 */
export function stateOf(
  parts: readonly TokenRows[],
  {
    shape,
    from,
    transposed,
    place,
  }: { shape: KvShape; from: number; transposed: boolean; place: StreamPlace },
): Uint8Array | undefined {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const { layers, tokenBytes } = shape;
  const hasValues = layers.some(({ valueBytes }) => valueBytes > 0);
  if (transposed && layers.some(({ valueType, valueBytes }) => valueBytes > 0 && !elementBytes(valueType)))
    return undefined;
  const heads = 8 + 12 * layers.length + (hasValues ? 12 * layers.length : 0);
  const length = header + 4 + 4 * place.streams + count * cellBytes + heads + count * tokenBytes;
  const write = new Writer(length);
  write.u32(magic);
  write.u32(place.stream);
  write.u32(place.streams);
  for (let stream = 0; stream < place.stream; stream++) write.u32(0);
  write.u32(count);
  for (let token = 0; token < count; token++) {
    write.u32(from + token);
    write.u32(1);
    write.u32(place.stream);
  }
  write.u32(transposed ? 1 : 0);
  write.u32(layers.length);
  let offset = 0;
  for (const { keyType, keyBytes, valueBytes } of layers) {
    write.u32(keyType);
    write.u64(keyBytes);
    scatterRows(parts, write, { bytes: keyBytes, tokenBytes, offset });
    offset += keyBytes + valueBytes;
  }
  offset = 0;
  for (const { keyBytes, valueType, valueBytes } of hasValues ? layers : []) {
    offset += keyBytes;
    write.u32(valueType);
    if (!transposed) {
      write.u64(valueBytes);
      scatterRows(parts, write, { bytes: valueBytes, tokenBytes, offset });
    } else {
      const size = elementBytes(valueType)!;
      const numbers = valueBytes / size;
      write.u32(size);
      write.u32(numbers);
      const sink = elements(write.bytes, write.at, numbers * count, size);
      let first = 0;
      for (const { data, count: tokens } of parts) {
        const source = elements(data, 0, (tokens * tokenBytes) / size, size);
        spread(source, sink, {
          first,
          tokens,
          count,
          numbers,
          offset: offset / size,
          stride: tokenBytes / size,
        });
        first += tokens;
      }
      write.at += numbers * count * size;
    }
    offset += valueBytes;
  }
  for (let stream = place.stream + 1; stream < place.streams; stream++) write.u32(0);
  return write.bytes;
}

function scatterRows(
  parts: readonly TokenRows[],
  write: Writer,
  { bytes, tokenBytes, offset }: { bytes: number; tokenBytes: number; offset: number },
): void {
  for (const { data, count } of parts) {
    for (let token = 0; token < count; token++) {
      const source = token * tokenBytes + offset;
      write.bytes.set(data.subarray(source, source + bytes), write.at);
      write.at += bytes;
    }
  }
}

type Elements = Uint16Array | Uint32Array;

function elements(bytes: Uint8Array, offset: number, length: number, size: 2 | 4): Elements {
  return size === 2
    ? new Uint16Array(bytes.buffer, bytes.byteOffset + offset, length)
    : new Uint32Array(bytes.buffer, bytes.byteOffset + offset, length);
}

/** From one row of all cells for each number to the numbers of each token in a row. */
function gather(
  source: Elements,
  sink: Elements,
  {
    cells,
    count,
    numbers,
    offset,
    stride,
  }: { cells: Int32Array; count: number; numbers: number; offset: number; stride: number },
): void {
  for (let start = 0; start < cells.length; start += tile) {
    const end = Math.min(cells.length, start + tile);
    for (let number = 0; number < numbers; number++) {
      const row = number * count;
      for (let token = start; token < end; token++)
        sink[token * stride + offset + number] = source[row + cells[token]!]!;
    }
  }
}

/** The way back, for tokens that become cells from `first` on. */
function spread(
  source: Elements,
  sink: Elements,
  {
    first,
    tokens,
    count,
    numbers,
    offset,
    stride,
  }: { first: number; tokens: number; count: number; numbers: number; offset: number; stride: number },
): void {
  for (let start = 0; start < tokens; start += tile) {
    const end = Math.min(tokens, start + tile);
    for (let number = 0; number < numbers; number++) {
      const row = number * count + first;
      for (let token = start; token < end; token++)
        sink[row + token] = source[token * stride + offset + number]!;
    }
  }
}

/** Reads little-endian numbers; beyond the end there are zeros, which no caller takes for a good state. */
class Reader {
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#view.byteLength - this.at;
  }
  u32(): number {
    const value = this.left >= 4 ? this.#view.getUint32(this.at, true) : 0;
    this.at += 4;
    return value;
  }
  u64(): number {
    const low = this.u32();
    return low + 2 ** 32 * this.u32();
  }
  skip(bytes: number): boolean {
    this.at += bytes;
    return this.left >= 0;
  }
}

class Writer {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(new ArrayBuffer(length));
    this.#view = new DataView(this.bytes.buffer);
  }

  u32(value: number): void {
    this.#view.setUint32(this.at, value, true);
    this.at += 4;
  }
  u64(value: number): void {
    this.u32(value % 2 ** 32);
    this.u32(Math.floor(value / 2 ** 32));
  }
}
