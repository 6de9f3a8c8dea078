import { Counter, Gauge, type Registry } from "prom-client";
import type { TierSnapshot } from "../engine/tier-counters.ts";

/** Values of one metric by tier; undefined where a tier has none. */
interface ByTier {
  readonly host?: number;
  readonly disk?: number | undefined;
}

/** Adds what is kept beside the context, in memory ("host") and in a folder ("disk"), and what moved. */
export function addTierMetrics(registry: Registry, { host, disk, ...moved }: TierSnapshot): void {
  const options = { labelNames: ["tier"], registers: [registry] };
  const values = (byTier: ByTier) =>
    (["host", "disk"] as const).flatMap((tier) => {
      const value = byTier[tier];
      return value === undefined ? [] : [{ tier, value }];
    });
  const gauge = (name: string, help: string, byTier: ByTier) => {
    const metric = new Gauge({ name: `cria:cache_${name}`, help, ...options });
    for (const { tier, value } of values(byTier)) metric.set({ tier }, value);
  };
  const counter = (name: string, help: string, byTier: ByTier) => {
    const metric = new Counter({ name: `cria:cache_${name}_total`, help, ...options });
    for (const { tier, value } of values(byTier)) metric.inc({ tier }, value);
  };
  gauge("blocks", "Blocks kept beside the context for this model.", {
    host: host.blocks,
    disk: disk?.blocks,
  });
  gauge("tokens", "Tokens kept beside the context for this model.", {
    host: host.tokens,
    disk: disk?.tokens,
  });
  gauge("bytes", "Bytes that they take; those of the folder for all models.", {
    host: host.bytes,
    disk: disk?.bytes,
  });
  counter("hits", "Times that something was taken: by the context from memory, by memory from disk.", {
    host: moved.restores,
    disk: disk?.hits,
  });
  counter("misses", "Blocks that were wanted from disk and could not be had.", { disk: disk?.misses });
  counter("restored_tokens", "Tokens taken: by the context from memory, by memory from disk.", {
    host: moved.restoredTokens,
    disk: disk?.readTokens,
  });
  counter("read_bytes", "Bytes read.", { disk: disk?.readBytes });
  counter("saved_tokens", "Tokens that the context gave.", { host: moved.savedTokens });
  counter("written_bytes", "Bytes written.", { disk: disk?.writtenBytes });
  counter("dropped_blocks", "Blocks dropped for want of room.", {
    host: host.dropped,
    disk: disk?.dropped,
  });
  counter("damaged_blocks", "Blocks found damaged, and removed.", { disk: disk?.damaged });
  counter("skipped_blocks", "Blocks that could not be written.", { disk: disk?.skipped });
  counter("save_seconds", "Time of the decoding thread for saving.", { host: moved.saveMs / 1000 });
  counter("restore_seconds", "Time of the decoding thread for restoring.", { host: moved.restoreMs / 1000 });
}
