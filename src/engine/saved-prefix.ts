import type { Pointer } from "../../ffi/index.ts";
import { CriaError, RequestError } from "../../lib/errors.ts";
import type { TokenMemory } from "../../lib/token-memory.ts";
import { unseal } from "../state-seal.ts";
import type { EngineCore } from "./core.ts";
import type { AdapterScale } from "./request.ts";
import { stateForms } from "./state-forms.ts";
import { type ReleaseBytes, TokenExtent } from "./token-extent.ts";

/** Tokens in the token memory, and what a prefix must agree in with them beside the tokens. */
export interface PrefixPlace {
  readonly byteOffset: number;
  readonly length: number;
  readonly salt?: string | undefined;
  readonly adapters?: readonly AdapterScale[] | undefined;
}

/** Bytes in this process, which another thread keeps alive. */
export interface BytesPlace {
  readonly address: number;
  readonly byteLength: number;
}

/** A sequence's state, and how many tokens it is of. */
export interface SavedPrefix {
  readonly length: number;
  readonly bytes: Uint8Array;
}

/** The state of the longest beginning of some tokens that a sequence holds, without anything behind it. */
export function savePrefix(core: EngineCore, memory: TokenMemory, place: PrefixPlace): SavedPrefix {
  const sequence = core.prefixes.wholeOf(core.keyOf(place), memory.view(place.byteOffset, place.length));
  if (!sequence) return { length: 0, bytes: new Uint8Array(0) };
  return { length: sequence.computedLength, bytes: core.context.state.saveSequence(sequence.id) };
}

/**
 * Parks a sequence made of a saved state. The tokens stay where they are for as long as it is kept.
 * @throws CriaError where the bytes are damaged or do not fit; RequestError where they are of other tokens.
 */
export function restorePrefix(
  core: EngineCore,
  memory: TokenMemory,
  parts: { place: PrefixPlace; source: BytesPlace; release: ReleaseBytes },
): void {
  const { place, source, release } = parts;
  const { byteOffset, length } = place;
  const owner = new TokenExtent(memory, byteOffset, length, release);
  let kept: { from: number; to: number } | undefined;
  try {
    const key = core.keyOf(place);
    if (length > core.layout.sequenceLength)
      throw new RequestError(
        `the state has ${length} tokens, the context holds ${core.layout.sequenceLength}`,
        "state",
      );
    const bytes = core.model.native.memory.read(source.address as Pointer, source.byteLength);
    const state = unseal(bytes, "sequence state");
    const { context, prefixes } = core;
    prefixes.adopt(key, { view: owner.view(length), owner }, (id) => {
      fill(core, id, state);
      if (context.memory.positionMax(id) + 1 !== length)
        throw new RequestError("the state's tokens do not belong to its data", "state");
    });
    const from = prefixes.referredFrom(key, owner);
    kept = from === undefined ? undefined : { from, to: length };
  } finally {
    owner.end(kept);
  }
}

/** @throws CriaError where the context takes the state in no form. */
function fill({ layout, context }: EngineCore, id: number, state: Uint8Array): void {
  for (const form of stateForms(state, layout, id)) if (context.state.writeSequence(id, form)) return;
  throw new CriaError(
    "REQUEST",
    "the state does not fit this context: it is of another model, or needs the kvLayout, parallel and flashAttention that it was saved with, or there is no room; load the model as it was then, or save the state anew",
  );
}
