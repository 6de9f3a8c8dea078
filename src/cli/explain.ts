import { RequestError } from "../../lib/errors.ts";

/** Options and fields that the library's messages begin with, and the flags that set them. */
const flags = new Map([
  ["contextLength", "--ctx-size"],
  ["batchSize", "--batch-size"],
  ["microBatchSize", "--ubatch-size"],
  ["tensorSplit", "--tensor-split"],
  ["devices", "--device"],
  ["kvOverrides", "--override-kv"],
  ["logit_bias", "--logit-bias"],
  ["samplers", "--samplers"],
  ["dry_sequence_breakers", "--dry-sequence-breaker"],
]);

/** What to write about an error, and the exit status: 2 where the fault is in a flag, 1 elsewhere. */
export function explain(error: Error): { message: string; status: 1 | 2 } {
  const field = /^\w+/.exec(error.message)?.[0] ?? "";
  const flag = flags.get(field);
  const message = error.message.replace("with a larger contextLength", "with a larger --ctx-size (-c)");
  const misuse = error instanceof TypeError || error instanceof RangeError;
  const status = misuse || (flag !== undefined && error instanceof RequestError) ? 2 : 1;
  return { message: flag === undefined ? message : `${flag}: ${message}`, status };
}
