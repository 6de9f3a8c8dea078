import type { Libc } from "../../ffi/libc.ts";

/** Frees what this thread refers to no more and gives its memory back, on runtimes that can be told to. */
export function collectGarbage(): void {
  (globalThis as { Bun?: { gc(force: boolean): void } }).Bun?.gc(true);
}

/** Turns whose garbage is worth the 20 ms or so that collecting it takes, whoever may wait meanwhile. */
const mostTurns = 2048;
/** The same where nobody waits. */
const untidyTurns = 64;
/** Milliseconds without work after which nobody is taken to wait. */
const restMs = 1000;

/**
 * Gives memory back for a loop that lets no event loop run. Bun collects garbage there too, but what looks for pages that have
 * become empty and gives them back are timers of the event loop, so that the heap would keep whatever it once took. The C
 * library keeps what libllama frees, such as buffers for computing each time that other adapters are used.
 */
export class Tidier {
  readonly #tidy: () => void;
  #turns = 0;

  constructor(tidy: () => void) {
    this.#tidy = tidy;
  }

  static for(libc: Libc): Tidier {
    return new Tidier(() => {
      collectGarbage();
      libc.trim();
    });
  }

  /** How long to wait for work before {@link rested} is called; undefined where there is nothing to tidy. */
  get restMs(): number | undefined {
    return this.#turns < untidyTurns ? undefined : restMs;
  }

  /** A turn of the loop is over. */
  turned(): void {
    if (++this.#turns >= mostTurns) this.rested();
  }

  /** No work came for {@link restMs}. */
  rested(): void {
    this.#turns = 0;
    this.#tidy();
  }
}
