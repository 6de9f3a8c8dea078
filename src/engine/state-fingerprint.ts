import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import { RequestError } from "../../lib/errors.ts";
import type { ContextOptions } from "../context-options.ts";
import { splitPaths } from "../gguf-file.ts";
import type { ModelOptions } from "../model-options.ts";
import type { EngineSettings } from "./engine-options.ts";
import type { AdapterScale } from "./request.ts";

/** What a saved state must agree in with whoever goes on from it. */
export interface StateFingerprint {
  /** Release of llama.cpp. */
  readonly release: string;
  readonly model: FileMark;
  readonly adapters: readonly (FileMark & { readonly scale: number })[];
  /** Options that are not at their default, by name, as JSON. */
  readonly settings: Readonly<Record<string, string>>;
}

/** A file's name, for people, and a digest of its content. */
export interface FileMark {
  readonly name: string;
  readonly digest: string;
}

/** Options that change what the cache of a text is, with their defaults. */
const relevant = {
  attention: "unspecified",
  cacheTypeK: "f16",
  cacheTypeV: "f16",
  contextType: "default",
  fullSlidingWindow: true,
  kvOverrides: {},
  loadMtp: false,
  recurrentSnapshots: 0,
  ropeFrequencyBase: 0,
  ropeFrequencyScale: 0,
  ropeScaling: "unspecified",
  yarnAttentionFactor: -1,
  yarnBetaFast: -1,
  yarnBetaSlow: -1,
  yarnExtrapolationFactor: -1,
  yarnOriginalContextLength: 0,
} as const satisfies Partial<ModelOptions & ContextOptions>;

const pieceBytes = 2 ** 16;
/** Files of fewer pieces are read whole, of others so many, evenly spread: another model differs all over. */
const mostPieces = 1024;

/** Takes the fingerprints of an engine's states; the model's files are looked at when the first is taken. */
export class StateFingerprints {
  readonly #settings: EngineSettings["thread"];
  readonly #library: string;
  /** Of model and adapters: what says that a file is still the one that was loaded. */
  readonly #stamps: readonly (string | undefined)[];
  readonly #marks = new Map<number, Promise<FileMark | undefined>>();

  /** @param library release of llama.cpp. */
  constructor(settings: EngineSettings["thread"], library: string) {
    this.#settings = settings;
    this.#library = library;
    this.#stamps = [-1, ...settings.adapters.keys()].map((index) => this.#stamp(index));
  }

  /** Undefined where a file was replaced since it was loaded, so that nobody can tell what the state is of. */
  async of(adapters: readonly AdapterScale[]): Promise<StateFingerprint | undefined> {
    const { model: modelOptions, engine } = this.#settings;
    const model = await this.#mark(-1);
    const marks: StateFingerprint["adapters"][number][] = [];
    for (const { id, scale } of adapters) {
      if (scale === 0) continue;
      const mark = await this.#mark(id);
      if (!mark) return undefined;
      marks.push({ ...mark, scale });
    }
    if (!model) return undefined;
    marks.sort((a, b) => (a.digest < b.digest ? -1 : 1));
    const settings = settingsOf({ ...modelOptions, ...engine.context });
    return { release: this.#library, model, adapters: marks, settings };
  }

  /** @throws RequestError naming what differs and what to do, where a state is of another kind. */
  async check(saved: StateFingerprint, adapters: readonly AdapterScale[]): Promise<void> {
    const own = await this.of(adapters);
    if (!own) throw unknownFiles();
    const difference = differenceOf(saved, own);
    if (difference) throw new RequestError(difference, "state");
  }

  /** @param index of an adapter, or -1 for the model. */
  #mark(index: number): Promise<FileMark | undefined> {
    const known = this.#marks.get(index);
    if (known) return known;
    const mark = this.#takeMark(index);
    this.#marks.set(index, mark);
    return mark;
  }

  async #takeMark(index: number): Promise<FileMark | undefined> {
    const stamp = this.#stamps[index + 1];
    if (stamp === undefined) return undefined;
    try {
      const paths = this.#paths(index);
      const digest = await digestOf(paths);
      return this.#stamp(index) === stamp ? { name: basename(paths[0]!), digest } : undefined;
    } catch {
      return undefined;
    }
  }

  #paths(index: number): readonly string[] {
    const { path, model, adapters } = this.#settings;
    return index < 0 ? (model.splits ?? splitPaths(path)) : [adapters[index]!.path];
  }

  #stamp(index: number): string | undefined {
    try {
      const stats = this.#paths(index).map((path) => statSync(path, { bigint: true }));
      return stats.map(({ dev, ino, size, mtimeNs }) => [dev, ino, size, mtimeNs].join(" ")).join(", ");
    } catch {
      return undefined;
    }
  }
}

/** For states whose fingerprint is needed and cannot be taken. */
export function unknownFiles(): RequestError {
  return new RequestError(
    "the files of the model were changed since they were loaded, so that nobody can tell whose state it is; load the model anew",
    "state",
  );
}

function settingsOf(options: Readonly<Record<string, unknown>>): Record<string, string> {
  const given = Object.entries(relevant).map(
    ([name, usual]) => [name, toText(options[name] ?? usual), toText(usual)] as const,
  );
  return Object.fromEntries(given.filter(([, text, usual]) => text !== usual));
}

/** JSON in which the order of fields and the kind of integer make no difference. */
function toText(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === "bigint") return Number(item);
    if (typeof item !== "object" || item === null || Array.isArray(item)) return item;
    return Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function differenceOf(saved: StateFingerprint, own: StateFingerprint): string | undefined {
  if (saved.model.digest !== own.model.digest) {
    const same = saved.model.name === own.model.name;
    const [theirs, ours] = same
      ? ["another file of that name", own.model.name]
      : [saved.model.name, own.model.name];
    return `the state was saved with another model (${theirs}), this is ${ours}; load that model, or save the state anew with this one`;
  }
  for (const [name, usual] of Object.entries(relevant)) {
    const [theirs, ours] = [saved, own].map(({ settings }) => settings[name] ?? toText(usual));
    if (theirs !== ours)
      return `the state was saved with ${name} ${theirs}, here it is ${ours}; load the model with the same, or save the state anew`;
  }
  const [theirs, ours] = [saved, own].map(({ adapters }) => describe(adapters));
  if (theirs !== ours || saved.adapters.some(({ digest }, index) => digest !== own.adapters[index]!.digest))
    return `the state was saved with other adapters (${theirs}; here: ${ours}); use the same, or save the state anew`;
  if (saved.release !== own.release)
    return `the state was saved with llama.cpp ${saved.release}, this is ${own.release}; save the state anew`;
  return undefined;
}

function describe(adapters: StateFingerprint["adapters"]): string {
  return adapters.map(({ name, scale }) => `${name} at ${scale}`).join(", ") || "none";
}

/** SHA-256 of the lengths of files and of what {@link piecesOf} them. */
async function digestOf(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  const buffer = new Uint8Array(pieceBytes);
  for (const path of paths) {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      hash.update(`${size}:`);
      for (const at of piecesOf(size)) {
        const { bytesRead } = await file.read(buffer, 0, pieceBytes, at);
        hash.update(buffer.subarray(0, bytesRead));
      }
    } finally {
      await file.close();
    }
  }
  return hash.digest("hex");
}

/** Where the pieces of a file begin that are looked at: its beginning, its end, and between. */
function* piecesOf(size: number): Generator<number> {
  const stride = Math.max(pieceBytes, Math.floor(size / mostPieces));
  for (let at = 0; at < size; at += stride) yield at;
  if (stride > pieceBytes) yield size - pieceBytes;
}
