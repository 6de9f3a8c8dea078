import { LiteralAutomaton } from "../../lib/literal-automaton.ts";
import type { AnswerContext } from "./answer-context.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import { CallRun, markersOf } from "./call-run.ts";
import type { CallForm, ToolFormat } from "./format.ts";
import { MarkerScanner } from "./marker-scanner.ts";
import { OpenCall } from "./open-call.ts";
import { isSpace } from "./readers/reader.ts";
import type { ThoughtText } from "./thought-text.ts";

/** Reads an answer whose thoughts and calls stand between markers in the text. */
export class MarkedAnswer {
  readonly #context: AnswerContext;
  readonly #format: ToolFormat;
  readonly #writer: AnswerWriter;
  readonly #thought: ThoughtText;
  readonly #forms = new Map<string, CallForm[]>();
  readonly #text: MarkerScanner;
  readonly #thinking: MarkerScanner | undefined;
  #place: "text" | "thought" | "calls" = "text";
  #run: CallRun | undefined;
  /** Whose white space here is: the text's, or that of the markers before it. */
  #space: "text" | "thought" | "wrapper" = "text";
  /** Whether nothing of the content, or of the thought, has been written yet. */
  #isBlank = true;
  #isWrapped = false;

  constructor(context: AnswerContext) {
    const { format, tools, writer, thought } = context;
    this.#context = context;
    this.#format = format;
    this.#writer = writer;
    this.#thought = thought;
    const { thought: markers, wrapper } = format;
    for (const form of tools.size > 0 ? format.calls : []) {
      for (const marker of markersOf(form)) {
        this.#forms.set(marker, [...(this.#forms.get(marker) ?? []), form]);
      }
    }
    const literals = [markers?.open, wrapper?.open, wrapper?.close, ...this.#forms.keys()];
    const searched = literals.filter((literal) => literal !== undefined);
    this.#text = new MarkerScanner(new LiteralAutomaton(searched), searched.length > 0 ? "held" : "passed");
    if (markers)
      this.#thinking = new MarkerScanner(new LiteralAutomaton([markers.close, markers.open]), "held");
  }

  /** The prompt has opened the thought already. */
  beginThought(): void {
    if (!this.#thinking) return;
    this.#place = "thought";
    this.#isBlank = true;
    this.#space = "thought";
  }

  read(unit: string): void {
    if (this.#place === "calls") this.#readCalls(unit);
    else if (this.#place === "thought") this.#readThought(unit);
    else this.#readText(unit);
  }

  end(end: "stop" | "length"): void {
    if (this.#place === "thought") {
      const rest = this.#thinking!.flush();
      // Where the model has ended, what looked like the beginning of a marker was none.
      if (end === "stop" && rest.trim() !== "") this.#think(rest);
      else this.#thought.writeMarkup(rest);
      return;
    }
    if (this.#place === "calls") {
      this.#run!.finish(end);
      this.#text.hold(this.#run!.raw);
    }
    const rest = this.#text.flush();
    // White space behind calls belongs to their markers.
    if (this.#writer.callCount === 0 || rest.trim() !== "") this.#writer.content(rest);
  }

  #readText(unit: string): void {
    if (this.#space !== "text" && isSpace(unit)) {
      if (this.#space === "thought") this.#thought.writeMarkup(unit);
      return;
    }
    this.#space = "text";
    this.#content(this.#text.read(unit));
    const { marker } = this.#text;
    if (marker !== undefined) this.#meet(marker, this.#text.flush());
  }

  #content(text: string): void {
    if (text === "") return;
    this.#isBlank = false;
    this.#writer.content(text);
  }

  /** @param raw The marker, and the white space before it. */
  #meet(marker: string, raw: string): void {
    const { thought, wrapper } = this.#format;
    const forms = this.#forms.get(marker);
    if (forms && (this.#isBlank || this.#context.calls === "anywhere")) {
      this.#place = "calls";
      const before = raw.slice(0, -marker.length);
      this.#run = new CallRun(forms, before, marker, (form) => this.#openCall(form));
      if (marker === "{") this.#readCalls(marker);
    } else if (marker === thought?.open && this.#isBlank) {
      this.#thought.writeMarkup(raw);
      this.beginThought();
    } else if (marker === wrapper?.open && this.#isBlank) {
      this.#isWrapped = true;
      this.#space = "wrapper";
    } else if (marker === wrapper?.close && this.#isWrapped) {
      this.#isWrapped = false;
      this.#space = "wrapper";
    } else this.#content(raw);
  }

  #readThought(unit: string): void {
    if (this.#space === "thought" && isSpace(unit)) {
      this.#thought.writeMarkup(unit);
      return;
    }
    this.#space = "text";
    const scanner = this.#thinking!;
    this.#think(scanner.read(unit));
    if (scanner.marker === undefined) return;
    const { marker } = scanner;
    const raw = scanner.flush();
    if (marker === this.#format.thought!.close) {
      this.#thought.writeMarkup(raw);
      this.#place = "text";
      this.#isBlank = true;
      this.#space = "thought";
    } else if (this.#isBlank) {
      // Some models open once more what the prompt has opened.
      this.#thought.writeMarkup(raw);
      this.#space = "thought";
    } else this.#think(raw);
  }

  #think(text: string): void {
    if (text !== "") this.#isBlank = false;
    this.#thought.write(text);
  }

  #readCalls(unit: string): void {
    const run = this.#run!;
    const verdict = run.read(unit);
    if (verdict === "more") return;
    this.#place = "text";
    this.#run = undefined;
    if (run.raw.trim() === "") this.#text.hold(run.raw);
    else this.#content(run.raw);
    if (verdict === "refused") this.#readText(unit);
  }

  #openCall(form: CallForm): OpenCall {
    const isMarked =
      !form.plain && form.call.some((step) => typeof step !== "string" && step.step === "object");
    const commitment = isMarked ? "name" : "settled";
    return new OpenCall(this.#context, commitment);
  }
}
