import type { HostCounters } from "../cache/host-tier.ts";
import type { DiskSnapshot } from "./store-protocol.ts";

/** What moved between the context and the tiers below it since the start; lengths in tokens, times in milliseconds. */
export interface TierCounters {
  savedTokens: number;
  saveMs: number;
  restores: number;
  restoredTokens: number;
  restoreMs: number;
}

/** The same with what each tier holds. */
export interface TierSnapshot extends TierCounters {
  readonly host: HostCounters;
  /** Undefined where there is no cache folder, or nothing is known of it yet. */
  readonly disk: DiskSnapshot | undefined;
}

export function emptyTierCounters(): TierCounters {
  return { savedTokens: 0, saveMs: 0, restores: 0, restoredTokens: 0, restoreMs: 0 };
}

/** How long something takes for each of what it is done to; what was measured counts less with time. */
export class Pace {
  /** 0 before anything was measured. */
  msEach = 0;

  /** What was slow once is tried again some time. */
  doubt(): void {
    this.msEach *= 0.9;
  }

  took(milliseconds: number, count: number): void {
    if (count <= 0) return;
    const each = milliseconds / count;
    this.msEach += this.msEach === 0 ? each : (each - this.msEach) / 4;
  }
}
