import type { Native } from "../../ffi/index.ts";

/** How often the real `llama_decode` was called, and how to put it back. */
export interface FailingDecode extends Disposable {
  readonly calls: number;
}

/**
 * Stands at the edge to C: before each call of `llama_decode`, `status` may answer in its place. Undefined makes the call.
 * @param status is given the number of the call, from 0 on, and the tokens in its batch.
 */
export function failDecode(
  native: Native,
  status: (call: number, tokens: number) => number | undefined,
): FailingDecode {
  const c = native.c as { llama_decode: Native["c"]["llama_decode"] };
  const real = c.llama_decode;
  let calls = 0;
  c.llama_decode = (context, batch) => status(calls++, batch.get("n_tokens")) ?? real(context, batch);
  return {
    get calls() {
      return calls;
    },
    [Symbol.dispose]() {
      c.llama_decode = real;
    },
  };
}
