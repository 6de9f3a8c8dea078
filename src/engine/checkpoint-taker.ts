import type { ActiveRequest } from "./active-request.ts";
import { CheckpointTiers, checkpointsOf } from "./checkpoint-tiers.ts";
import type { KvLayout } from "./kv-layout.ts";

interface Taken {
  readonly length: number;
  readonly state: Uint8Array;
}

/** The checkpoints of a request. */
export interface RequestCheckpoints {
  /** Where the next ones are to be, in order. */
  next: number[];
  /** Those of its prompt that no logits have proven yet. */
  taken: Taken[];
  /** The last one of what it generated. */
  last: Taken | undefined;
}

/** Takes checkpoints of requests as they get to where one is due. */
export class CheckpointTaker {
  readonly #tiers: CheckpointTiers;
  readonly #ends: (token: number) => boolean;

  /** @param ends whether a token ends a message. */
  constructor(tiers: CheckpointTiers, ends: (token: number) => boolean) {
    this.#tiers = tiers;
    this.#ends = ends;
  }

  begin(request: ActiveRequest): void {
    if (!request.reusesPrefix) return;
    const prompt = request.tokens.view;
    const have = Math.max(request.computedLength, request.restoration?.length ?? 0);
    const next = checkpointsOf(prompt, this.#ends).filter((position) => position > have);
    request.checkpoints = { next, taken: [], last: undefined };
  }

  /** How many of `count` tokens a request may compute before its state is to be kept. */
  limit({ checkpoints, computedLength }: ActiveRequest, count: number): number {
    const next = checkpoints?.next[0];
    return next === undefined || next <= computedLength ? count : Math.min(count, next - computedLength);
  }

  /** After a step: takes the state where one is due. */
  passed({ context }: KvLayout, request: ActiveRequest): void {
    const { checkpoints, sequence } = request;
    if (!checkpoints || !sequence) return;
    const length = sequence.computedLength;
    while (checkpoints.next.length > 0 && checkpoints.next[0]! < length) checkpoints.next.shift();
    const due = checkpoints.next[0] === length;
    const generating = request.generatedLength > 0 && CheckpointTiers.isDue(length);
    if (!due && !generating) return;
    const taken = { length, state: context.state.readSequence(sequence.id).slice() };
    if (due) {
      checkpoints.next.shift();
      checkpoints.taken.push(taken);
    } else checkpoints.last = taken;
  }

  /** Its logits were numbers, and so all before them is sound. */
  proved(request: ActiveRequest): void {
    const { checkpoints } = request;
    if (!checkpoints || checkpoints.taken.length === 0) return;
    for (const taken of checkpoints.taken) this.#keep(request, taken);
    checkpoints.taken = [];
  }

  /** It has ended, or waits again. */
  left(request: ActiveRequest): void {
    const { checkpoints, sequence } = request;
    request.checkpoints = undefined;
    const last = checkpoints?.last;
    if (last && sequence && last.length <= sequence.soundLength) this.#keep(request, last);
  }

  #keep({ key, tokens }: ActiveRequest, { length, state }: Taken): void {
    this.#tiers.keep(key, tokens.view.subarray(0, length), state);
  }
}
