import type { LoraAdapter } from "../adapter.ts";
import type { LayoutOptions } from "./engine-context.ts";

export interface CoreOptions extends LayoutOptions {
  /** Milliseconds that a gap in a stream may last while prompts are computed. */
  readonly gapMs: number;
  /** Tokens that a request may be ahead of its consumer. */
  readonly window: number;
  /** Check tree, sequences and cells after every step; slow. */
  readonly checkIntegrity: boolean;
  readonly adapters?: readonly LoraAdapter[];
}

/** What `EngineCore.step` found to do: `waiting` means that all requests wait for their consumers. */
export type StepResult = "worked" | "waiting" | "idle";
