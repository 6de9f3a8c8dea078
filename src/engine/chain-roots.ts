import { rootDigest } from "../cache/chain.ts";
import type { DescribeKey } from "./tiers.ts";

/** Most keys that are remembered: salts come from clients. */
const most = 1000;

/** What the chain of blocks of each key begins with. */
export class ChainRoots {
  readonly #describe: DescribeKey;
  readonly #roots = new Map<string, string>();

  constructor(describe: DescribeKey) {
    this.#describe = describe;
  }

  of(key: string): string {
    const known = this.#roots.get(key);
    if (known !== undefined) return known;
    if (this.#roots.size >= most) this.#roots.clear();
    const root = rootDigest(...this.#describe(key));
    this.#roots.set(key, root);
    return root;
  }
}
