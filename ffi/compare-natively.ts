import type { CompareBytes, TokenMemory } from "../lib/token-memory.ts";
import type { NativeBackend } from "./backend.ts";
import { libcOf } from "./libc.ts";

/** Has long token lists compared by `memcmp`, where calling it costs less than it saves: not through koffi. */
export function compareNatively(tokens: TokenMemory, backend: NativeBackend): void {
  if (backend.name !== "bun") return;
  const { memcmp, addressOf } = libcOf(backend);
  tokens.compareWith(memcmp as unknown as CompareBytes, addressOf(new Uint8Array(tokens.memory.buffer)));
}
