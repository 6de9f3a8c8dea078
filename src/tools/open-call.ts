import type { AnswerWriter } from "./answer-writer.ts";
import type { Schema } from "./value-kind.ts";

/** The functions that a call may name, and the schemas of their arguments. */
export type ToolSchemas = ReadonlyMap<string, Schema>;

/** When a call is told: with its name, or not before what follows the name is a call's. Until then it can turn out to be content. */
export type Commitment = "name" | "settled";

/** Makes the id of a call; `written` is what the model wrote. */
export type IdMaker = (call: { name: string; index: number; written: string }) => string;

/** What calls of one answer share. */
export interface CallContext {
  readonly writer: AnswerWriter;
  readonly tools: ToolSchemas;
  readonly makeId: IdMaker;
}

/** A call while it is read: holds back what is known of it until it surely is one. */
export class OpenCall {
  readonly #writer: AnswerWriter;
  readonly #tools: ToolSchemas;
  readonly #makeId: IdMaker;
  readonly #commitment: Commitment;
  #name: string | undefined;
  #id = "";
  #arguments = "";
  #hasBegun = false;
  #isCommitted = false;

  constructor({ writer, tools, makeId }: CallContext, commitment: Commitment) {
    this.#writer = writer;
    this.#tools = tools;
    this.#makeId = makeId;
    this.#commitment = commitment;
  }

  get isCommitted(): boolean {
    return this.#isCommitted;
  }

  /** Schema of the arguments; undefined while no name is known. */
  get schema(): Schema | undefined {
    return this.#name === undefined ? undefined : this.#tools.get(this.#name);
  }

  /** @returns whether there is such a function, and no other name was given. */
  name(name: string): boolean {
    if (this.#name !== undefined || !this.#tools.has(name)) return false;
    this.#name = name;
    if (this.#commitment === "name" || this.#hasBegun) this.#commit();
    return true;
  }

  id(id: string): void {
    if (!this.#isCommitted) this.#id = id;
    this.settle();
  }

  /** Told when arguments begin, before any of their text. */
  beginArguments(): void {
    this.#hasBegun = true;
    this.settle();
  }

  /** Told where it is clear that this is a call, whatever its name. */
  settle(): void {
    if (this.#name !== undefined) this.#commit();
  }

  /** Adds JSON text. */
  arguments(text: string): void {
    if (this.#isCommitted) this.#writer.arguments(text);
    else this.#arguments += text;
  }

  /** A call that is complete without arguments has none: `{}`. */
  complete(): void {
    if (this.#isCommitted && !this.#writer.hasArguments) this.#writer.arguments("{}");
  }

  #commit(): void {
    if (this.#isCommitted || this.#name === undefined) return;
    this.#isCommitted = true;
    const name = this.#name;
    const index = this.#writer.callCount;
    let id = this.#makeId({ name, index, written: this.#id });
    // Results are told by the ids of their calls: one that the model has written twice gives way to one of ours.
    for (let other = index; this.#id !== "" && this.#writer.hasId(id) && other <= 2 * index; other++)
      id = this.#makeId({ name, index: other, written: "" });
    this.#writer.call(id, name);
    this.#writer.arguments(this.#arguments);
  }
}
