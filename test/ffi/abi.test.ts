import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type CallingConvention, type CFunctionCall, hostConvention, lower, raise } from "../../ffi/abi.ts";
import type { BackendName, NativeBackend } from "../../ffi/backend.ts";
import { bindStructResult } from "../../ffi/koffi-struct.ts";
import { CStruct, type StructName } from "../../ffi/struct.ts";
import { structs } from "../../ffi/structs.generated.ts";
import { symbols } from "../../ffi/symbols.generated.ts";
import type { CType, ScalarType, SymbolSignature } from "../../ffi/types.ts";
import { requireOrSkip } from "../require.ts";
import { allBackends } from "../support/backends.ts";
import { compileLibrary, haveCompiler, needsCompiler } from "../support/compile-c.ts";

const words = (count: number) => new Array<ScalarType>(count).fill("u64");
const conventions: readonly CallingConvention[] = ["sysv-x64", "win-x64", "aapcs64", "lp64-riscv"];
type Machine = readonly [returns: string, args: readonly string[]];

// Rows: what each convention's ABI document says of the C declaration.
const expected: Record<string, Record<CallingConvention, Machine | "koffi">> = {
  llama_decode: {
    "sysv-x64": ["i32", ["ptr", ...words(5), ...words(7)]],
    "win-x64": ["i32", ["ptr", "ptr"]],
    aapcs64: ["i32", ["ptr", "ptr"]],
    "lp64-riscv": ["i32", ["ptr", "ptr"]],
  },
  llama_model_load_from_file: {
    "sysv-x64": ["ptr", ["ptr", ...words(5), ...words(10)]],
    "win-x64": ["ptr", ["ptr", "ptr"]],
    aapcs64: ["ptr", ["ptr", "ptr"]],
    "lp64-riscv": ["ptr", ["ptr", "ptr"]],
  },
  llama_model_load_from_splits: {
    "sysv-x64": ["ptr", ["ptr", "usize", ...words(4), ...words(10)]],
    "win-x64": ["ptr", ["ptr", "usize", "ptr"]],
    aapcs64: ["ptr", ["ptr", "usize", "ptr"]],
    "lp64-riscv": ["ptr", ["ptr", "usize", "ptr"]],
  },
  llama_init_from_model: {
    "sysv-x64": ["ptr", ["ptr", ...words(5), ...words(20)]],
    "win-x64": ["ptr", ["ptr", "ptr"]],
    aapcs64: ["ptr", ["ptr", "ptr"]],
    "lp64-riscv": ["ptr", ["ptr", "ptr"]],
  },
  llama_batch_free: {
    "sysv-x64": ["void", [...words(6), ...words(7)]],
    "win-x64": ["void", ["ptr"]],
    aapcs64: ["void", ["ptr"]],
    "lp64-riscv": ["void", ["ptr"]],
  },
  llama_model_default_params: {
    "sysv-x64": ["ptr", ["ptr"]],
    "win-x64": ["ptr", ["ptr"]],
    aapcs64: "koffi",
    "lp64-riscv": ["ptr", ["ptr"]],
  },
  llama_context_default_params: {
    "sysv-x64": ["ptr", ["ptr"]],
    "win-x64": ["ptr", ["ptr"]],
    aapcs64: "koffi",
    "lp64-riscv": ["ptr", ["ptr"]],
  },
  llama_sampler_chain_default_params: {
    "sysv-x64": ["u64", []],
    "win-x64": ["u64", []],
    aapcs64: ["u64", []],
    "lp64-riscv": ["u64", []],
  },
  llama_sampler_chain_init: {
    "sysv-x64": ["ptr", ["u64"]],
    "win-x64": ["ptr", ["u64"]],
    aapcs64: ["ptr", ["u64"]],
    "lp64-riscv": ["ptr", ["u64"]],
  },
  llama_perf_context: {
    "sysv-x64": ["ptr", ["ptr", "ptr"]],
    "win-x64": ["ptr", ["ptr", "ptr"]],
    aapcs64: "koffi",
    "lp64-riscv": ["ptr", ["ptr", "ptr"]],
  },
  llama_perf_sampler: {
    "sysv-x64": "koffi",
    "win-x64": ["ptr", ["ptr", "ptr"]],
    aapcs64: "koffi",
    "lp64-riscv": "koffi",
  },
  llama_vocab_n_tokens: {
    "sysv-x64": ["i32", ["ptr"]],
    "win-x64": ["i32", ["ptr"]],
    aapcs64: ["i32", ["ptr"]],
    "lp64-riscv": ["i32", ["ptr"]],
  },
};

describe("lower", () => {
  const table = Object.entries(expected).flatMap(([name, row]) =>
    conventions.map((convention) => [name, convention, row[convention]] as const),
  );
  test.each(table)("%s on %s", (name, convention, machine) => {
    const lowered = lower(symbols[name as keyof typeof symbols], convention);
    if (machine === "koffi") expect(lowered.resultPlan).toBe("by-struct-type");
    else expect([lowered.returns, lowered.args]).toEqual([machine[0], machine[1]] as never);
  });

  test.each(conventions)("every function of the tables can be lowered on %s", (convention) => {
    for (const [name, signature] of Object.entries(symbols) as [string, SymbolSignature][]) {
      expect(lower(signature, convention).args.length, name).toBeGreaterThanOrEqual(signature.args.length);
    }
  });

  test("what it cannot pass is refused", () => {
    const take = (...args: CType[]): SymbolSignature => ({ library: "llama", returns: "void", args });
    expect(() => lower(take("struct llama_batch", "i32"), "sysv-x64")).toThrow("last argument");
    expect(() => lower(take("struct llama_logit_bias"), "sysv-x64")).toThrow("llama_logit_bias");
  });

  test("conventions by CPU and system", () => {
    expect(hostConvention("x64", "linux")).toBe("sysv-x64");
    expect(hostConvention("x64", "darwin")).toBe("sysv-x64");
    expect(hostConvention("x64", "win32")).toBe("win-x64");
    expect(hostConvention("arm64", "darwin")).toBe("aapcs64");
    expect(hostConvention("arm64", "win32")).toBe("aapcs64");
    expect(hostConvention("riscv64", "linux")).toBe("lp64-riscv");
    expect(() => hostConvention("ia32", "linux")).toThrow(/x64, arm64 and riscv64.*ia32/);
  });
});

/** Structs of the tables, one per size, with a C declaration of the same size and register class. */
const shapes: Partial<Record<StructName, string>> = {
  llama_sampler_chain_params: "uint8_t b[1];",
  ggml_backend_dev_caps: "uint8_t b[5];",
  llama_model_tensor_override: "uint64_t w[2];",
  llama_model_imatrix_data: "uint64_t w[3];",
  llama_perf_context_data: "double d[4]; int32_t i[4];",
  llama_batch: "uint64_t w[7];",
  llama_model_quantize_params: "uint64_t w[8];",
  llama_model_params: "uint64_t w[10];",
  llama_context_params: "uint64_t w[20];",
};
/** Structs that are only ever returned. */
const resultShapes: Partial<Record<StructName, string>> = {
  ...shapes,
  llama_logit_bias: "int32_t i; float f;",
  llama_perf_sampler_data: "double d; int32_t i; int32_t pad;",
};
const scalarCounts = [0, 1, 2, 3, 4];
const parameters = (count: number) => Array.from({ length: count }, (_, index) => `int64_t a${index}`);
const mixScalars = (count: number) =>
  Array.from({ length: count }, (_, index) => `h = step(h, (uint64_t)a${index});`).join(" ");

function takers(name: string): string {
  return scalarCounts
    .map(
      (count) =>
        `uint32_t take_${name}_${count}(${[...parameters(count), `${name} s`].join(", ")}) {
  uint32_t h = 1; ${mixScalars(count)} return bytes(h, &s, sizeof s); }
uint32_t size_of_${name}_${count}(void) { return sizeof(${name}); }`,
    )
    .join("\n");
}

function givers(name: string): string {
  return scalarCounts
    .map(
      (count) => `${name} give_${name}_${count}(${parameters(count).join(", ") || "void"}) {
  uint32_t h = 1; ${mixScalars(count)} ${name} s; fill(h, &s, sizeof s); return s; }`,
    )
    .join("\n");
}

const source = `
#include <stdint.h>
#include <stddef.h>
static uint32_t step(uint32_t h, uint64_t v) { return (h ^ (uint32_t)v ^ (uint32_t)(v >> 32)) * 16777619u; }
static uint32_t bytes(uint32_t h, const void * p, size_t n) {
  for (size_t i = 0; i < n; i++) h = step(h, ((const uint8_t *)p)[i]);
  return h;
}
static void fill(uint32_t h, void * p, size_t n) {
  for (size_t i = 0; i < n; i++) { h = step(h, i); ((uint8_t *)p)[i] = (h >> 8) & 0x3f; }
}
${Object.entries(resultShapes)
  .map(([name, fields]) => `typedef struct { ${fields} } ${name};`)
  .join("\n")}
${Object.keys(shapes).map(takers).join("\n")}
${Object.keys(resultShapes).map(givers).join("\n")}
llama_batch pass(int64_t a, llama_batch s) { s.w[0] += a; s.w[6] ^= a; return s; }
`;

const withC = requireOrSkip(haveCompiler, needsCompiler);
const path = haveCompiler ? compileLibrary(source) : "";

function bindRaised(backend: NativeBackend, name: string, returns: CType, args: CType[]): CFunctionCall {
  const signature: SymbolSignature = { library: "llama", returns, args };
  const lowered = lower(signature, hostConvention());
  if (lowered.resultPlan === "by-struct-type") {
    const bound = bindStructResult(path, name, signature);
    if (!bound) throw new Error(`${name} is missing`);
    return bound;
  }
  const machine = backend.open(path).bind(name, lowered);
  if (!machine) throw new Error(`${name} is missing`);
  return raise(machine, lowered);
}

const step = (hash: number, value: bigint) => {
  const low = Number(BigInt.asUintN(32, value));
  const high = Number(BigInt.asUintN(32, value >> 32n));
  return Math.imul(hash ^ low ^ high, 16777619) >>> 0;
};
const scalarArb = fc.oneof(fc.maxSafeInteger().map(BigInt), fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n));
/** Bigint only where a number would lose bits, as the backends want them. */
const toArgument = (value: bigint) =>
  Number.isSafeInteger(Number(value)) && value >= 0n ? Number(value) : value;

describe.each(await allBackends())("structs by value on %s", (_: BackendName, backend) => {
  const rows = (table: object) =>
    (Object.keys(table) as StructName[]).map((name) => [structs[name].size, name] as const);

  withC.each(rows(shapes))("%i bytes arrive intact after 0 to 4 scalars (%s)", (size, name) => {
    const takes = scalarCounts.map((count) =>
      bindRaised(backend, `take_${name}_${count}`, "u32", [
        ...new Array<CType>(count).fill("i64"),
        `struct ${name}`,
      ]),
    );
    const sizeOf = backend.open(path).bind(`size_of_${name}_0`, { returns: "u32", args: [] });
    expect(sizeOf?.()).toBe(size);
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: size, maxLength: size }),
        fc.array(scalarArb, { maxLength: 4 }),
        (content, scalars) => {
          const struct = new CStruct(backend, name);
          struct.bytes.set(content);
          let hash = 1;
          for (const value of scalars) hash = step(hash, value);
          for (const byte of content) hash = step(hash, BigInt(byte));
          expect(takes[scalars.length]!(...scalars.map(toArgument), struct)).toBe(hash);
        },
      ),
      { numRuns: 100 },
    );
  });

  withC.each(rows(resultShapes))("%i bytes come back intact after 0 to 4 scalars (%s)", (size, name) => {
    const gives = scalarCounts.map((count) =>
      bindRaised(backend, `give_${name}_${count}`, `struct ${name}`, new Array<CType>(count).fill("i64")),
    );
    fc.assert(
      fc.property(fc.array(scalarArb, { maxLength: 4 }), (scalars) => {
        const struct = new CStruct(backend, name);
        gives[scalars.length]!(struct, ...scalars.map(toArgument));
        let hash = 1;
        for (const value of scalars) hash = step(hash, value);
        const bytes = Array.from({ length: size }, (_unused, index) => {
          hash = step(hash, BigInt(index));
          return (hash >>> 8) & 0x3f;
        });
        // koffi carries fields, so padding between and behind them need not survive.
        const compare = (all: ArrayLike<number>) =>
          Object.entries(structs[name].fields).map(([field, layout]) => {
            const width = new CStruct(backend, name).array(field as never).length;
            return Array.prototype.slice.call(all, layout.offset, layout.offset + width);
          });
        const viaKoffi =
          lower({ library: "llama", returns: `struct ${name}`, args: [] }, hostConvention()).resultPlan ===
          "by-struct-type";
        if (viaKoffi) expect(compare(struct.bytes)).toEqual(compare(bytes));
        else expect([...struct.bytes.subarray(0, size)]).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
  });

  withC("a struct goes in and another comes back in one call", () => {
    const pass = bindRaised(backend, "pass", "struct llama_batch", ["i64", "struct llama_batch"]);
    const [input, output] = [new CStruct(backend, "llama_batch"), new CStruct(backend, "llama_batch")];
    const before = new BigUint64Array(input.bytes.buffer);
    before.set([1n, 2n, 3n, 4n, 5n, 6n, 7n].map((value) => value * 0x1_0000_0001n));
    pass(output, 5, input);
    const after = [...before];
    after[0]! += 5n;
    after[6]! ^= 5n;
    expect([...new BigUint64Array(output.bytes.buffer)]).toEqual(after);
    expect(before[0]).toBe(0x1_0000_0001n);
  });
});
