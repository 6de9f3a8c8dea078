import type { TokenLogprob } from "../../lib/logprobs.ts";
import type { Answer, ProgressEvent, PromptTokenEvent } from "./answer.ts";

/** A generated token and, where asked for, how likely it and others were. */
export interface GeneratedToken {
  readonly token: number;
  readonly logprob: number;
  readonly top: readonly TokenLogprob[];
}

/** Text that became certain, and the tokens it took; before the first, what was told about the prompt. */
export interface Delta {
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
  readonly prompt?: readonly PromptTokenEvent[];
  /** How far the prompt is; nothing else then. */
  readonly progress?: ProgressEvent;
}

/**
 * The text of an answer: first a delta without text once the prompt is computed, then one for each token that makes text
 * certain. The answer is given up where the reader leaves.
 */
export async function* deltas(answer: Answer): AsyncGenerator<Delta, void> {
  let waiting: GeneratedToken[] = [];
  let prompt: PromptTokenEvent[] | undefined = [];
  try {
    for (;;) {
      const event = await answer.next();
      if (event?.type === "prompt-token") {
        prompt?.push(event);
        continue;
      }
      if (event?.type === "progress") {
        yield { text: "", tokens: [], progress: event };
        continue;
      }
      if (prompt) yield { text: "", tokens: [], prompt };
      prompt = undefined;
      if (!event) break;
      if (event.ends) continue;
      waiting.push(event);
      if (event.text === "") continue;
      yield { text: event.text, tokens: waiting };
      waiting = [];
    }
    const { text } = answer.outcome;
    if (text !== "" || waiting.length > 0) yield { text, tokens: waiting };
  } finally {
    await answer.return();
  }
}

/** Deltas of several answers as they come, each with the index of its answer; no delta at the end of each. */
export async function* mergedDeltas(
  answers: readonly Answer[],
): AsyncGenerator<{ index: number; delta: Delta | undefined }, void> {
  const sources = answers.map(deltas);
  const step = async (index: number) => ({ index, result: await sources[index]!.next() });
  const pending = new Map(sources.map((_, index) => [index, step(index)]));
  try {
    while (pending.size > 0) {
      // A single source, the usual case, needs no race.
      const [first] = pending.values();
      const { index, result } = pending.size === 1 ? await first! : await Promise.race(pending.values());
      if (result.done) pending.delete(index);
      else pending.set(index, step(index));
      yield { index, delta: result.done ? undefined : result.value };
    }
  } finally {
    // Where the reader leaves, or one fails, the others are given up; what they still say concerns nobody.
    for (const index of pending.keys()) answers[index]!.cancel();
    for (const promise of pending.values()) promise.catch(() => {});
    for (const index of pending.keys()) sources[index]!.return().catch(() => {});
  }
}
