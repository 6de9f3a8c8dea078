import { closeSync, openSync, readSync } from "node:fs";
import { resolve } from "node:path";
import { checkInteger } from "../ffi/index.ts";
import { ModelLoadError } from "../lib/errors.ts";
import type { GgufHeader } from "../lib/gguf-header.ts";
import type { TensorInfo } from "../lib/gguf-tensors.ts";
import { readGgufFile } from "./gguf-file.ts";

/** What a {@link ControlVector} is made of. */
export interface ControlVectorParts {
  /** Shape [layers, embedding length], starting at layer 1; layers it does not reach stay as they are. */
  readonly data: Float32Array;
  /** First layer that it applies to, 1 or more: layer 0 has no direction. */
  readonly layerStart: number;
  /** Last layer that it applies to, inclusive. */
  readonly layerEnd: number;
}

/** No model has more (`LLAMA_MAX_LAYERS`), and a file must not make us allocate for more. */
const maxLayers = 512;

/**
 * Directions to add to the residual stream of some layers, see {@link Context.setControlVector}; immutable but for
 * `data`, which is not copied. libllama's `llama_set_adapter_cvec`.
 */
export class ControlVector implements ControlVectorParts {
  readonly data: Float32Array;
  readonly layerStart: number;
  readonly layerEnd: number;

  /** @throws TypeError, RangeError naming the field. */
  constructor({ data, layerStart, layerEnd }: ControlVectorParts) {
    if (!(data instanceof Float32Array)) throw new TypeError("data must be a Float32Array");
    if (data.length === 0) throw new RangeError("data is empty; give one row per layer from layer 1 on");
    const bad = data.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw new RangeError(`data[${bad}] must be a finite number, got ${data[bad]}`);
    if (checkInteger(layerStart, "i32", "layerStart") < 1)
      throw new RangeError(`layerStart must be 1 or more, got ${layerStart}`);
    if (checkInteger(layerEnd, "i32", "layerEnd") < layerStart)
      throw new RangeError(`layerEnd must be at least layerStart ${layerStart}, got ${layerEnd}`);
    this.data = data;
    this.layerStart = layerStart;
    this.layerEnd = layerEnd;
  }

  /**
   * Reads the tensors `direction.1`, `direction.2`, … of a GGUF file; layers the file leaves out get zeros.
   *
   * @param options.scale factor on all values, default 1; the layers default to those of the file.
   * @throws ModelLoadError naming the file and what is wrong with it.
   */
  static fromFile(
    path: string,
    options: { scale?: number; layerStart?: number; layerEnd?: number } = {},
  ): ControlVector {
    if (typeof path !== "string" || path === "")
      throw new TypeError("path must be the name of a control vector file");
    const { scale = 1 } = options;
    if (!Number.isFinite(scale)) throw new TypeError(`scale must be a finite number, got ${scale}`);
    const header = readGgufFile(resolve(path));
    const directions = directionsOf(header);
    const layers = [...directions.keys()];
    const width = directions.get(layers[0]!)!.elementCount;
    const data = new Float32Array(width * Math.max(...layers));
    readDirections(header, directions, data);
    for (let index = 0; index < data.length; index++) data[index]! *= scale;
    const { layerStart = Math.min(...layers), layerEnd = Math.max(...layers) } = options;
    return new ControlVector({ data, layerStart, layerEnd });
  }
}

/** Checks a header and gives the direction of each layer. */
function directionsOf(header: GgufHeader): Map<number, TensorInfo> {
  const refuse = (problem: string): never => {
    throw new ModelLoadError(`${header.name}: ${problem}; name a control vector in GGUF`);
  };
  const directions = new Map<number, TensorInfo>();
  for (const tensor of header.tensors.values()) {
    const layer = /^direction\.([1-9]\d*)$/.exec(tensor.name)?.[1];
    if (layer === undefined || Number(layer) > maxLayers)
      refuse(`the tensor ${tensor.name} is no direction.1 to direction.${maxLayers}`);
    if (tensor.type !== "F32" || tensor.shape.slice(1).some((length) => length !== 1))
      refuse(
        `the tensor ${tensor.name} must be one row of F32, got the shape [${tensor.shape}] of ${tensor.type}`,
      );
    const [first] = directions.values();
    if (first && first.elementCount !== tensor.elementCount)
      refuse(`${tensor.name} has ${tensor.elementCount} values, ${first.name} has ${first.elementCount}`);
    directions.set(Number(layer), tensor);
  }
  if (directions.size === 0) refuse("it holds no directions");
  return directions;
}

function readDirections(
  header: GgufHeader,
  directions: ReadonlyMap<number, TensorInfo>,
  data: Float32Array,
): void {
  const file = openSync(header.name, "r");
  try {
    for (const [layer, { name, elementCount, offset, byteLength }] of directions) {
      const row = data.subarray((layer - 1) * elementCount, layer * elementCount);
      const bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength);
      if (readSync(file, bytes, 0, byteLength, header.dataOffset + offset) !== byteLength)
        throw new ModelLoadError(`${header.name}: the tensor ${name} is cut short; download it again`);
      if (!row.every(Number.isFinite))
        throw new ModelLoadError(`${header.name}: the tensor ${name} holds values that are no numbers`);
    }
  } finally {
    closeSync(file);
  }
}
