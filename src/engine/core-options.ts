import type { LoraAdapter } from "../adapter.ts";
import type { HostTier } from "../cache/host-tier.ts";
import type { Narrowing } from "../sampler.ts";
import type { LayoutOptions } from "./engine-context.ts";
import type { StorePort } from "./store-port.ts";

export interface CoreOptions extends LayoutOptions {
  /** Milliseconds that a gap in a stream may last while prompts are computed. */
  readonly gapMs: number;
  /** Tokens that a request may be ahead of its consumer. */
  readonly window: number;
  readonly narrowing: Narrowing;
  /** Check tree, sequences and cells after every step; slow. */
  readonly checkIntegrity: boolean;
  readonly adapters?: readonly LoraAdapter[];
  /** Where prefixes are kept that leave the context; undefined for nowhere. */
  readonly host?: HostTier | undefined;
  /** Where they are kept on disk below that. */
  readonly store?: StorePort | undefined;
}

/** What `EngineCore.step` found to do: `waiting` means that all requests wait for their consumers. */
export type StepResult = "worked" | "waiting" | "idle";
