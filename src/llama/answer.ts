import type { Engine, EngineEvent, EngineRequest, EngineStream } from "../engine/engine.ts";
import type { RequestStats } from "../engine/request.ts";
import { AnswerClock } from "./answer-clock.ts";
import { engineRequest, type PreparedRequest, type Prompt } from "./engine-request.ts";
import type { FinishReason, GenerationParams, StreamReports, Timings } from "./types.ts";

/** What an answer needs of an engine. */
export type AnsweringEngine = Pick<Engine, "model" | "contextLength" | "generates" | "submit">;

/** What the generations of a `Llama` have in common. */
export interface LlamaParts {
  readonly engine: AnsweringEngine;
  /** Is given the tokens of each text that has ended, but for the one sampled last, which is not computed. */
  readonly ended: (tokens: Int32Array) => void;
}

export type TokenEvent = Extract<EngineEvent, { type: "token" }>;
export type ProgressEvent = Extract<EngineEvent, { type: "progress" }>;
export type PromptTokenEvent = Extract<EngineEvent, { type: "prompt-token" }>;

/** How an answer ended. */
export interface Outcome {
  readonly reason: FinishReason;
  /** The stop string that ended it. */
  readonly stop: string | undefined;
  /** Text that was held back. */
  readonly text: string;
  readonly stats: RequestStats;
}

/** Starts several answers; where one is refused, those before it are given up. */
export function startAnswers(count: number, start: (index: number) => Answer): Answer[] {
  const answers: Answer[] = [];
  try {
    for (let index = 0; index < count; index++) answers.push(start(index));
  } catch (error) {
    for (const answer of answers) void answer.return();
    throw error;
  }
  return answers;
}

/** One answer to one prompt, as an engine gives it. */
export class Answer {
  readonly #parts: LlamaParts;
  readonly #params: GenerationParams & StreamReports;
  readonly #prepared: PreparedRequest;
  readonly #stream: EngineStream;
  readonly #clock = new AnswerClock();
  #promptLength = 0;
  #outcome: Outcome | undefined;

  /** Hands the prompt to the engine. @throws RequestError, TypeError naming the field of `params`; DisposedError. */
  constructor(
    parts: LlamaParts,
    prompt: Prompt,
    { params, more = {} }: { params: GenerationParams & StreamReports; more?: Partial<EngineRequest> },
  ) {
    this.#parts = parts;
    this.#params = params;
    this.#prepared = engineRequest(parts.engine, prompt, params);
    this.#stream = parts.engine.submit({ ...this.#prepared.request, ...more });
  }

  /** The prompt's tokens, once there was an event; borrowed. */
  get promptTokens(): Int32Array {
    return this.#stream.tokens.subarray(0, this.#promptLength);
  }

  /** What it took so far, by the clock of this thread. */
  get timings(): Timings {
    return this.#clock.timings;
  }

  /** Milliseconds since it was handed over. */
  get elapsedMs(): number {
    return this.#clock.elapsedMs;
  }

  /** How it ended, after the last token. */
  get outcome(): Outcome {
    return this.#outcome!;
  }

  /** The next token, or what is told about the prompt; undefined after the last. @throws what ended it. */
  async next(): Promise<TokenEvent | PromptTokenEvent | ProgressEvent | undefined> {
    for (;;) {
      const step = await this.#stream.next();
      // Nothing comes after an end, and nothing else ends a stream that is read by us alone.
      if (step.done) return undefined;
      const event = step.value;
      switch (event.type) {
        case "token":
          this.#clock.token();
          return event;
        case "prompt-token":
          return event;
        case "progress":
          this.#promptLength = event.totalLength;
          this.#clock.progress(event);
          this.#params.onPromptProgress?.({
            totalLength: event.totalLength,
            cachedLength: event.cachedLength,
            computedLength: event.computedLength - event.cachedLength,
          });
          if (this.#params.return_progress) return event;
          break;
        case "end":
          this.#ended(event);
          return undefined;
        case "error":
          this.#prepared[Symbol.dispose]();
          throw event.error;
      }
    }
  }

  /** Gives it up; what is being waited for ends soon. */
  cancel(): void {
    this.#stream.cancel();
  }

  /** Gives it up, where it has not ended, and frees what it has. */
  async return(): Promise<void> {
    await this.#stream.return?.();
    this.#prepared[Symbol.dispose]();
  }

  #ended({ reason, stop, text, stats }: Extract<EngineEvent, { type: "end" }>): void {
    this.#prepared[Symbol.dispose]();
    this.#outcome = { reason: reason === "length" ? "length" : "stop", stop, text, stats };
    const { tokens } = this.#stream;
    this.#parts.ended(tokens.subarray(0, tokens.length - (stats.generatedLength > 0 ? 1 : 0)));
  }
}
