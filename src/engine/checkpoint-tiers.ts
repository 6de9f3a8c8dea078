import { unitLength } from "../cache/block.ts";
import { wholeUnits } from "../cache/chain.ts";
import { checkpointState, makeCheckpoint, unitDigests } from "../cache/checkpoint.ts";
import type { HostBlock, HostTier } from "../cache/host-tier.ts";
import { ChainRoots } from "./chain-roots.ts";
import type { KvLayout } from "./kv-layout.ts";
import type { Sequence } from "./sequence.ts";
import { emptyTierCounters, type TierCounters } from "./tier-counters.ts";
import type { DescribeKey, Restoration, Restoring, Saving, Sought, Tiers } from "./tiers.ts";

/** Messages at a prompt's end before which there is a checkpoint each, beside the first message of all. */
const lastMessages = 3;
/** Generated tokens between two checkpoints, of which the last is kept. */
const interval = 4 * unitLength;

/**
 * Where to keep the state of a prompt on the way through it, at multiples of a unit: behind its first message, which others
 * may share; behind the last few, where a conversation may be taken up again; and before its last tokens, so that it can be
 * asked anew.
 * @param ends whether a token ends a message.
 */
export function checkpointsOf(prompt: Int32Array, ends: (token: number) => boolean): number[] {
  const behind: number[] = [];
  for (const [index, token] of prompt.entries()) if (ends(token)) behind.push(index + 1);
  const chosen = [...behind.slice(0, 1), ...behind.slice(-lastMessages), prompt.length - 1].map(wholeUnits);
  return [...new Set(chosen)].filter((position) => position > 0).sort((a, b) => a - b);
}

/**
 * Of memories that cannot be taken apart (recurrent, hybrid, sliding windows) the state of whole sequences is kept, where a
 * prompt has a checkpoint. The deepest one that a prompt shares is restored, and what is behind it computed.
 *
 * Source: `llama_state_seq_get_data` and `llama_state_seq_set_data` of llama.h.
 */
export class CheckpointTiers implements Tiers {
  readonly host: HostTier;
  readonly counters: TierCounters = emptyTierCounters();
  readonly fit = true;
  readonly whole = false;
  readonly #roots: ChainRoots;

  constructor({ host, describe }: { host: HostTier; describe: DescribeKey }) {
    this.host = host;
    this.#roots = new ChainRoots(describe);
  }

  /** Whether a state is to be kept there, of a text that is being generated. */
  static isDue(position: number): boolean {
    return position % interval === 0;
  }

  /** Keeps a state that was read before behind `tokens`, whose soundness is proven now. */
  keep(key: string, tokens: Int32Array, state: Uint8Array): void {
    const started = performance.now();
    const checkpoint = makeCheckpoint(this.#roots.of(key), tokens, state);
    if (!this.host.has(checkpoint.first)) {
      this.host.put(checkpoint);
      this.counters.savedTokens += tokens.length;
    }
    this.counters.saveMs += performance.now() - started;
  }

  /** Sequences that end where a checkpoint may be; others have left theirs on the way. */
  save(layout: KvLayout, sequence: Sequence, { tokens, what }: Saving): void {
    const length = sequence.computedLength;
    const due =
      what === "all" && length > 0 && length === wholeUnits(length) && sequence.soundLength === length;
    if (due && sequence.keptLength < length)
      this.keep(sequence.key, tokens.subarray(0, length), layout.context.state.readSequence(sequence.id));
    sequence.keptLength = length;
  }

  heldLength(key: string, tokens: Int32Array): number {
    return this.#deepest(key, tokens)?.length ?? 0;
  }

  find(key: string, tokens: Int32Array, { have }: { have: number }): Restoration | undefined {
    const found = this.#deepest(key, tokens);
    return found && found.length > have ? found : undefined;
  }

  restore(layout: KvLayout, sequence: Sequence, { restoration, tokens, computed, lost }: Restoring): boolean {
    const { length } = restoration;
    const block = restoration.blocks[0]!;
    if (this.host.find(block.first) !== block) return false;
    const { context } = layout;
    const started = performance.now();
    const data = this.host.memory.view(block.offset, block.byteLength);
    const state = checkpointState(data, tokens.subarray(0, length));
    if (!state) return false;
    // What it shares with others would be counted as its own.
    if (sequence.computedLength > 0) lost();
    const fits = context.state.writeSequence(sequence.id, state.slice());
    if (!fits || context.memory.positionMax(sequence.id) + 1 !== length) {
      this.host.discard(block);
      lost();
      return false;
    }
    computed(length);
    sequence.soundLength = length;
    sequence.keptLength = length;
    this.counters.restores++;
    this.counters.restoredTokens += length;
    this.counters.restoreMs += performance.now() - started;
    return false;
  }

  sought(key: string, tokens: Int32Array): Sought {
    return { firsts: this.#digests(key, tokens).reverse() };
  }

  #deepest(key: string, tokens: Int32Array): Restoration | undefined {
    const digests = this.#digests(key, tokens);
    for (let index = digests.length - 1; index >= 0; index--) {
      const block: HostBlock | undefined = this.host.find(digests[index]!);
      if (block) return { blocks: [block], length: (index + 1) * unitLength };
    }
    return undefined;
  }

  /** The last token must be computed for its logits. */
  #digests(key: string, tokens: Int32Array): string[] {
    return unitDigests(this.#roots.of(key), tokens.subarray(0, tokens.length - 1));
  }
}
