/** Length of the common prefix of two token lists. */
export type CompareTokens = (a: Int32Array, b: Int32Array) => number;

/** Where tokens of the tree live; `drop` is called when no node refers to them any longer. */
export interface TokenOwner {
  drop(): void;
}

/** How much of an overlap of `overlap` tokens with a holder's path can be used; at most `overlap`. */
export type Usable<H> = (holder: H, overlap: number) => number;

export interface TreeMatch<H> {
  readonly holder: H;
  readonly length: number;
}

interface Node<H> {
  parent: Node<H> | undefined;
  /** Depth of the first token of the edge that leads here. */
  start: number;
  /** The edge: a slice of its owner's tokens, never a copy. */
  tokens: Int32Array;
  owner: TokenOwner | undefined;
  readonly children: Map<number, Node<H>>;
  /** Whoever's path goes through this edge, or ends on it. */
  holders: Set<H>;
}

interface Place<H> {
  node: Node<H>;
  /** Depth where the path ends, within the node's edge. */
  depth: number;
}

/**
 * A compressed radix tree over token lists: what has been computed, by whom, and where it branches.
 *
 * A holder is anything that has the tokens from the root to the end of its path: a sequence of a context, later a stored
 * block. Tokens stay where they are, in slices that their owners keep until the last node is gone. A path may end inside
 * an edge, and a match counts such a part. Looking up costs the length of the tokens and the branches on the way, however
 * much else the tree holds.
 *
 * Source: Morrison, "PATRICIA" (1968); for prefixes of prompts, Zheng et al., "SGLang" (2023).
 */
export class RadixTree<H> {
  readonly #compare: CompareTokens;
  readonly #root: Node<H> = node<H>(undefined, 0, new Int32Array(0), undefined);
  readonly #places = new Map<H, Place<H>>();
  readonly #owned = new Map<TokenOwner, { edges: number; from: number }>();
  #nodes = 0;

  constructor(compare: CompareTokens) {
    this.#compare = compare;
  }

  /** Holders in the tree. */
  get size(): number {
    return this.#places.size;
  }
  get nodeCount(): number {
    return this.#nodes;
  }

  /** Tokens on all edges: what paths share is counted once. */
  get tokenCount(): number {
    const count = (at: Node<H>): number =>
      [...at.children.values()].reduce((sum, child) => sum + count(child), at.tokens.length);
    return count(this.#root);
  }

  holders(): IterableIterator<H> {
    return this.#places.keys();
  }

  has(holder: H): boolean {
    return this.#places.has(holder);
  }

  /** The first of an owner's tokens that an edge may refer to, by depth; undefined where none does. */
  referredFrom(owner: TokenOwner): number | undefined {
    return this.#owned.get(owner)?.from;
  }

  /** Length of a holder's path; 0 for one that the tree does not have. */
  lengthOf(holder: H): number {
    return this.#places.get(holder)?.depth ?? 0;
  }

  /** The tokens of a holder's path, copied; none for a holder that the tree does not have. */
  tokensOf(holder: H): Int32Array {
    const place = this.#places.get(holder);
    const tokens = new Int32Array(place?.depth ?? 0);
    for (let at = place?.node; at; at = at.parent)
      tokens.set(at.tokens.subarray(0, tokens.length - at.start), at.start);
    return tokens;
  }

  /**
   * Gives a holder the path of `tokens`, or makes its path longer: `tokens` must then begin with what it has already.
   * Where the tree has no such path yet it refers to `tokens`, whose owner must keep them until `drop`.
   * @returns how many of the tokens the tree had already, beyond the holder's own path.
   */
  extend(holder: H, tokens: Int32Array, owner: TokenOwner): number {
    let place = this.#places.get(holder);
    if (!place) {
      place = { node: this.#root, depth: 0 };
      this.#places.set(holder, place);
      this.#root.holders.add(holder);
    }
    if (tokens.length < place.depth)
      throw new RangeError(`a path of ${place.depth} tokens cannot be extended to ${tokens.length}`);
    while (place.depth < tokens.length) {
      const { node } = place;
      const end = node.start + node.tokens.length;
      if (place.depth < end) {
        const rest = node.tokens.subarray(place.depth - node.start);
        place.depth += this.#compare(rest, tokens.subarray(place.depth));
        if (place.depth < end && place.depth < tokens.length) this.#split(node, place.depth);
        continue;
      }
      const child = node.children.get(tokens[place.depth]!);
      if (child) {
        place.node = child;
        child.holders.add(holder);
        continue;
      }
      const known = place.depth;
      this.#grow(place, tokens, owner);
      place.node.holders.add(holder);
      place.depth = tokens.length;
      return known;
    }
    return place.depth;
  }

  /** Takes a holder out, and every edge that no other path needs. */
  remove(holder: H): void {
    const place = this.#places.get(holder);
    if (!place) return;
    this.#places.delete(holder);
    for (let at: Node<H> | undefined = place.node; at; at = at.parent) {
      at.holders.delete(holder);
      if (at === this.#root) break;
      if (at.holders.size === 0) this.#detach(at);
      else if (at.children.size === 0) this.#trim(at);
    }
  }

  /**
   * The holder that can give most of a prefix of `tokens`, by what `usable` says of each; undefined where none can give
   * any. Of equals the one whose path leaves `tokens` last.
   */
  find(tokens: Int32Array, usable: Usable<H>): TreeMatch<H> | undefined {
    const path: { node: Node<H>; end: number }[] = [];
    let at = this.#root;
    for (let depth = 0; depth < tokens.length; ) {
      const child = at.children.get(tokens[depth]!);
      if (!child) break;
      const common = this.#compare(child.tokens, tokens.subarray(depth));
      depth += common;
      path.push({ node: child, end: depth });
      if (common < child.tokens.length) break;
      at = child;
    }
    let best: TreeMatch<H> | undefined;
    for (let index = path.length - 1; index >= 0; index--) {
      const { node, end } = path[index]!;
      if (best && best.length >= end) break;
      for (const holder of node.holders) {
        const length = usable(holder, Math.min(end, this.lengthOf(holder)));
        if (length > (best?.length ?? 0)) best = { holder, length };
        if (length === end) break;
      }
    }
    return best;
  }

  /** Length of the longest prefix of `tokens` that the tree knows, computed by anyone or not. */
  knownLength(tokens: Int32Array): number {
    return this.find(tokens, (_, overlap) => overlap)?.length ?? 0;
  }

  /**
   * Checks that edges, holders and owners agree.
   * @throws Error naming what does not; for tests and debugging.
   */
  check(): void {
    const fail = (problem: string): never => {
      throw new Error(`radix tree: ${problem}`);
    };
    const owned = new Map<TokenOwner, number>();
    let nodes = 0;
    const visit = (at: Node<H>): void => {
      const end = at.start + at.tokens.length;
      const below = new Set<H>();
      const longest = Math.max(0, ...[...at.holders].map((holder) => this.#places.get(holder)!.depth));
      if (at.children.size === 0 && longest < end) fail(`nobody holds all of the edge to depth ${end}`);
      for (const [first, child] of at.children) {
        nodes++;
        if (child.parent !== at) fail(`a child at depth ${end} has another parent`);
        if (child.start !== end) fail(`a child of depth ${end} starts at ${child.start}`);
        if (child.tokens.length === 0) fail(`an empty edge at depth ${end}`);
        if (child.tokens[0] !== first) fail(`the edge of ${first} at depth ${end} begins otherwise`);
        if (child.holders.size === 0) fail(`nobody holds the edge at depth ${end}`);
        owned.set(child.owner!, (owned.get(child.owner!) ?? 0) + 1);
        for (const holder of child.holders) below.add(holder);
        visit(child);
      }
      for (const holder of below) if (!at.holders.has(holder)) fail(`a holder has a gap at depth ${end}`);
      for (const holder of at.holders) {
        const place = this.#places.get(holder) ?? fail("a holder without a place");
        const ends = place.node === at;
        if (ends === below.has(holder)) fail(`a holder's path at depth ${end} does not end where it says`);
        if (ends && (place.depth > end || (place.depth <= at.start && at !== this.#root)))
          fail(`a path ends at ${place.depth}, outside its edge [${at.start}, ${end})`);
      }
    };
    visit(this.#root);
    if (nodes !== this.#nodes) fail(`${nodes} nodes, counted ${this.#nodes}`);
    for (const holder of this.#places.keys())
      if (!this.#root.holders.has(holder)) fail("a holder that the root does not know");
    if (owned.size !== this.#owned.size) fail(`${owned.size} owners, counted ${this.#owned.size}`);
    for (const [owner, count] of owned)
      if (this.#owned.get(owner)?.edges !== count) fail(`an owner of ${count} edges, counted otherwise`);
  }

  /** Adds the tokens from `place.depth` on: to the edge that ends there where they follow it in memory, else in a child. */
  #grow(place: Place<H>, tokens: Int32Array, owner: TokenOwner): void {
    const { node: at, depth } = place;
    const follows =
      at.owner === owner &&
      at.children.size === 0 &&
      at.tokens.byteOffset + at.tokens.byteLength === tokens.byteOffset + 4 * depth;
    if (follows) {
      at.tokens = tokens.subarray(at.start);
      return;
    }
    const child = node(at, depth, tokens.subarray(depth), owner);
    at.children.set(tokens[depth]!, child);
    this.#nodes++;
    this.#refer(owner, depth);
    place.node = child;
  }

  /** Cuts an edge at a depth: what is above becomes a node of its own. */
  #split(lower: Node<H>, depth: number): void {
    const owner = lower.owner!;
    const cut = depth - lower.start;
    const upper = node(lower.parent, lower.start, lower.tokens.subarray(0, cut), owner);
    lower.parent!.children.set(lower.tokens[0]!, upper);
    upper.children.set(lower.tokens[cut]!, lower);
    lower.parent = upper;
    lower.start = depth;
    lower.tokens = lower.tokens.subarray(cut);
    upper.holders = lower.holders;
    lower.holders = new Set();
    this.#nodes++;
    this.#refer(owner, upper.start);
    for (const holder of upper.holders) {
      const place = this.#places.get(holder)!;
      if (place.node !== lower || place.depth > depth) lower.holders.add(holder);
      else place.node = upper;
    }
  }

  /** Shortens a last edge to what its holders have of it. */
  #trim(last: Node<H>): void {
    let depth = last.start;
    for (const holder of last.holders) depth = Math.max(depth, this.#places.get(holder)!.depth);
    if (depth < last.start + last.tokens.length) last.tokens = last.tokens.subarray(0, depth - last.start);
  }

  #detach(gone: Node<H>): void {
    gone.parent!.children.delete(gone.tokens[0]!);
    this.#nodes--;
    const owner = gone.owner!;
    const owned = this.#owned.get(owner)!;
    if (--owned.edges > 0) return;
    this.#owned.delete(owner);
    owner.drop();
  }

  #refer(owner: TokenOwner, depth: number): void {
    const owned = this.#owned.get(owner) ?? { edges: 0, from: depth };
    owned.edges++;
    owned.from = Math.min(owned.from, depth);
    this.#owned.set(owner, owned);
  }
}

function node<H>(
  parent: Node<H> | undefined,
  start: number,
  tokens: Int32Array,
  owner: TokenOwner | undefined,
): Node<H> {
  return { parent, start, tokens, owner, children: new Map(), holders: new Set() };
}
