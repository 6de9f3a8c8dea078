/** What one token has in one layer, in bytes. */
export interface LayerShape {
  /** `ggml_type` of the keys. */
  readonly keyType: number;
  readonly keyBytes: number;
  readonly valueType: number;
  /** 0 where values are not kept. */
  readonly valueBytes: number;
}

/** What one token has in all layers: keys and values of the first, of the second, and so on. */
export class KvShape {
  readonly layers: readonly LayerShape[];
  readonly tokenBytes: number;

  constructor(layers: readonly LayerShape[]) {
    this.layers = layers;
    this.tokenBytes = layers.reduce((sum, { keyBytes, valueBytes }) => sum + keyBytes + valueBytes, 0);
  }

  /** Four words for each layer. */
  get bytes(): Uint8Array {
    const words = this.layers.flatMap(({ keyType, keyBytes, valueType, valueBytes }) => [
      keyType,
      keyBytes,
      valueType,
      valueBytes,
    ]);
    return new Uint8Array(Int32Array.from(words).buffer);
  }

  /** @returns undefined where the bytes are not of that form. */
  static parse(bytes: Uint8Array): KvShape | undefined {
    if (bytes.length === 0 || bytes.length % 16 !== 0) return undefined;
    const words = new Int32Array(bytes.slice().buffer);
    if (words.some((word) => word < 0)) return undefined;
    return new KvShape(
      Array.from({ length: words.length / 4 }, (_, layer) => ({
        keyType: words[4 * layer]!,
        keyBytes: words[4 * layer + 1]!,
        valueType: words[4 * layer + 2]!,
        valueBytes: words[4 * layer + 3]!,
      })),
    );
  }
}

const elementSizes: Readonly<Record<number, 2 | 4>> = { 0: 4, 1: 2, 30: 2 }; // GGML_TYPE_F32, F16, BF16

/** Bytes of a number of a `ggml_type`; undefined where numbers are packed in groups. */
export function elementBytes(type: number): 2 | 4 | undefined {
  return elementSizes[type];
}
