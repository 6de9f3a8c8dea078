import type { Native } from "../../ffi/index.ts";
import { Model } from "../../src/model.ts";

type Functions = Native["c"];

/** A loaded model seen through an edge to C at which calls can be made to fail; the real library does the rest. */
export class FaultyModel implements Disposable {
  readonly model: Model;
  /** Calls of `llama_decode` so far, answered here or there. */
  decodes = 0;
  /** Answers calls of `llama_decode`; undefined makes the call. */
  decode: (() => number | undefined) | undefined;
  /** Whether contexts can be made. */
  makesContexts = true;

  constructor(model: Model) {
    const { c } = model.native;
    const edge: Partial<Functions> = {
      llama_decode: (context, batch) => {
        const status = this.decode?.();
        this.decodes++;
        return status ?? c.llama_decode(context, batch);
      },
      llama_init_from_model: (pointer, parameters) =>
        this.makesContexts ? c.llama_init_from_model(pointer, parameters) : (0 as never),
    };
    const functions = new Proxy({} as Functions, {
      get: (_, name: keyof Functions) => edge[name] ?? c[name],
    });
    const { path, pointer } = model;
    this.model = Model.borrow({ ...model.native, c: functions }, { path, pointer });
  }

  /** Answers the next calls with these statuses, and makes those after them. */
  answer(...statuses: readonly number[]): void {
    const left = [...statuses];
    this.decode = () => left.shift();
  }

  [Symbol.dispose](): void {
    this.model.dispose();
  }
}
