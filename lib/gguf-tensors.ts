import type { HeaderCursor } from "./gguf-source.ts";
import { type TensorType, tensorTypes } from "./gguf-types.ts";

/** One tensor as the header describes it. */
export interface TensorInfo {
  readonly name: string;
  /** Elements per dimension, fastest first (ggml's `ne`), 1 to 4 of them. */
  readonly shape: readonly number[];
  /** Such as "F16" or "Q4_K". */
  readonly type: string;
  /** Bytes from the start of the data section. */
  readonly offset: number;
  readonly elementCount: number;
  readonly byteLength: number;
}

const damaged = "it is damaged: download it again";
/** `GGML_MAX_DIMS` and `GGML_MAX_NAME`. */
const maxDimensions = 4;
const maxNameBytes = 63;

/** Reads the tensor table; offsets must follow each other without gaps, as `gguf_init_from_file` demands. */
export function readTensors(
  cursor: HeaderCursor,
  { count, alignment }: { count: number; alignment: number },
): Map<string, TensorInfo> {
  const tensors = new Map<string, TensorInfo>();
  let end = 0;
  for (let index = 0; index < count; index++) {
    const tensor = readTensor(cursor, index);
    const { name, offset } = tensor;
    if (tensors.has(name)) throw cursor.error(`the tensor ${name} appears twice`, damaged);
    if (offset % alignment !== 0) {
      throw cursor.error(
        `the tensor ${name} starts at ${offset}, no multiple of the alignment ${alignment}`,
        damaged,
      );
    }
    const expected = Math.ceil(end / alignment) * alignment;
    if (offset !== expected)
      throw cursor.error(`the tensor ${name} starts at ${offset} where ${expected} is next`, damaged);
    end = offset + tensor.byteLength;
    if (end > cursor.source.size) {
      throw cursor.error(
        `the tensor ${name} ends ${end} bytes into the data of a file of ${cursor.source.size} bytes`,
        "it is truncated or damaged: download it again",
      );
    }
    tensors.set(name, tensor);
  }
  return tensors;
}

function readTensor(cursor: HeaderCursor, index: number): TensorInfo {
  const start = cursor.position;
  const name = cursor.string(`the name of tensor ${index}`);
  const nameBytes = cursor.position - start - 8;
  if (nameBytes === 0 || nameBytes > maxNameBytes || name.includes("\0")) {
    throw cursor.error(
      `the name of tensor ${index} must have 1 to ${maxNameBytes} bytes and no NUL`,
      damaged,
    );
  }
  const shape = readShape(cursor, name);
  const id = cursor.u32(`the type of tensor ${name}`);
  const type = tensorTypes.get(id);
  if (type === undefined) {
    throw cursor.error(
      `the tensor ${name} has the unknown type ${id}`,
      "the file is damaged or newer than this reader",
    );
  }
  const offset = cursor.count(`the offset of tensor ${name}`);
  return { name, shape, type: type.name, offset, ...sizes(cursor, name, shape, type) };
}

function readShape(cursor: HeaderCursor, name: string): number[] {
  const dimensions = cursor.u32(`the dimensions of tensor ${name}`);
  if (dimensions === 0 || dimensions > maxDimensions) {
    throw cursor.error(`the tensor ${name} has ${dimensions} dimensions, not 1 to ${maxDimensions}`, damaged);
  }
  return Array.from({ length: dimensions }, () => cursor.count(`a dimension of tensor ${name}`));
}

function sizes(cursor: HeaderCursor, name: string, shape: readonly number[], type: TensorType) {
  let elementCount = 1;
  for (const length of shape) {
    if (length === 0)
      throw cursor.error(`the tensor ${name} has the shape [${shape}], which holds nothing`, damaged);
    elementCount *= length;
    if (!Number.isSafeInteger(elementCount)) {
      throw cursor.error(`the tensor ${name} has the impossible shape [${shape}]`, damaged);
    }
  }
  if (shape[0]! % type.blockSize !== 0) {
    throw cursor.error(
      `rows of the tensor ${name} have ${shape[0]} elements, no multiple of ${type.name}'s ${type.blockSize}`,
      damaged,
    );
  }
  return { elementCount, byteLength: (elementCount / type.blockSize) * type.blockBytes };
}
