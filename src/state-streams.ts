import { CriaError } from "../lib/errors.ts";

/** Bytes of a magic number and the sequence's id. */
const header = 8;

/**
 * The state of one sequence as a context with another number of streams would have written it: behind a header the count of
 * streams, then for each the number of its cells, and the cells themselves. A sequence has cells in one stream only; for
 * each of the others there is a zero.
 *
 * Source: `llama_kv_cache::state_write` and `state_read` in llama-kv-cache.cpp, v0.5.0, where a read refuses another count.
 *
 * @param stream the stream that the cells are in.
 * @throws CriaError where the bytes are not of that form, such as those of a memory of another kind.
 */
export function restream(
  state: Uint8Array,
  { streams, stream }: { streams: number; stream: number },
  wanted: number,
): Uint8Array {
  const words = new DataView(state.buffer, state.byteOffset, state.byteLength);
  const start = header + 4 + 4 * stream;
  const end = state.length - 4 * (streams - 1 - stream);
  const wellFormed =
    end - start >= 4 &&
    words.getUint32(header, true) === streams &&
    Array.from({ length: stream }, (_, index) => words.getUint32(header + 4 + 4 * index, true)).every(
      (cells) => cells === 0,
    );
  if (!wellFormed)
    throw new CriaError("REQUEST", "the sequence state is of a kind that cannot change its streams");
  if (streams === wanted) return state;
  const cells = state.subarray(start, end);
  const result = new Uint8Array(new ArrayBuffer(header + 4 + cells.length + 4 * (wanted - 1)));
  result.set(state.subarray(0, header));
  new DataView(result.buffer).setUint32(header, wanted, true);
  result.set(cells, header + 4);
  return result;
}
