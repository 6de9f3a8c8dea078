import type { LogitsScan } from "../../lib/logits-scan.ts";
import type { Candidates } from "./candidates.ts";
import type { CandidateView, CustomSampler, CustomSamplerInfo } from "./custom.ts";

/** 0, 1, 2 and so on, for the last size of vocabulary. */
let allTokens = new Int32Array(0);

/** Applies a sampler to the logits of the whole vocabulary, in place. @throws RangeError for NaN and +Infinity. */
export function applyToAll(custom: CustomSampler, scan: LogitsScan, info: CustomSamplerInfo): void {
  const { logits } = scan;
  const view: CandidateView = {
    logits,
    get tokens() {
      if (allTokens.length !== logits.length)
        allTokens = Int32Array.from({ length: logits.length }, (_, token) => token);
      return allTokens;
    },
    whole: () => logits,
  };
  custom.apply(view, info);
  scan.rescan();
  if (scan.largest < Number.POSITIVE_INFINITY) return;
  const token = logits.findIndex(isBroken);
  throw custom.broken(token, logits[token]!);
}

/** Applies a sampler to what others have left. @throws RangeError for NaN and +Infinity. */
export function applyToSome(
  custom: CustomSampler,
  candidates: Candidates,
  info: CustomSamplerInfo & { readonly vocabularySize: number },
): void {
  candidates.changeLogits((tokens, logits) => {
    let whole: Float32Array | undefined;
    const spread = () => {
      if (!whole) {
        whole = new Float32Array(info.vocabularySize).fill(Number.NEGATIVE_INFINITY);
        for (const [index, token] of tokens.entries()) whole[token] = logits[index]!;
      }
      return whole;
    };
    custom.apply({ tokens: tokens.slice(), logits, whole: spread }, info);
    if (whole) for (const [index, token] of tokens.entries()) logits[index] = whole[token]!;
    const broken = logits.findIndex(isBroken);
    if (broken >= 0) throw custom.broken(tokens[broken]!, logits[broken]!);
  });
}

function isBroken(logit: number): boolean {
  return !(logit < Number.POSITIVE_INFINITY);
}
