import type { LogitsScan } from "../../lib/logits-scan.ts";
import type { Sampler } from "../sampler.ts";
import type { Link } from "./narrowing.ts";
import { NativeSampler } from "./native-sampler.ts";
import { Survivors } from "./survivors.ts";

/** Tokens that a grammar may leave for all of them to be listed. */
const mostListed = 4096;

/** What is left of a choice under a grammar. */
export type AllowedPick =
  /** The token, or undefined where the grammar leaves none. */
  | { readonly token: number | undefined }
  /** libllama's own filter over the whole vocabulary has to tell. */
  | undefined;

/**
 * Picks among the tokens that a grammar allows, as libllama picks once it has filtered the whole vocabulary: what the filter
 * takes out stays among its candidates without any probability, which changes nothing that the samplers here do, as long as no
 * two of the likeliest are equal.
 */
export function pickListed(scan: LogitsScan, links: readonly Link[], grammar: Sampler): AllowedPick {
  const [first] = links;
  if (!(first instanceof NativeSampler)) return undefined;
  if (!links.every((link) => link instanceof NativeSampler && ignoresImpossible(link))) return undefined;
  if (!Survivors.canNarrow(scan, [])) return undefined;
  const tokens = grammar.allowedTokens(mostListed);
  if (!tokens) return undefined;
  const { candidates, count } = Survivors.for(first.native).list(scan, tokens);
  if (count === 0) return { token: undefined };
  for (const link of links as readonly NativeSampler[]) {
    if (!candidates.hasChoice) return { token: undefined };
    const { keeps, picks } = link.traits;
    const sorts = keeps !== undefined && !("share" in keeps) && !picks;
    const logits = sorts ? candidates.logits() : undefined;
    link.apply(candidates);
    if (logits && candidates.hasTies(logits)) return undefined;
  }
  return { token: candidates.selected };
}

/** Whether a sampler does the same whether tokens without probability are there or not. */
function ignoresImpossible({ traits }: NativeSampler): boolean {
  const { keeps, changes, monotone, picksInOrder } = traits;
  return keeps !== undefined || changes !== undefined || monotone === true || picksInOrder === true;
}
