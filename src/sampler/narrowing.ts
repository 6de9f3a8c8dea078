import type { LogitsScan } from "../../lib/logits-scan.ts";
import type { Candidates } from "./candidates.ts";
import type { CustomSampler } from "./custom.ts";
import { NativeSampler } from "./native-sampler.ts";
import { Nucleus } from "./nucleus.ts";
import { Prefilter } from "./prefilter.ts";

export type Link = NativeSampler | CustomSampler;

/** Which candidates samplers are given: those that might be picked, or all. What is picked is the same. */
export type Narrowing = "survivors" | "none";

/** What is left of a choice once those that cannot be picked are out. */
export interface Narrowed {
  readonly candidates: Candidates;
  /** So many samplers of the chain have been applied to them. */
  readonly applied: number;
}

/** Applies the first samplers of a chain to fewer candidates than all, such that what is picked stays the same. */
export interface Narrower {
  /** Undefined where all candidates have to be looked at; nothing has changed then. The logits are left as they are. */
  narrow(scan: LogitsScan): Narrowed | undefined;
  /** The same of the candidates that a grammar allows, where there is a faster way than listing them. */
  narrowAllowed?(scan: LogitsScan, allows: (token: number) => boolean): Narrowed | undefined;
  dispose?(): void;
}

/** Undefined for a chain of which only the whole vocabulary tells what is picked. */
export function narrowerFor(links: readonly Link[]): Narrower | undefined {
  const before: NativeSampler[] = [];
  for (const link of links) {
    if (!(link instanceof NativeSampler)) return undefined;
    const { keeps, changes } = link.traits;
    if (keeps && "mass" in keeps)
      return new Nucleus(link.native, { before, keeps, after: links.slice(before.length + 1) });
    if (keeps) return new Prefilter(link, { before, keeps });
    if (changes === undefined) return undefined;
    before.push(link);
  }
  return undefined;
}
