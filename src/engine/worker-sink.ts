import type { RingWriter } from "../../lib/ring-buffer.ts";
import {
  Event,
  errorToJson,
  floatToBits,
  sampledToWords,
  slotAborted,
  slotAcknowledged,
  slotIndex,
  soleRequest,
  textToWords,
  toJson,
} from "./protocol.ts";
import type { EndReason, EngineSink, RequestStats, SampledToken } from "./request.ts";

/** The decoding side's end of the line: writes what happens as records, and reads what consumers do from shared words. */
export class WorkerSink implements EngineSink {
  readonly #events: RingWriter;
  readonly #control: Int32Array;
  /** Place in the control block of each request. */
  readonly #slots = new Map<number, number>();

  constructor(events: RingWriter, control: Int32Array) {
    this.#events = events;
    this.#control = control;
  }

  started(id: number, slot: number): void {
    this.#slots.set(id, slotIndex(slot));
  }
  progress(id: number, computed: number, cached: number): void {
    this.#events.write([Event.progress, id, computed, cached]);
  }
  promptToken(id: number, position: number, token: SampledToken): void {
    this.#events.write([Event.promptToken, id, position, ...sampledToWords(token)]);
  }
  token(id: number, token: SampledToken): void {
    this.#events.write([Event.token, id, ...sampledToWords(token)]);
  }
  logits(id: number): void {
    this.#events.write([Event.logits, id]);
  }
  end(id: number, reason: EndReason, stats: RequestStats): void {
    this.#slots.delete(id);
    this.#text([Event.end, id], toJson({ reason, stats }));
  }
  error(id: number, error: unknown): void {
    this.#slots.delete(id);
    this.#text([Event.error, id], errorToJson(error));
  }
  release(byteOffset: number, byteLength: number): void {
    this.#events.write([Event.release, byteOffset, byteLength]);
  }
  wantsRoom(id: number): void {
    this.#events.write([Event.wantsRoom, id]);
  }
  computing(id: number | undefined): void {
    Atomics.store(this.#control, soleRequest, id ?? 0);
  }
  isAborted(id: number): boolean {
    const slot = this.#slots.get(id);
    return slot !== undefined && Atomics.load(this.#control, slot + slotAborted) !== 0;
  }
  acknowledged(id: number): number {
    const slot = this.#slots.get(id);
    return slot === undefined ? 0 : Atomics.load(this.#control, slot + slotAcknowledged);
  }

  answer(call: number, value: unknown): void {
    this.#text([Event.answer, call], toJson(value ?? null));
  }
  failure(call: number, error: unknown): void {
    this.#text([Event.failure, call], errorToJson(error));
  }
  loading(fraction: number): void {
    this.#events.write([Event.loading, floatToBits(fraction)]);
  }
  ready(value: unknown): void {
    this.#text([Event.ready], toJson(value));
  }
  fatal(error: unknown): void {
    this.#text([Event.fatal], errorToJson(error));
  }
  closed(): void {
    this.#events.write([Event.closed]);
  }

  #text(head: readonly number[], text: string): void {
    this.#events.write([...head, ...textToWords(text)]);
  }
}
