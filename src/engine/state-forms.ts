import { KvState, type StreamPlace, stateOf } from "../cache/kv-state.ts";
import { placeOf } from "./block-transfer.ts";
import type { KvLayout } from "./kv-layout.ts";

/** Bytes of a magic number and the sequence's id. */
const header = 8;
const mostStreams = 256;

/**
 * A sequence's state in the forms in which a context may take it: as it is, and as it would have been written with this
 * layout, values in either order. Contexts of one model differ in these: a layout may move while an engine runs, and flash
 * attention is settled anew at each start.
 */
export function* stateForms(state: Uint8Array, layout: KvLayout, sequence: number): Generator<Uint8Array> {
  yield state;
  const from = placeIn(state);
  const parsed = from && KvState.parse(state, from, 0);
  if (!parsed) return;
  const { shape, length: count } = parsed;
  const data = new Uint8Array(new ArrayBuffer(count * shape.tokenBytes));
  parsed.copyTokens(0, count, data);
  for (const transposed of [parsed.transposed, !parsed.transposed]) {
    const form = stateOf([{ data, count }], {
      shape,
      from: 0,
      transposed,
      place: placeOf(layout, sequence),
    });
    if (form) yield form;
  }
}

/** Where the cells are in a state of a KV cache; undefined for what cannot be one. */
function placeIn(state: Uint8Array): StreamPlace | undefined {
  const words = new DataView(state.buffer, state.byteOffset, state.byteLength);
  const counts = header + 4;
  if (state.length < counts) return undefined;
  const streams = words.getUint32(header, true);
  if (streams < 1 || streams > mostStreams || state.length < counts + 4 * streams) return undefined;
  let stream = 0;
  while (stream < streams - 1 && words.getUint32(counts + 4 * stream, true) === 0) stream++;
  return { streams, stream };
}
