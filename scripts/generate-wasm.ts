// Compiles lib/*.wat into lib/*.generated.ts, so that the package needs no file access to load its kernels.
// usage: bun run scripts/generate-wasm.ts [--check]
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import wabt from "wabt";

const { parseWat } = await wabt();
let outdated = false;
for (const file of readdirSync("lib").filter((name) => name.endsWith(".wat"))) {
  const source = `lib/${file}`;
  const target = source.replace(/\.wat$/, ".generated.ts");
  const name = file.replace(/\.wat$/, "").replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const module = parseWat(source, readFileSync(source, "utf8"), { threads: true, simd: true });
  const { buffer } = module.toBinary({});
  const text = `// Generated from ${source} by scripts/generate-wasm.ts; do not edit.
export const ${name}Wasm =
  "${Buffer.from(buffer).toString("base64")}";
`;
  if (!process.argv.includes("--check")) writeFileSync(target, text);
  else if (!existsSync(target) || readFileSync(target, "utf8") !== text) {
    console.error(`${target} is out of date; run: bun run scripts/generate-wasm.ts`);
    outdated = true;
  }
}
process.exit(outdated ? 1 : 0);
