import fc from "fast-check";
import { HostMemory, reserveHostMemory } from "../../src/cache/host-memory.ts";
import { HostTier } from "../../src/cache/host-tier.ts";

/** What there is below the context: nothing, room for some prompts, or room for all; saved at once, or when evicted. */
export const tierBelow = fc.constantFrom(
  undefined,
  { bytes: 2 ** 18, eager: false },
  { bytes: 2 ** 18, eager: true },
  { bytes: 2 ** 25, eager: false },
  { bytes: 2 ** 25, eager: true },
);

export function hostTier(tier: { bytes: number; eager: boolean } | undefined): HostTier | undefined {
  if (!tier) return undefined;
  const host = new HostTier(new HostMemory(reserveHostMemory(tier.bytes), tier.bytes));
  if (tier.eager) host.onStored = () => {};
  return host;
}
