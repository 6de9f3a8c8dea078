import type { AnswerWriter } from "./answer-writer.ts";
import type { Schema } from "./value-kind.ts";

/** The functions that a call may name, and the schemas of their arguments. */
export type ToolSchemas = ReadonlyMap<string, Schema>;

/** What must be known before a call is told: text that is no call after all can then still come out as content. */
export type Commitment = "name" | "name-and-id" | "name-and-arguments";

/** Makes the id of a call; `written` is what the model wrote. */
export type IdMaker = (call: { name: string; index: number; written: string }) => string;

/** A call while it is read: holds back what is known of it until it surely is one. */
export class OpenCall {
  readonly #writer: AnswerWriter;
  readonly #tools: ToolSchemas;
  readonly #commitment: Commitment;
  readonly #makeId: IdMaker;
  #name: string | undefined;
  #id = "";
  #arguments = "";
  #hasBegun = false;
  #isCommitted = false;

  constructor(writer: AnswerWriter, tools: ToolSchemas, commitment: Commitment, makeId: IdMaker) {
    this.#writer = writer;
    this.#tools = tools;
    this.#commitment = commitment;
    this.#makeId = makeId;
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
    if (this.#commitment === "name-and-id" && this.#name !== undefined) this.#commit();
  }

  /** Told when arguments begin, before any of their text. */
  beginArguments(): void {
    this.#hasBegun = true;
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
    const index = this.#writer.callCount;
    this.#writer.call(this.#makeId({ name: this.#name, index, written: this.#id }), this.#name);
    this.#writer.arguments(this.#arguments);
  }
}
