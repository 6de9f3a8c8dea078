import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ggml_type, loadLibrary } from "../../ffi/index.ts";
import { AbiMismatchError, LibraryLoadError } from "../../lib/errors.ts";
import { requireOrSkip } from "../require.ts";
import { allBackends, backendNames } from "../support/backends.ts";
import { haveCompiler, needsCompiler } from "../support/compile-c.ts";
import { withEnvironment } from "../support/environment.ts";
import { fakeLibraries } from "../support/fake-llama.ts";

const root = mkdtempSync(join(tmpdir(), "cria-library-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const withC = requireOrSkip(haveCompiler, needsCompiler);

async function failure(promise: Promise<unknown>): Promise<Error> {
  return promise.then(
    () => {
      throw new Error("was expected to fail");
    },
    (reason: Error) => reason,
  );
}

describe.each(backendNames.map((name) => [name] as const))("library on %s", (backend) => {
  test("is opened once: later and concurrent calls give the same object", async () => {
    const [first, second] = await Promise.all([loadLibrary({ backend }), loadLibrary({ backend })]);
    expect(second).toBe(first);
    expect(await loadLibrary({ backend })).toBe(first);
    expect(first.backend.name).toBe(backend);
  });

  test("knows which functions it has", async () => {
    const { has, c } = await loadLibrary({ backend });
    expect(has("llama_decode")).toBe(true);
    expect(has("ggml_threadpool_new")).toBe(true);
    expect(has("no_such_function" as never)).toBe(false);
    expect(c.llama_decode).toBe(c.llama_decode);
  });

  test("each kind of result is what the types say", async () => {
    const { c, memory } = await loadLibrary({ backend });
    expect(c.llama_supports_mmap()).toBe(true);
    expect(c.llama_max_devices()).toBeGreaterThan(0);
    expect(c.ggml_row_size(ggml_type.GGML_TYPE_Q8_0, 64)).toBe(68);
    expect(c.ggml_time_us()).toBeGreaterThan(0);
    expect(memory.readString(c.ggml_type_name(ggml_type.GGML_TYPE_Q4_0))).toBe("q4_0");
    expect(c.ggml_backend_reg_by_name(memory.string("no such backend", "name").address)).toBe(0 as never);
  });

  test("a path that is not there: the error names it and the remedy", async () => {
    const missing = join(root, "nowhere");
    const error = await failure(loadLibrary({ backend, libraryPath: missing }));
    expect(error).toBeInstanceOf(LibraryLoadError);
    expect(error.message).toContain(`${missing}: no such file or folder`);
    expect(error.message).toContain("npm install");
    expect(error.message).toContain("CRIA_LIBRARY_PATH");
    expect(error.message).toContain("cria doctor");
  });

  test("files that are no libraries: the error says so and keeps the cause", async () => {
    const folder = mkdtempSync(join(root, "text-"));
    for (const name of ["libllama.so", "libggml.so", "libggml-base.so"]) {
      writeFileSync(join(folder, name), "this is not ELF");
    }
    const error = await failure(loadLibrary({ backend, libraryPath: folder }));
    expect(error).toBeInstanceOf(LibraryLoadError);
    expect(error.message).toContain(join(folder, "libllama.so"));
    expect(error.message).toContain("option libraryPath");
    expect(error.cause).toBeInstanceOf(Error);
  });

  test("nothing found at all: every place that was tried is listed", async () => {
    // No platform has a package for CUDA and Metal, so that one of them is always missing.
    const gpu = process.platform === "darwin" ? "cuda" : "metal";
    const folder = mkdtempSync(join(root, "empty-"));
    const variable = process.platform === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
    await withEnvironment({ CRIA_LIBRARY_PATH: undefined, [variable]: folder }, async () => {
      const error = await failure(loadLibrary({ backend, gpu }));
      expect(error).toBeInstanceOf(LibraryLoadError);
      expect(error.message).toContain(`${folder}: no libllama in it`);
    });
  });

  test("a failed attempt is forgotten, so that the mended folder can be loaded", async () => {
    const { library } = await loadLibrary({ backend });
    const link = join(root, `link-${backend}`);
    await failure(loadLibrary({ backend, libraryPath: link }));
    const { symlinkSync } = await import("node:fs");
    symlinkSync(library.directory, link);
    const native = await loadLibrary({ backend, libraryPath: link });
    expect(native.c.llama_max_devices()).toBeGreaterThan(0);
  });

  withC("a function that the library lacks is an error with its name, at first use", async () => {
    const native = await loadLibrary({ backend, libraryPath: fakeLibraries(await loadLibrary()) });
    expect(() => native.c.llama_decode).toThrow(AbiMismatchError);
    expect(() => native.c.llama_decode).toThrow("llama_decode");
    expect(native.has("llama_decode")).toBe(false);
  });
});

test("CRIA_FFI chooses the backend, and a name there is not is refused", async () => {
  for (const name of backendNames) {
    await withEnvironment({ CRIA_FFI: name }, async () => {
      expect((await loadLibrary()).backend.name).toBe(name);
    });
  }
  await withEnvironment({ CRIA_FFI: "napi" }, async () => {
    const error = await failure(loadLibrary());
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain("CRIA_FFI");
  });
});

test("both backends see one libllama: an object made by one is used by the other", async () => {
  const natives = await Promise.all((await allBackends()).map(([backend]) => loadLibrary({ backend })));
  for (const maker of natives) {
    for (const user of natives) {
      const sampler = maker.c.llama_sampler_init_greedy();
      expect(user.memory.readString(user.c.llama_sampler_name(sampler))).toBe("greedy");
      user.c.llama_sampler_free(sampler);
    }
  }
  const counts = natives.map(({ c }) => c.ggml_backend_dev_count());
  expect(new Set(counts).size).toBe(1);
});

test("the defaults of all structs are the same through both backends", async () => {
  const natives = await Promise.all((await allBackends()).map(([backend]) => loadLibrary({ backend })));
  const dumps = natives.map(({ c, struct }) => {
    const model = struct("llama_model_params");
    c.llama_model_default_params(model);
    const context = struct("llama_context_params");
    c.llama_context_default_params(context);
    const chain = struct("llama_sampler_chain_params");
    c.llama_sampler_chain_default_params(chain);
    return [model, context, chain].map(({ bytes }) => bytes.toHex());
  });
  for (const dump of dumps) expect(dump).toEqual(dumps[0]!);
});
