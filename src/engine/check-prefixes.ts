import type { RadixTree } from "../../lib/radix-tree.ts";
import type { KvLayout } from "./kv-layout.ts";
import type { Sequence } from "./sequence.ts";

/** What a prefix cache knows. */
export interface PrefixBooks {
  readonly layout: KvLayout;
  readonly trees: ReadonlyMap<string, RadixTree<Sequence>>;
  readonly running: ReadonlySet<Sequence>;
  readonly parkedCount: number;
  /** Ids of sequences that hold nothing. */
  readonly idle: readonly number[];
}

/** Checks trees, sequences and the context's own memory against each other. @throws Error naming what differs. */
export function checkPrefixes({ layout, trees, running, parkedCount, idle }: PrefixBooks): void {
  const fail = (problem: string): never => {
    throw new Error(`prefix cache: ${problem}`);
  };
  const { context, sequenceCount } = layout;
  let known = 0;
  for (const [key, tree] of trees) {
    tree.check();
    known += tree.size;
    if (tree.size === 0) fail(`an empty tree for "${key}"`);
  }
  if (known !== running.size + parkedCount)
    fail(`${known} sequences in trees, ${running.size} running and ${parkedCount} parked`);
  if (known + idle.length !== sequenceCount)
    fail(`${known} sequences in use and ${idle.length} idle of ${sequenceCount}`);
  for (const id of idle) if (context.memory.positionMax(id) >= 0) fail(`idle sequence ${id} has cells`);
  for (let id = sequenceCount; id < context.maxSequences; id++)
    if (context.memory.positionMax(id) >= 0) fail(`sequence ${id}, which moves blocks, was left with cells`);
  for (const tree of trees.values()) {
    for (const sequence of tree.holders()) {
      const { id, computedLength, soundLength, keptLength } = sequence;
      const held = context.memory.positionMax(id) + 1;
      if (held !== computedLength) fail(`sequence ${id} has ${held} cells, said to have ${computedLength}`);
      if (soundLength > computedLength || keptLength > computedLength)
        fail(`sequence ${id} of ${computedLength} tokens has ${soundLength} sound and ${keptLength} kept`);
      const length = tree.lengthOf(sequence);
      if (sequence.running ? length < computedLength : length !== computedLength)
        fail(`sequence ${id} of ${computedLength} tokens has a path of ${length}`);
      if (sequence.running !== running.has(sequence)) fail(`sequence ${id} is running and is not`);
    }
  }
}
