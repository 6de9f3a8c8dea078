import { RequestError } from "../../lib/errors.ts";
import { GreedyDual } from "../../lib/eviction.ts";
import { type CompareTokens, RadixTree, type TokenOwner } from "../../lib/radix-tree.ts";
import { checkPrefixes } from "./check-prefixes.ts";
import type { KvLayout } from "./kv-layout.ts";
import { Sequence } from "./sequence.ts";

/** Tokens of a request: a borrowed view, and who keeps them while the tree refers to them. */
export interface OwnedTokens {
  readonly view: Int32Array;
  readonly owner: TokenOwner;
}

/** What a running sequence will have computed, as long as it is leased to the request that it was leased to. */
export interface Promised {
  readonly sequence: Sequence;
  readonly leases: number;
  readonly length: number;
}

/** Keeps elsewhere what is about to be evicted. */
export type Rescue = (layout: KvLayout, sequence: Sequence, tokens: Int32Array) => void;

/** Fewest tokens that are copied to another context rather than computed there. */
const leastCopy = 16;
/** Fewest tokens that are worth waiting for. */
const leastWait = 8;

/**
 * What the context has computed, as one library of prefixes: running requests and parked ones alike are sources. A
 * running sequence is leased to its request and cannot be evicted.
 */
export class PrefixCache {
  readonly layout: KvLayout;
  readonly #compare: CompareTokens;
  /** One tree for each salt and set of adapters: nothing is ever shared between two of them. */
  readonly #trees = new Map<string, RadixTree<Sequence>>();
  readonly #parked = new GreedyDual<Sequence>();
  readonly #running = new Set<Sequence>();
  readonly #idle: number[] = [];
  readonly #rescue: Rescue | undefined;
  /** Tokens dropped by eviction since the start. */
  evictedTokens = 0;

  constructor(layout: KvLayout, compare: CompareTokens, rescue?: Rescue) {
    this.layout = layout;
    this.#compare = compare;
    this.#rescue = rescue;
    for (let id = layout.sequenceCount - 1; id >= 0; id--) this.#idle.push(id);
  }

  get runningCount(): number {
    return this.#running.size;
  }
  get parkedCount(): number {
    return this.#parked.size;
  }
  /** Tokens that only parked sequences hold. */
  get parkedTokens(): number {
    const all = [...this.#trees.values()].flatMap((tree) => [...tree.holders()]);
    return all.reduce(
      (sum, sequence) => sum + (sequence.running ? 0 : this.layout.exclusiveCells(sequence)),
      0,
    );
  }
  /** All sequences that hold anything, parked ones first. */
  get sequences(): Sequence[] {
    const all = [...this.#trees.values()].flatMap((tree) => [...tree.holders()]);
    return all.sort((a, b) => Number(a.running) - Number(b.running));
  }
  /** The tokens of a sequence, computed and promised ones, copied. */
  tokensOf(sequence: Sequence): Int32Array {
    return this.#trees.get(sequence.key)?.tokensOf(sequence) ?? new Int32Array(0);
  }
  /** Whether a request can be given a sequence. */
  get hasSequence(): boolean {
    return this.#idle.length > 0 || this.#parked.size > 0;
  }

  /** How much of a prompt is computed already: at most all but its last token, which must give logits. */
  cachedLength(key: string, tokens: Int32Array): number {
    return this.#source(key, tokens)?.length ?? 0;
  }

  /** The first of an owner's tokens that a tree refers to; undefined where none does. */
  referredFrom(key: string, owner: TokenOwner): number | undefined {
    return this.#trees.get(key)?.referredFrom(owner);
  }

  /**
   * A running sequence that is about to compute more of a prompt than anyone has yet; undefined where there is none worth
   * waiting for.
   */
  promised(key: string, tokens: Int32Array): Promised | undefined {
    const most = tokens.length - 1;
    const promise = this.#trees
      .get(key)
      ?.find(tokens, (sequence, overlap) =>
        sequence.running && this.#canShare(Math.min(overlap, most), sequence.promisedLength)
          ? Math.min(overlap, sequence.promisedLength, most)
          : 0,
      );
    if (!promise || promise.length < this.cachedLength(key, tokens) + leastWait) return undefined;
    return { sequence: promise.holder, leases: promise.holder.leases, length: promise.length };
  }

  /**
   * Leases a sequence to a request, with as much of the prompt computed as anyone can give, or with nothing.
   * @returns undefined where all sequences are running.
   */
  lease(key: string, tokens: OwnedTokens, { reuse }: { reuse: "prefix" | "nothing" }): Sequence | undefined {
    const source = reuse === "prefix" ? this.#source(key, tokens.view) : undefined;
    const sequence = source ? this.#from(source, key) : this.#fresh(key);
    if (!sequence) return undefined;
    this.#running.add(sequence);
    sequence.running = true;
    sequence.leases++;
    sequence.promisedLength = tokens.view.length;
    this.#tree(key).extend(sequence, tokens.view, tokens.owner);
    return sequence;
  }

  /**
   * Takes a running request over from another cache: shares with those taken over before, and copies the rest.
   * @returns its sequence here. @throws CriaError where there is no room.
   */
  takeOver(
    from: PrefixCache,
    { sequence, key }: { sequence: Sequence; key: string },
    tokens: OwnedTokens,
  ): Sequence {
    const own = this.lease(key, tokens, { reuse: "prefix" });
    if (!own) throw new RequestError("all sequences are in use");
    own.promisedLength = sequence.promisedLength;
    own.soundLength = sequence.soundLength;
    // A few tokens are computed again in less time than a state takes to be copied.
    if (sequence.computedLength - own.computedLength > leastCopy) {
      this.layout.drop(own);
      this.layout.context.state.copyFrom(from.layout.context.state, sequence.id, own.id);
      this.computed(own, tokens, sequence.computedLength);
    }
    return own;
  }

  /** The longest sequence that holds a beginning of `tokens` and nothing behind it. */
  wholeOf(key: string, tokens: Int32Array): Sequence | undefined {
    const found = this.#trees
      .get(key)
      ?.find(tokens, ({ computedLength }, overlap) => (computedLength <= overlap ? computedLength : 0));
    return found?.holder;
  }

  /**
   * Parks a sequence with `tokens`, filled by `restore`, which is given its id.
   * @throws what `restore` throws, once nothing is left to evict; RequestError where all sequences are running.
   */
  adopt(key: string, tokens: OwnedTokens, restore: (id: number) => void): void {
    const sequence = this.lease(key, tokens, { reuse: "nothing" });
    if (!sequence) throw new RequestError("all sequences are in use; try again later");
    try {
      this.makeRoom(tokens.view.length);
      for (;;) {
        try {
          restore(sequence.id);
          break;
        } catch (error) {
          // libllama wants cells in one piece.
          if (error instanceof RequestError || !this.evict()) throw error;
          this.layout.context.memory.remove(sequence.id);
        }
      }
    } catch (error) {
      this.release(sequence);
      throw error;
    }
    this.computed(sequence, tokens, tokens.view.length);
    this.park(sequence, tokens);
  }

  /** Notes that a leased sequence was computed up to `length` of `tokens`. */
  computed(sequence: Sequence, tokens: OwnedTokens, length: number): void {
    this.layout.computed(sequence, length);
    const tree = this.#tree(sequence.key);
    if (length > tree.lengthOf(sequence))
      tree.extend(sequence, tokens.view.subarray(0, length), tokens.owner);
  }

  /**
   * Shortens a leased sequence, whose path stays: it says what will be computed.
   * @returns its length then.
   */
  truncate(sequence: Sequence, length: number): number {
    const kept = this.layout.truncate(sequence, length);
    limit(sequence, kept);
    return kept;
  }

  /** Ends a lease; what is computed stays for others until it is evicted. */
  park(sequence: Sequence, tokens: OwnedTokens): void {
    if (sequence.computedLength === 0) {
      this.release(sequence);
      return;
    }
    this.#cutPath(sequence, tokens, sequence.computedLength);
    this.#running.delete(sequence);
    sequence.running = false;
    sequence.promisedLength = 0;
    this.#touch(sequence);
  }

  /** Ends a lease and forgets what was computed. */
  release(sequence: Sequence): void {
    this.#running.delete(sequence);
    this.#drop(sequence);
  }

  /** Gives the sequences that run the lowest ids, where that matters. */
  pack(): void {
    if (!this.layout.wantsConsecutive) return;
    const running = new Map([...this.#running].map((sequence) => [sequence.id, sequence]));
    for (let id = 0; id < running.size; id++) {
      if (running.has(id)) continue;
      const last = Math.max(...running.keys());
      const sequence = running.get(last)!;
      const idle = this.#idle.indexOf(id);
      const parked = idle < 0 ? this.#parkedWith(id) : undefined;
      this.layout.exchange(sequence, id, parked);
      if (idle >= 0) this.#idle[idle] = last;
      running.delete(last);
      running.set(id, sequence);
    }
  }

  /**
   * Evicts parked sequences until `cells` are free.
   * @returns whether they are.
   */
  makeRoom(cells: number): boolean {
    while (this.layout.freeCells < cells) if (!this.evict()) return false;
    return true;
  }

  /** Drops the parked sequence that is worth least. @returns false where none is parked. */
  evict(except?: Sequence): boolean {
    const victim = this.#parked.evict((sequence) => sequence !== except);
    if (!victim) return false;
    this.#rescue?.(this.layout, victim, this.tokensOf(victim));
    this.evictedTokens += this.layout.exclusiveCells(victim);
    this.#drop(victim);
    return true;
  }

  /** Drops everything that is parked. */
  clear(): void {
    for (let victim = this.#parked.evict(); victim; victim = this.#parked.evict()) {
      this.evictedTokens += this.layout.exclusiveCells(victim);
      this.#drop(victim);
    }
  }

  /** Drops everything that is parked, once it is kept elsewhere. */
  evictAll(): void {
    while (this.evict());
  }

  /** Drops everything that is parked, and zeroes all cells; whatever is leased must be empty. */
  wipe(): void {
    this.clear();
    this.layout.context.memory.clear({ data: true });
  }

  /** Lets go of all tokens, for a context that goes; its sequences must not be used any more. */
  abandon(): void {
    this.clear();
    for (const sequence of [...this.#running]) {
      this.#removePath(sequence);
      // Whoever waits for what it was to compute looks for another.
      sequence.running = false;
    }
    this.#running.clear();
  }

  /** Checks trees, sequences and the context's own memory against each other. @throws Error naming what differs. */
  check(): void {
    checkPrefixes({
      layout: this.layout,
      trees: this.#trees,
      running: this.#running,
      parkedCount: this.parkedCount,
      idle: this.#idle,
    });
  }

  #parkedWith(id: number): Sequence | undefined {
    for (const tree of this.#trees.values())
      for (const sequence of tree.holders()) if (sequence.id === id) return sequence;
    return undefined;
  }

  #tree(key: string): RadixTree<Sequence> {
    let tree = this.#trees.get(key);
    if (!tree) {
      tree = new RadixTree(this.#compare);
      this.#trees.set(key, tree);
    }
    return tree;
  }

  /** Whether a memory that cannot drop a tail could still give `overlap` tokens of a sequence of `length`. */
  #canShare(overlap: number, length: number): boolean {
    const { model } = this.layout.context;
    return (!model.isRecurrent && !model.isHybrid) || overlap >= length;
  }

  #source(key: string, tokens: Int32Array): { sequence: Sequence; length: number } | undefined {
    const most = tokens.length - 1;
    const found = this.#trees.get(key)?.find(tokens, (sequence, overlap) => {
      const { computedLength } = sequence;
      if (!this.#canShare(Math.min(overlap, most), computedLength)) return 0;
      return Math.min(overlap, computedLength, most);
    });
    return found && { sequence: found.holder, length: found.length };
  }

  /** A sequence with the first tokens of another: that one itself where nobody needs it any longer, or a copy. */
  #from({ sequence, length }: { sequence: Sequence; length: number }, key: string): Sequence | undefined {
    const whole = sequence.computedLength === length;
    if (!sequence.running && whole) return this.#takeOver(sequence, length);
    const target = this.#idle.length > 0 || this.evict(sequence) ? this.#fresh(key) : undefined;
    if (!target) return sequence.running ? undefined : this.#takeOver(sequence, length);
    if (length >= this.layout.leastShare) {
      const shared = this.layout.share(sequence, target, length);
      target.soundLength = Math.min(sequence.soundLength, shared);
      target.keptLength = Math.min(sequence.keptLength, shared);
    }
    if (!sequence.running) this.#touch(sequence);
    return target;
  }

  #takeOver(sequence: Sequence, length: number): Sequence {
    this.#parked.delete(sequence);
    if (sequence.computedLength > length) {
      // Its own path is longer than what the request shares with it; the request's tokens take its place.
      this.#removePath(sequence);
      limit(sequence, this.layout.truncate(sequence, length));
    }
    return sequence;
  }

  #fresh(key: string): Sequence | undefined {
    if (this.#idle.length === 0) this.evict();
    if (this.#idle.length === 0) return undefined;
    const id = Math.min(...this.#idle);
    this.#idle.splice(this.#idle.indexOf(id), 1);
    const sequence = new Sequence(id);
    sequence.key = key;
    return sequence;
  }

  #touch(sequence: Sequence): void {
    // Attention makes a token dearer the deeper it is.
    this.#parked.touch(sequence, 1 + sequence.computedLength / 4096);
  }

  #cutPath(sequence: Sequence, tokens: OwnedTokens, length: number): void {
    const tree = this.#tree(sequence.key);
    if (tree.lengthOf(sequence) <= length) return;
    this.#removePath(sequence);
    if (length > 0) this.#tree(sequence.key).extend(sequence, tokens.view.subarray(0, length), tokens.owner);
  }

  #removePath(sequence: Sequence): void {
    const tree = this.#trees.get(sequence.key);
    tree?.remove(sequence);
    if (tree?.size === 0) this.#trees.delete(sequence.key);
  }

  #drop(sequence: Sequence): void {
    this.#removePath(sequence);
    this.layout.drop(sequence);
    sequence.running = false;
    this.#idle.push(sequence.id);
  }
}

/** What was known of more of a sequence than it has now is not known of what comes in its place. */
function limit(sequence: Sequence, length: number): void {
  sequence.soundLength = Math.min(sequence.soundLength, length);
  sequence.keptLength = Math.min(sequence.keptLength, length);
}
