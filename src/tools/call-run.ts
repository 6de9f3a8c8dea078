import type { CallForm, Step } from "./format.ts";
import type { OpenCall } from "./open-call.ts";
import { ArgumentsReader } from "./readers/json-reader.ts";
import { LiteralReader } from "./readers/literal-reader.ts";
import { IdReader, NameReader } from "./readers/name-reader.ts";
import { NotationReader } from "./readers/notation-reader.ts";
import { ObjectReader } from "./readers/object-reader.ts";
import { ParametersReader } from "./readers/parameters-reader.ts";
import { isNameUnit, isSpace, type Reader, type Verdict } from "./readers/reader.ts";

/** Reads one step of a call. */
export function stepReader(step: Step, call: OpenCall): Reader {
  if (typeof step === "string") return new LiteralReader(step);
  switch (step.step) {
    case "name":
      return new NameReader(call);
    case "id":
      return new IdReader(call, step.open, step.close);
    case "json":
      return new ArgumentsReader(call, "step");
    case "object":
      return new ObjectReader(step, call);
    case "parameters":
      return new ParametersReader(step, call);
    case "notation":
      return new NotationReader(step, call);
  }
}

/** Whether a step may begin with this character. */
function mayBegin(step: Step, unit: string): boolean {
  if (typeof step === "string") return step.trim().startsWith(unit);
  if (step.step === "id" && step.open === "") return isNameUnit(unit) || mayBegin(step.close, unit);
  return step.step === "name" ? isNameUnit(unit) : unit === "{";
}

/**
 * Texts that tell that calls of this form begin: the opening, and a call's own first literal, since some models leave the opening
 * out. A call that begins with an object begins with its brace.
 */
export function markersOf({ open, call }: CallForm): string[] {
  const first = call[0]!;
  const literals = [...(open?.slice(0, 1) ?? []), ...(typeof first === "string" ? [first] : [])];
  return literals.length > 0 ? literals.map((literal) => literal.trim()) : ["{"];
}

/**
 * Reads the calls that stand together, from behind the marker that began them to their end. Text that has not become part of a
 * call is kept as {@link raw}, so that it can come out as content.
 */
export class CallRun {
  readonly #forms: readonly CallForm[];
  readonly #openCall: (form: CallForm) => OpenCall;
  #form: CallForm | undefined;
  #call: OpenCall | undefined;
  #place: "choice" | "opening" | "boundary" | "call" | "closing" = "choice";
  /** Steps of the opening, the call or the closing that come behind the one being read. */
  #steps: Step[] = [];
  #reader: Reader | undefined;
  #boundary: { reader: LiteralReader; turns: readonly (() => Verdict)[] } | undefined;
  readonly #marker: string;
  #raw: string;
  #hasCalls = false;

  /**
   * @param forms Forms that begin with the marker; what comes next tells which it is.
   * @param before White space in front of the marker.
   * @param marker What was read already; a brace that an object begins with was not.
   */
  constructor(
    forms: readonly CallForm[],
    before: string,
    marker: string,
    openCall: (form: CallForm) => OpenCall,
  ) {
    this.#forms = forms;
    this.#marker = marker;
    this.#raw = marker === "{" ? before : before + marker;
    this.#openCall = openCall;
  }

  /** What was read and is part of no call. */
  get raw(): string {
    return this.#raw;
  }

  /** @returns "more", "done" at the end of the calls, or "refused" where this character is no part of them. */
  read(unit: string): Verdict {
    this.#raw += unit;
    const verdict = this.#step(unit);
    if (verdict === "refused") this.#raw = this.#raw.slice(0, -unit.length);
    return verdict;
  }

  /** The answer ended here; {@link raw} is what is left. */
  finish(end: "stop" | "length"): void {
    // Cut off behind a call, it is the beginning of a marker.
    const isBehind = this.#place === "closing" || (this.#boundary && end === "length");
    if (this.#hasCalls && isBehind) this.#raw = "";
    if (this.#place !== "call" || !this.#call?.isCommitted) return;
    this.#raw = "";
    if (end !== "stop") return;
    this.#reader?.finish?.();
    this.#call.complete();
  }

  #step(unit: string): Verdict {
    switch (this.#place) {
      case "choice":
        return this.#choose(unit);
      case "boundary":
        return this.#readBoundary(unit);
      default:
        return this.#readStep(unit);
    }
  }

  #choose(unit: string): Verdict {
    if (isSpace(unit)) return "more";
    const following = ({ open, call }: CallForm): Step[] => {
      if (open?.[0]?.trim() === this.#marker) return [...open.slice(1), ...call];
      return this.#marker === "{" ? [...call] : call.slice(1);
    };
    const form = this.#forms.find((candidate) => mayBegin(following(candidate)[0]!, unit));
    if (!form) return "refused";
    this.#form = form;
    if (form.open?.[0]?.trim() !== this.#marker) this.#begin("call", following(form));
    else if (form.open.length > 1) this.#begin("opening", form.open.slice(1));
    else this.#place = "boundary";
    return this.#step(unit);
  }

  #begin(place: "opening" | "call" | "closing", steps: readonly Step[]): void {
    this.#place = place;
    this.#steps = [...steps];
    this.#reader = undefined;
    if (place === "call") this.#call = this.#openCall(this.#form!);
  }

  #readStep(unit: string): Verdict {
    if (!this.#reader) {
      const step = this.#steps.shift();
      if (step === undefined) return this.#end(unit);
      this.#reader = stepReader(step, this.#call!);
    }
    const verdict = this.#reader.read(unit);
    const isLiteral = this.#reader instanceof LiteralReader;
    if (isLiteral && verdict === "done" && this.#place === "call") this.#call!.settle();
    const isCertain = this.#place === "call" ? this.#call!.isCommitted : this.#hasCalls;
    if (verdict === "more" || verdict === "refused") {
      if (isCertain && !isLiteral) this.#raw = verdict === "more" ? "" : unit;
      return verdict;
    }
    if (isCertain) this.#raw = verdict === "done" ? "" : unit;
    const hasArguments =
      !isLiteral && !(this.#reader instanceof NameReader || this.#reader instanceof IdReader);
    if (hasArguments) this.#call!.complete();
    this.#reader = undefined;
    if (verdict === "before") return this.#readStep(unit);
    return this.#steps.length > 0 ? "more" : this.#end();
  }

  /** Behind the last step; `unit` where it belongs to what follows. */
  #end(unit?: string): Verdict {
    const { between, close } = this.#form!;
    if (this.#place === "call") {
      if (!this.#call!.isCommitted) return "refused";
      this.#hasCalls = true;
    } else if (this.#place === "closing") {
      if (this.#hasCalls) this.#raw = unit ?? "";
      return unit === undefined ? "done" : "refused";
    }
    const isLast = this.#place === "call" && between === undefined;
    if (isLast && !close) return unit === undefined ? "done" : "refused";
    if (isLast) this.#begin("closing", close!);
    else this.#place = "boundary";
    this.#boundary = undefined;
    return unit === undefined ? "more" : this.#step(unit);
  }

  /** Before the first call and behind each: another call, what stands between two, or the closing. */
  #readBoundary(unit: string): Verdict {
    const { call, between, open, close } = this.#form!;
    const first = call[0]!;
    if (!this.#boundary) {
      if (isSpace(unit)) return "more";
      if (typeof first !== "string" && mayBegin(first, unit)) {
        this.#begin("call", call);
        return this.#readStep(unit);
      }
      const turns: [literal: string | undefined, turn: () => void][] = [
        [typeof first === "string" ? first : undefined, () => this.#begin("call", call.slice(1))],
        [this.#hasCalls ? between : undefined, () => undefined],
        [close?.[0], () => this.#begin("closing", close!.slice(1))],
        [this.#hasCalls ? open?.[0] : undefined, () => this.#begin("opening", open!.slice(1))],
      ];
      const possible = turns.filter(([literal]) => literal !== undefined && literal.trim() !== "");
      this.#boundary = {
        reader: new LiteralReader(...possible.map(([literal]) => literal!)),
        turns: possible.map(([, turn]) => () => {
          this.#boundary = undefined;
          turn();
          return this.#place === "boundary" || this.#steps.length > 0 ? "more" : this.#end();
        }),
      };
    }
    const { reader, turns } = this.#boundary;
    const verdict = reader.read(unit);
    return verdict === "done" ? turns[reader.found]!() : verdict;
  }
}
