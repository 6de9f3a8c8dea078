// Writes ffi/{symbols,structs,enums}.generated.ts from the headers of the pinned llama.cpp release.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { headerFolder, pinnedRelease } from "./fetch-headers.ts";
import { CHeaders } from "./generate/c-header.ts";
import { emitEnums, emitStructs, emitSymbols } from "./generate/emit.ts";
import { headerFiles } from "./generate/selection.ts";

const usage = `usage: bun run scripts/generate-ffi.ts [--headers DIR] [--check]
  --headers DIR  llama.cpp checkout with include/ and ggml/include/ (default: CRIA_HEADERS, or what
                 scripts/fetch-headers.ts fetched)
  --check        compare with the committed files instead of writing; exit 1 where they differ`;

const args = process.argv.slice(2);
if (args.includes("--help")) {
  console.log(usage);
  process.exit(0);
}
const at = args.indexOf("--headers");
const folder = at >= 0 ? args[at + 1] : headerFolder();
if (!folder || !existsSync(join(folder, "include/llama.h"))) {
  console.error(`there are no llama.cpp headers in ${folder}; run: bun run scripts/fetch-headers.ts`);
  process.exit(1);
}

const headers = new CHeaders();
for (const file of headerFiles) headers.add(readFileSync(join(folder, file), "utf8"));
const files = {
  "ffi/symbols.generated.ts": emitSymbols(headers, pinnedRelease),
  "ffi/structs.generated.ts": emitStructs(headers, pinnedRelease),
  "ffi/enums.generated.ts": emitEnums(headers, pinnedRelease),
};
let stale = 0;
for (const [path, text] of Object.entries(files)) {
  if (!args.includes("--check")) writeFileSync(path, text);
  else if (!existsSync(path) || readFileSync(path, "utf8") !== text) {
    console.error(`${path} does not match the headers; run: npm run generate`);
    stale++;
  }
}
process.exit(stale > 0 ? 1 : 0);
