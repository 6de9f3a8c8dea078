import { LiteralAutomaton } from "../../lib/literal-automaton.ts";
import type { AnswerContext } from "./answer-context.ts";
import type { AnswerWriter } from "./answer-writer.ts";
import type { ChannelLayout } from "./format.ts";
import { MarkerScanner } from "./marker-scanner.ts";
import { OpenCall } from "./open-call.ts";
import { ArgumentsReader } from "./readers/json-reader.ts";
import { LiteralReader } from "./readers/literal-reader.ts";
import { isSpace } from "./readers/reader.ts";
import type { ThoughtText } from "./thought-text.ts";

/** Longer than any header; text that has no header's end by then has no header. */
const headerLimit = 256;

/** Reads an answer of messages, each with a header that says what its text is: a thought, content, or a call's arguments. */
export class ChannelAnswer {
  readonly #context: AnswerContext;
  readonly #layout: ChannelLayout;
  readonly #writer: AnswerWriter;
  readonly #thought: ThoughtText;
  readonly #text: MarkerScanner;
  readonly #headerEnd: LiteralAutomaton;
  #place: "beginning" | "header" | "content" | "thought" | "arguments" = "content";
  #beginning: LiteralReader | undefined;
  #header: MarkerScanner;
  /** The header so far, and the markers in front of it. */
  #raw = "";
  #call: OpenCall | undefined;
  #arguments: ArgumentsReader | undefined;
  /** Whether white space here stands between markers. */
  #skipsSpace = false;
  /** Whether nothing stands behind the last call yet. */
  #isBehindCall = false;

  constructor(context: AnswerContext) {
    this.#context = context;
    this.#layout = context.format.channels!;
    this.#writer = context.writer;
    this.#thought = context.thought;
    const { starts, ends, headerEnd, beginnings } = this.#layout;
    this.#text = new MarkerScanner(new LiteralAutomaton([...starts, ...ends]), "held");
    this.#headerEnd = new LiteralAutomaton([headerEnd]);
    this.#header = new MarkerScanner(this.#headerEnd, "passed");
    if (beginnings) this.#beginning = new LiteralReader(...beginnings);
    this.#place = beginnings ? "beginning" : "header";
  }

  /** The prompt has opened a thought already. */
  beginThought(): void {
    this.#place = "thought";
    this.#skipsSpace = true;
  }

  read(unit: string): void {
    if (this.#place === "beginning") this.#readBeginning(unit);
    else if (this.#place === "header") this.#readHeader(unit);
    else if (this.#place === "arguments") this.#readArguments(unit);
    else this.#readText(unit);
  }

  end(end: "stop" | "length"): void {
    if (this.#place === "beginning" || this.#place === "header") this.#writer.content(this.#raw);
    if (this.#place === "arguments" && end === "stop") this.#call!.complete();
    const rest = this.#text.flush();
    if (this.#place === "thought") {
      // Where the model has ended, what looked like the beginning of a marker was none.
      if (end === "stop" && rest.trim() !== "") this.#thought.write(rest);
      else this.#thought.writeMarkup(rest);
    }
    // Cut off behind a call, it is the beginning of a marker.
    else if (!this.#isBehindCall || (end === "stop" && rest.trim() !== "")) this.#writer.content(rest);
  }

  #readBeginning(unit: string): void {
    const verdict = this.#beginning!.read(unit);
    if (verdict === "refused") {
      this.#becomeContent();
      this.#readText(unit);
      return;
    }
    this.#raw += unit;
    if (verdict === "done") this.#beginHeader(this.#raw);
  }

  #beginHeader(raw: string): void {
    this.#raw = raw;
    this.#header = new MarkerScanner(this.#headerEnd, "passed");
    this.#place = "header";
  }

  #readHeader(unit: string): void {
    this.#raw += unit;
    this.#header.read(unit);
    if (this.#header.marker !== undefined) this.#endHeader();
    else if (this.#raw.length > headerLimit || !this.#mayBeHeader()) this.#becomeContent();
  }

  /** A header that is a name and nothing else can be told from text early on. */
  #mayBeHeader(): boolean {
    const { recipient, channels, headerEnd } = this.#layout;
    if (recipient !== "") return true;
    const name = this.#nameOf(this.#raw);
    return [...Object.keys(channels), ...this.#context.tools.keys()].some((known) =>
      (known + headerEnd).startsWith(name),
    );
  }

  #nameOf(raw: string): string {
    const { starts, headerEnd } = this.#layout;
    const header = raw.trimStart();
    const start = starts.find((literal) => header.startsWith(literal)) ?? "";
    const end = header.endsWith(headerEnd) ? header.length - headerEnd.length : header.length;
    return header.slice(start.length, Math.max(start.length, end));
  }

  #endHeader(): void {
    const { recipient, channels } = this.#layout;
    const header = this.#raw;
    const written = recipient === "" ? this.#nameOf(header) : recipientIn(header, recipient);
    if (written !== undefined && this.#context.tools.has(written)) {
      this.#call = new OpenCall(this.#context, "name");
      this.#call.name(written);
      this.#arguments = new ArgumentsReader(this.#call, "step");
      this.#place = "arguments";
      return;
    }
    const words = header.match(/[a-zA-Z]+/g) ?? [];
    const channel = words.find((word) => Object.hasOwn(channels, word));
    // A recipient that is no function here: nobody would get the text, so all of it is shown.
    if (channel === undefined || header.includes("to=")) this.#becomeContent();
    else if (channels[channel] === "reasoning") {
      this.#thought.writeMarkup(header);
      this.beginThought();
    } else {
      this.#place = "content";
      this.#skipsSpace = false;
    }
  }

  /** What was taken for a header is text. */
  #becomeContent(): void {
    this.#writer.content(this.#raw);
    this.#raw = "";
    this.#place = "content";
    this.#skipsSpace = false;
  }

  #readText(unit: string): void {
    const isThought = this.#place === "thought";
    if (this.#skipsSpace && isSpace(unit)) {
      if (isThought) this.#thought.writeMarkup(unit);
      return;
    }
    this.#skipsSpace = false;
    const text = this.#text.read(unit);
    if (text !== "") this.#isBehindCall = false;
    if (isThought) this.#thought.write(text);
    else this.#writer.content(text);
    const { marker } = this.#text;
    if (marker === undefined) return;
    const raw = this.#text.flush();
    const isEnd = this.#layout.ends.includes(marker);
    if (isThought) this.#thought.writeMarkup(isEnd ? raw : raw.slice(0, -marker.length));
    if (isEnd) {
      this.#place = "content";
      this.#skipsSpace = true;
    } else this.#beginHeader(isThought ? marker : raw);
  }

  #readArguments(unit: string): void {
    const verdict = this.#arguments!.read(unit);
    if (verdict === "more") return;
    if (verdict === "done") this.#call!.complete();
    this.#place = "content";
    this.#skipsSpace = true;
    this.#isBehindCall = true;
    if (verdict !== "done") this.#readText(unit);
  }
}

/** The name behind a recipient's prefix; undefined without one. */
function recipientIn(header: string, prefix: string): string | undefined {
  const at = header.indexOf(prefix);
  return at < 0 ? undefined : /^[a-zA-Z0-9_-]*/.exec(header.slice(at + prefix.length))![0];
}
