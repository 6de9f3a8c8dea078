import { RequestError } from "../../lib/errors.ts";
import type { LogitsScan } from "../../lib/logits-scan.ts";
import type { Model } from "../model.ts";
import type { Sampler } from "../sampler.ts";
import { allCandidates } from "./all-candidates.ts";
import { type AllowedPick, pickListed } from "./allowed.ts";
import { applyToAll, applyToSome } from "./apply-custom.ts";
import type { Candidates } from "./candidates.ts";
import { CustomSampler } from "./custom.ts";
import { type Link, type Narrower, type Narrowing, narrowerFor } from "./narrowing.ts";
import { NativeSampler } from "./native-sampler.ts";
import type { TokenHistory } from "./token-history.ts";

/** What a choice depends on besides the logits. */
export interface PickerState {
  readonly links: readonly Link[];
  readonly grammar: Sampler | undefined;
  /** Prompt and generated tokens, for samplers in TypeScript. */
  readonly history: TokenHistory;
}

/** Chooses tokens by the links of a chain: among candidates that may be picked, where that can be known, or among all. */
export class Picker {
  readonly #model: Model;
  narrowing: Narrowing = "survivors";
  /** How often fewer candidates than the whole vocabulary were enough. */
  narrowed = 0;
  /** All biases where biases and greedy are all there is, which needs no candidates; null where it is not. */
  #greedy: readonly (readonly [token: number, bias: number])[] | null | undefined;
  /** Undefined before it was looked for; null where all tokens have to be looked at. */
  #narrower: Narrower | null | undefined;

  constructor(model: Model) {
    this.#model = model;
  }

  /** What was found out about the links holds no longer. */
  forget(): void {
    this.#greedy = undefined;
    this.#narrower?.dispose?.();
    this.#narrower = undefined;
  }

  /**
   * The token chosen; undefined where the grammar allows none. The logits may be changed.
   * @throws RequestError where samplers ruled out every token, RangeError for NaN.
   */
  choose(scan: LogitsScan, { links, grammar, history }: PickerState): number | undefined {
    const narrows = this.narrowing === "survivors";
    if (narrows && !grammar) {
      if (this.#greedy === undefined) this.#greedy = biasesBeforeGreedy(links) ?? null;
      if (this.#greedy) return pickGreedily(scan, this.#greedy);
    }
    const leading = links.findIndex((link) => !(link instanceof CustomSampler));
    for (const link of links.slice(0, leading))
      applyToAll(link as CustomSampler, scan, { tokens: history.view() });
    const rest = leading > 0 ? links.slice(leading) : links;
    if (narrows && this.#narrower === undefined) this.#narrower = narrowerFor(rest) ?? null;
    let token = this.#pick(scan, rest, history);
    if (token === undefined) throw nothingLeft();
    if (!grammar || grammar.allows(token)) return token;
    const allowed = narrows ? this.#pickAllowed(scan, rest, { grammar, history }) : undefined;
    if (allowed) return allowed.token;
    // libllama's filter lets a few tokens pass that it would then end the process on; those are ruled out one by one.
    while (token !== undefined && !grammar.allows(token)) {
      scan.set(token, Number.NEGATIVE_INFINITY);
      token = this.#pickFromAll(scan, rest, { grammar, history });
    }
    return token;
  }

  /** The token that the samplers choose; undefined where none is left to choose from. */
  #pick(scan: LogitsScan, links: readonly Link[], history: TokenHistory): number | undefined {
    const narrowed = this.narrowing === "survivors" ? this.#narrower?.narrow(scan) : undefined;
    if (!narrowed) return this.#pickFromAll(scan, links, { grammar: undefined, history });
    this.narrowed++;
    return this.#apply(narrowed.candidates, links.slice(narrowed.applied), history);
  }

  /** Among the tokens that the grammar allows, the likeliest of which are found without looking at all. */
  #pickAllowed(
    scan: LogitsScan,
    links: readonly Link[],
    { grammar, history }: { grammar: Sampler; history: TokenHistory },
  ): AllowedPick {
    const narrowed = this.#narrower?.narrowAllowed?.(scan, (token) => grammar.allows(token));
    if (!narrowed) return pickListed(scan, links, grammar);
    const token = this.#apply(narrowed.candidates, links.slice(narrowed.applied), history);
    return token === undefined ? undefined : { token };
  }

  #pickFromAll(
    scan: LogitsScan,
    links: readonly Link[],
    { grammar, history }: Omit<PickerState, "links">,
  ): number | undefined {
    const candidates = allCandidates(this.#model.native, scan);
    if (candidates.hasChoice) grammar?.apply(candidates);
    return this.#apply(candidates, links, history);
  }

  #apply(candidates: Candidates, links: readonly Link[], history: TokenHistory): number | undefined {
    for (const link of links) {
      if (!candidates.hasChoice) return undefined;
      if (link instanceof NativeSampler) link.apply(candidates);
      else applyToSome(link, candidates, { tokens: history.view(), vocabularySize: this.#model.vocab.size });
    }
    return candidates.selected;
  }
}

function pickGreedily(scan: LogitsScan, biases: readonly (readonly [number, number])[]): number {
  for (const [token, bias] of biases) scan.set(token, scan.logits[token]! + bias);
  const best = scan.argmax();
  if (best === undefined) throw nothingLeft();
  return best;
}

/** All biases of a chain that ends with greedy and does nothing else; undefined for other chains. */
function biasesBeforeGreedy(links: readonly Link[]): (readonly [number, number])[] | undefined {
  if (links.at(-1)?.name !== "greedy") return undefined;
  const biases: (readonly [number, number])[] = [];
  for (const link of links.slice(0, -1)) {
    if (!(link instanceof NativeSampler) || !link.traits.biases) return undefined;
    biases.push(...link.traits.biases);
  }
  return biases;
}

function nothingLeft(): RequestError {
  return new RequestError("no token is left to pick: logit_bias or samplers in TypeScript ruled out all");
}
