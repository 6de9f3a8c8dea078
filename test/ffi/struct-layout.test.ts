import { expect } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as generated from "../../ffi/enums.generated.ts";
import { structs } from "../../ffi/structs.generated.ts";
import { symbols } from "../../ffi/symbols.generated.ts";
import type { SymbolSignature } from "../../ffi/types.ts";
import { headerFolder } from "../../scripts/fetch-headers.ts";
import { requireOrSkip } from "../require.ts";

const headers = headerFolder();
const compiler = ["cc", "gcc", "clang"].find((name) => spawnSync(name, ["--version"]).status === 0);
const compiled = requireOrSkip(
  compiler !== undefined && existsSync(join(headers, "include/llama.h")),
  "a C compiler and llama.cpp headers are needed",
);

const { constants, ...enums } = generated;

/** Compiles and runs a C program against the headers. @returns its lines as name and value. */
function ask(body: string, includes = ["llama.h"]): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), "cria-layout-"));
  try {
    const source = join(folder, "layout.c");
    const program = join(folder, "layout");
    const head = ["stdio.h", "stddef.h", ...includes].map((name) => `#include <${name}>\n`).join("");
    writeFileSync(source, `${head}int main(void) {\n${body}\nreturn 0;\n}\n`);
    const flags = [
      "-I",
      join(headers, "include"),
      "-I",
      join(headers, "ggml/include"),
      "-w",
      "-o",
      program,
      source,
    ];
    const build = spawnSync(compiler as string, flags, { encoding: "utf8" });
    if (build.status !== 0) throw new Error(build.stderr);
    const { stdout } = spawnSync(program, { encoding: "utf8", maxBuffer: 2 ** 26 });
    return new Map(
      stdout
        .trim()
        .split("\n")
        .map((line) => [line.split(" ")[0] as string, Number(line.split(" ")[1])]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

compiled("sizes, alignments and offsets are those of the C compiler", () => {
  const ours = new Map<string, number>();
  const lines: string[] = [];
  const note = (name: string, value: number, expression: string) => {
    ours.set(name, value);
    lines.push(`printf("${name} %zu\\n", (size_t)(${expression}));`);
  };
  for (const [name, { size, align, fields }] of Object.entries(structs)) {
    note(`${name}.size`, size, `sizeof(struct ${name})`);
    note(`${name}.align`, align, `_Alignof(struct ${name})`);
    for (const [field, { offset }] of Object.entries(fields)) {
      note(`${name}.${field}`, offset, `offsetof(struct ${name}, ${field})`);
    }
  }
  expect(Object.fromEntries(ask(lines.join("\n")))).toEqual(Object.fromEntries(ours));
});

compiled("enumerators and macros have the values of the C compiler", () => {
  const ours = new Map<string, number>();
  for (const values of Object.values(enums))
    for (const [name, value] of Object.entries(values)) ours.set(name, value);
  const lines = [...ours.keys()].map((name) => `printf("${name} %lld\\n", (long long)(${name}));`);
  for (const [name, value] of Object.entries(constants)) {
    ours.set(name, value);
    lines.push(`printf("${name} %lld\\n", (long long)(${name}));`);
  }
  expect(Object.fromEntries(ask(lines.join("\n"), ["llama.h", "ggml-rpc.h"]))).toEqual(
    Object.fromEntries(ours),
  );
});

const machine: Record<string, string> = {
  bool: "1",
  i8: "1",
  u8: "1",
  i16: "2",
  u16: "2",
  i32: "4",
  u32: "4",
  f32: "4",
  i64: "8",
  u64: "8",
  usize: "8",
  f64: "8",
  ptr: "8",
};

compiled("results have the size of the C compiler's, and calls compile with as many arguments", () => {
  const ours = new Map<string, number>();
  const lines: string[] = [];
  for (const [name, { returns, args }] of Object.entries(symbols) as [string, SymbolSignature][]) {
    const zero = (type: string) =>
      type.startsWith("struct ")
        ? `(${type}){0}`
        : `(${type === "f32" || type === "f64" ? "double" : "long"})0`;
    const call = `${name}(${args.map((type) => (type === "ptr" ? "(void *)0" : zero(type))).join(", ")})`;
    if (returns === "void") {
      lines.push(`(void)sizeof((${call}, 0));`);
      continue;
    }
    const struct = returns.startsWith("struct ")
      ? structs[returns.slice(7) as keyof typeof structs]
      : undefined;
    ours.set(name, struct?.size ?? Number(machine[returns]));
    lines.push(`printf("${name} %zu\\n", sizeof(${call}));`);
  }
  expect(Object.fromEntries(ask(lines.join("\n"), ["llama.h", "ggml-rpc.h"]))).toEqual(
    Object.fromEntries(ours),
  );
});
