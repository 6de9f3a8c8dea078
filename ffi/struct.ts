import type { NativeBackend } from "./backend.ts";
import { structs } from "./structs.generated.ts";
import type { FieldLayout, Pointer, StructLayout } from "./types.ts";

export type StructName = keyof typeof structs;

/** Field names of a struct. */
export type FieldName<S extends StructName> = keyof (typeof structs)[S]["fields"] & string;

type Value = number | bigint | boolean;

/** One C struct in memory of our own: zeroed at first, alive as long as this object. */
export class CStruct<S extends StructName = StructName> {
  readonly name: S;
  readonly layout: StructLayout;
  readonly bytes: Uint8Array;
  readonly address: Pointer<S>;
  readonly #view: DataView;
  readonly #halves: Uint32Array;
  readonly #count: number;

  /** @param count Number of consecutive structs, for C arrays. */
  constructor(backend: NativeBackend, name: S, { count = 1 }: { count?: number } = {}) {
    this.name = name;
    this.layout = structs[name];
    this.#count = count;
    // Whole words, so that a by-value copy never reads past the end.
    const byteLength = Math.ceil((this.layout.size * count) / 8) * 8;
    const buffer = new ArrayBuffer(byteLength);
    this.bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
    this.#halves = new Uint32Array(buffer);
    this.address = backend.addressOf(this.bytes) as Pointer<S>;
  }

  /** Number of 8-byte words one struct takes when it travels by value. */
  get wordCount(): number {
    return Math.ceil(this.layout.size / 8);
  }

  /** Word `index` as an unsigned integer; a bigint only where a number would lose bits. */
  word(index: number): number | bigint {
    const low = this.#halves[2 * index]!;
    const high = this.#halves[2 * index + 1]!;
    return high < 0x200000 ? high * 0x100000000 + low : (BigInt(high) << 32n) | BigInt(low);
  }

  /**
   * Writes a field of struct `at` (for arrays of structs).
   * @throws RangeError where the value does not fit the C type: C would silently take its low bits.
   */
  set(field: FieldName<S>, value: Value, at = 0): this {
    const layout = this.#field(field);
    const offset = this.#start(at) + layout.offset;
    writeScalar(this.#view, offset, layout.type, value, `${this.name}.${field}`);
    return this;
  }

  /** Reads a field of struct `at`; 64-bit integers come back as `number`. */
  get(field: FieldName<S>, at = 0): number {
    const layout = this.#field(field);
    return readScalar(this.#view, this.#start(at) + layout.offset, layout.type);
  }

  /** Bytes of an array field such as `char key[128]`. */
  array(field: FieldName<S>, at = 0): Uint8Array {
    const layout = this.#field(field);
    const start = this.#start(at) + layout.offset;
    return this.bytes.subarray(start, start + (layout.count ?? 1) * scalarSize(layout.type));
  }

  #start(at: number): number {
    if (!Number.isInteger(at) || at < 0 || at >= this.#count) {
      throw new RangeError(`${this.name}[${at}] is out of bounds, there are ${this.#count}`);
    }
    return at * this.layout.size;
  }

  #field(field: string): FieldLayout {
    const layout = this.layout.fields[field];
    if (!layout) throw new TypeError(`${this.name} has no field ${field}`);
    return layout;
  }
}

const sizes: Record<string, number> = {
  bool: 1,
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  f32: 4,
  i64: 8,
  u64: 8,
  usize: 8,
  f64: 8,
  ptr: 8,
};

export function scalarSize(type: string): number {
  const size = sizes[type] ?? (type.startsWith("struct ") ? structs[type.slice(7) as StructName]?.size : 0);
  if (!size) throw new TypeError(`no scalar type ${type}`);
  return size;
}

const ranges: Record<string, readonly [number, number]> = {
  i8: [-0x80, 0x7f],
  u8: [0, 0xff],
  i16: [-0x8000, 0x7fff],
  u16: [0, 0xffff],
  i32: [-0x80000000, 0x7fffffff],
  u32: [0, 0xffffffff],
};

/**
 * Checks that an integer fits a C type; bun:ffi and DataView would silently keep its low bits.
 * @throws TypeError for what is no integer, RangeError for what does not fit; both name `what`.
 */
export function checkInteger(value: number, type: string, what: string): number {
  if (!Number.isInteger(value)) throw new TypeError(`${what} must be an integer, got ${value}`);
  const range = ranges[type] ?? [type === "i64" ? Number.MIN_SAFE_INTEGER : 0, Number.MAX_SAFE_INTEGER];
  if (value < range[0] || value > range[1]) {
    throw new RangeError(`${what} must be between ${range[0]} and ${range[1]}, got ${value}`);
  }
  return value;
}

function writeScalar(view: DataView, offset: number, type: string, value: Value, what: string): void {
  if (type === "f32" || type === "f64") {
    if (typeof value !== "number" || Number.isNaN(value))
      throw new TypeError(`${what} must be a number, got ${value}`);
    if (type === "f32") view.setFloat32(offset, value, true);
    else view.setFloat64(offset, value, true);
    return;
  }
  if (type === "bool") {
    if (typeof value !== "boolean" && value !== 0 && value !== 1)
      throw new TypeError(`${what} must be a boolean, got ${value}`);
    view.setUint8(offset, value ? 1 : 0);
    return;
  }
  if (typeof value === "bigint" && sizes[type] === 8) {
    const [least, most] = type === "i64" ? [-(2n ** 63n), 2n ** 63n - 1n] : [0n, 2n ** 64n - 1n];
    if (value < least || value > most) {
      throw new RangeError(`${what} must be between ${least} and ${most}, got ${value}`);
    }
    view.setBigUint64(offset, BigInt.asUintN(64, value), true);
    return;
  }
  const integer = checkInteger(Number(value), type, what);
  switch (sizes[type]) {
    case 1:
      view.setInt8(offset, integer);
      break;
    case 2:
      view.setInt16(offset, integer, true);
      break;
    case 4:
      view.setInt32(offset, integer, true);
      break;
    case 8:
      // Two halves: bigints would be made for every sampler of every token.
      view.setInt32(offset, integer, true);
      view.setInt32(offset + 4, Math.floor(integer / 0x100000000), true);
      break;
    default:
      throw new TypeError(`${what}: cannot write a ${type}`);
  }
}

function readScalar(view: DataView, offset: number, type: string): number {
  switch (type) {
    case "bool":
    case "u8":
      return view.getUint8(offset);
    case "i8":
      return view.getInt8(offset);
    case "i16":
      return view.getInt16(offset, true);
    case "u16":
      return view.getUint16(offset, true);
    case "i32":
      return view.getInt32(offset, true);
    case "u32":
      return view.getUint32(offset, true);
    case "f32":
      return view.getFloat32(offset, true);
    case "f64":
      return view.getFloat64(offset, true);
    case "i64":
      return 0x100000000 * view.getInt32(offset + 4, true) + view.getUint32(offset, true);
    default:
      return 0x100000000 * view.getUint32(offset + 4, true) + view.getUint32(offset, true);
  }
}
