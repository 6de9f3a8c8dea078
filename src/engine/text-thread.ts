import { Worker } from "node:worker_threads";
import { WorkerCrashedError } from "../../lib/errors.ts";
import type { ModelOptions } from "../model-options.ts";
import type { TokenizeOptions } from "../vocab.ts";
import { errorFromJson } from "./protocol.ts";

/** What the thread is started with. */
export interface TextWorkerData {
  readonly path: string;
  /** Address of the `llama_model`, which must stay valid until the thread has ended. */
  readonly pointer: number;
  readonly model: Omit<ModelOptions, "onProgress" | "signal">;
}

/** A text to tokenise. */
export interface TextQuestion extends Required<TokenizeOptions> {
  readonly id: number;
  readonly text: string;
  /** Texts that must have more tokens than this are not tokenised. */
  readonly most: number;
}

interface TextAnswer {
  readonly id: number;
  readonly tokens?: Int32Array;
  /** Tokens that the text has at the least, where that is too many. */
  readonly least?: number;
  readonly error?: string;
}

interface Asked {
  resolve(tokens: Int32Array | number): void;
  reject(error: Error): void;
}

/** A thread that tokenises: a megabyte of text takes most of a second, in which the calling thread has others to serve. */
export class TextThread {
  readonly #worker: Worker;
  readonly #asked = new Map<number, Asked>();
  readonly #ended: Promise<void>;
  #ids = 0;
  #dead: Error | undefined;

  constructor(workerData: TextWorkerData) {
    // The file beside this one, in TypeScript or built.
    const file = import.meta.url.endsWith(".ts") ? "./text-worker.ts" : "./text-worker.js";
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData });
    this.#worker.unref();
    this.#worker.on("message", (message: TextAnswer | "closed") => {
      if (message !== "closed") this.#answered(message);
    });
    this.#ended = new Promise((resolve) => {
      const died = (error: Error) => {
        this.#dead ??= new WorkerCrashedError(`the thread that tokenises died: ${error.message}`, {
          cause: error,
        });
        for (const { reject } of this.#asked.values()) reject(this.#dead);
        this.#asked.clear();
        resolve();
      };
      this.#worker.once("error", died);
      this.#worker.once("exit", (code) => died(new Error(`it ended with code ${code}`)));
    });
  }

  get dead(): boolean {
    return this.#dead !== undefined;
  }

  /** Whether it is tokenising. */
  get busy(): boolean {
    return this.#asked.size > 0;
  }

  /**
   * The token ids of a text, in the order asked for; of one that must have more than `most`, how many it has at the least.
   * @throws WorkerCrashedError
   */
  tokenize(
    text: string,
    { addSpecial, parseSpecial }: Required<TokenizeOptions>,
    most = Number.POSITIVE_INFINITY,
  ): Promise<Int32Array | number> {
    if (this.#dead) return Promise.reject(this.#dead);
    const question: TextQuestion = { id: ++this.#ids, text, most, addSpecial, parseSpecial };
    return new Promise((resolve, reject) => {
      this.#asked.set(question.id, { resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(question);
    });
  }

  /** Resolves when the thread has let go of the model. */
  async close(): Promise<void> {
    if (this.#dead) return;
    this.#worker.ref();
    this.#worker.postMessage("close");
    await this.#ended;
  }

  #answered({ id, tokens, least, error }: TextAnswer): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (this.#asked.size === 0) this.#worker.unref();
    const answer = tokens ?? least;
    if (answer !== undefined) asked?.resolve(answer);
    else asked?.reject(errorFromJson(error ?? ""));
  }
}
