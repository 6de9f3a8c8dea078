// Compiles lib/*.wat into lib/*.generated.ts, so that the package needs no file access to load its kernels.
// usage: bun run scripts/generate-wasm.ts [--check]
import { readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const source = "lib/prefix-match.wat";
const target = "lib/prefix-match.generated.ts";
const { parseWat } = await wabt();
const module = parseWat(source, readFileSync(source, "utf8"), { threads: true, simd: true });
const { buffer } = module.toBinary({});
const text = `// Generated from ${source} by scripts/generate-wasm.ts; do not edit.
export const prefixMatchWasm =
  "${Buffer.from(buffer).toString("base64")}";
`;
if (!process.argv.includes("--check")) writeFileSync(target, text);
else if (readFileSync(target, "utf8") !== text) {
  console.error(`${target} is out of date; run: bun run scripts/generate-wasm.ts`);
  process.exit(1);
}
