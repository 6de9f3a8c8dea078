import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadLibrary } from "../../ffi/index.ts";
import { symbols } from "../../ffi/symbols.generated.ts";
import { headerFolder } from "../../scripts/fetch-headers.ts";
import { requireOrSkip } from "../require.ts";

const headers = headerFolder();
const haveHeaders = existsSync(join(headers, "include/llama.h"));
const withHeaders = requireOrSkip(haveHeaders, "no llama.cpp headers; run: bun run scripts/fetch-headers.ts");
const haveNm = spawnSync("nm", ["--version"]).status === 0;
const withHeadersAndNm = requireOrSkip(haveHeaders && haveNm, "llama.cpp headers and nm are needed");

function exported(path: string): Set<string> {
  const { stdout } = spawnSync("nm", ["-D", "--defined-only", path], {
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  return new Set([...stdout.matchAll(/ [TW] (\w+)$/gm)].map((match) => match[1] as string));
}

/** Statements of a header, found by text alone: an independent look beside the generator's parser. */
function statementWith(text: string, name: string): string | undefined {
  const code = text.replace(/\/\/[^\n]*/g, "").replace(/^\s*#.*$/gm, "");
  return code.split(";").find((statement) => new RegExp(`\\b${name}\\s*\\(`).test(statement));
}

withHeadersAndNm(
  "every function of llama.h that the library exports is bound, but for deprecated ones",
  async () => {
    const { library } = await loadLibrary();
    const text = readFileSync(join(headers, "include/llama.h"), "utf8");
    const missing: string[] = [];
    const superfluous: string[] = [];
    let found = 0;
    for (const name of exported(library.llama)) {
      const statement = statementWith(text, name);
      if (!statement) continue;
      found++;
      const deprecated = statement.includes("DEPRECATED");
      if (!deprecated && !(name in symbols)) missing.push(name);
      if (deprecated && name in symbols) superfluous.push(name);
    }
    expect(found).toBeGreaterThan(200);
    expect(missing).toEqual([]);
    expect(superfluous).toEqual([]);
  },
);

withHeadersAndNm("every bound function of llama.h stands in the header", async () => {
  const text = readFileSync(join(headers, "include/llama.h"), "utf8");
  const invented = Object.keys(symbols).filter(
    (name) => name.startsWith("llama_") && !statementWith(text, name),
  );
  expect(invented).toEqual([]);
});

test("every bound function can be bound in this library, but for RPC, which it may lack", async () => {
  const { c } = await loadLibrary();
  const absent: string[] = [];
  for (const [name, { library }] of Object.entries(symbols)) {
    if (library === "ggml-rpc") continue;
    try {
      if (typeof c[name as keyof typeof c] !== "function") absent.push(name);
    } catch (error) {
      absent.push(`${name}: ${(error as Error).message}`);
    }
  }
  expect(absent).toEqual([]);
});

withHeaders("generating anew gives the committed files", () => {
  const run = spawnSync(process.execPath, ["run", "scripts/generate-ffi.ts", "--check"], {
    encoding: "utf8",
  });
  expect(run.stderr).toBe("");
  expect(run.status).toBe(0);
});
