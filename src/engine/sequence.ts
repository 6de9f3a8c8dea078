/** One sequence of the context: its cells hold positions [0, computedLength) of some tokens. */
export class Sequence {
  /** `llama_seq_id`; another one once it was moved. */
  id: number;
  /** What its tokens must agree in with a request's, beside the tokens: salt and adapters. */
  key = "";
  computedLength = 0;
  /** How much of it is known to be sound: logits of a later token were numbers. */
  soundLength = 0;
  /** How much of it was kept in host memory when it was last looked at. */
  keptLength = 0;
  /** How long it will be before its request generates anything; what followers may wait for. */
  promisedLength = 0;
  /** Whether a request is using it; otherwise it is parked. */
  running = false;
  /** How many requests have had it, so that a later one is not taken for an earlier. */
  leases = 0;

  constructor(id: number) {
    this.id = id;
  }
}
