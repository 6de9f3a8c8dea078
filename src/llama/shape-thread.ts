import { Worker } from "node:worker_threads";
import { WorkerCrashedError } from "../../lib/errors.ts";
import { errorFromJson } from "../engine/protocol.ts";
import { Grammar, type GrammarParts } from "../grammar.ts";
import { answerQuestion, type ShapeQuestion } from "./shape-question.ts";

/** What the thread answers. */
export type ShapeReply =
  | { readonly id: number; readonly parts: GrammarParts }
  | { readonly id: number; readonly error: string };

interface Asked {
  resolve(grammar: Grammar): void;
  reject(error: Error): void;
}

/**
 * A thread that makes grammars: a hundred functions take half a second, in which the calling thread has streams to serve.
 * One for the process; it keeps no program alive but while it is asked.
 */
class ShapeThread {
  readonly #worker: Worker;
  readonly #asked = new Map<number, Asked>();
  #ids = 0;

  constructor() {
    // The file beside this one, in TypeScript or built.
    const file = import.meta.url.endsWith(".ts") ? "./shape-worker.ts" : "./shape-worker.js";
    this.#worker = new Worker(new URL(file, import.meta.url));
    this.#worker.unref();
    this.#worker.on("message", (reply: ShapeReply) => this.#answered(reply));
    const died = (error: Error) => {
      if (current === this) current = undefined;
      const message = `the thread that compiles schemas died: ${error.message}; ask again`;
      for (const { reject } of this.#asked.values())
        reject(new WorkerCrashedError(message, { cause: error }));
      this.#asked.clear();
    };
    this.#worker.once("error", died);
    this.#worker.once("exit", (code) => died(new Error(`it ended with code ${code}`)));
  }

  ask(question: ShapeQuestion): Promise<Grammar> {
    const id = ++this.#ids;
    return new Promise((resolve, reject) => {
      this.#worker.postMessage({ id, question });
      this.#asked.set(id, { resolve, reject });
      this.#worker.ref();
    });
  }

  #answered(reply: ShapeReply): void {
    const asked = this.#asked.get(reply.id);
    this.#asked.delete(reply.id);
    if (this.#asked.size === 0) this.#worker.unref();
    if ("parts" in reply) asked?.resolve(Grammar.assemble(reply.parts));
    else asked?.reject(errorFromJson(reply.error));
  }
}

let current: ShapeThread | undefined;

/**
 * The grammar of a question, made on a thread of its own.
 * @throws what `answerQuestion` throws; WorkerCrashedError.
 */
export function askShapeThread(question: ShapeQuestion): Promise<Grammar> {
  current ??= new ShapeThread();
  return current.ask(question).catch((error: unknown) => {
    // What cannot be sent is no JSON either, and is refused by name.
    if ((error as Error).name === "DataCloneError") return answerQuestion(question);
    throw error;
  });
}
