import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { hostConvention } from "../../ffi/abi.ts";
import { loadLibrary, pinnedVersion } from "../../ffi/index.ts";
import { AbiMismatchError } from "../../lib/errors.ts";
import { requireOrSkip } from "../require.ts";
import { allBackends } from "../support/backends.ts";
import { haveCompiler, needsCompiler } from "../support/compile-c.ts";
import { type FakeLlama, fakeLibraries } from "../support/fake-llama.ts";

const withC = requireOrSkip(haveCompiler, needsCompiler);
// Where koffi fetches a struct result it knows the struct's size, so a longer one cannot show.
const showsLength = requireOrSkip(
  haveCompiler && hostConvention() !== "aapcs64",
  "a longer struct shows only where the result is written through a hidden pointer",
);

const real = await loadLibrary();

describe.each(await allBackends())("layout check on %s", (name, backend) => {
  async function refusal(fake: FakeLlama): Promise<Error> {
    const folder = fakeLibraries(real, fake);
    const error = await loadLibrary({ backend: name, libraryPath: folder }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(AbiMismatchError);
    expect((error as AbiMismatchError).code).toBe("ABI_MISMATCH");
    const message = (error as Error).message;
    expect(message).toContain(folder);
    expect(message).toContain(`Use llama.cpp v${pinnedVersion}`);
    expect(message).toContain("CRIA_LIBRARY_PATH");
    // Refused, it was asked for its version and defaults and nothing else.
    const file = readdirSync(folder).find((each) => /^libllama\.(so|dylib)$/.test(each))!;
    const beyond = backend.open(join(folder, file)).bind("calls_beyond", { returns: "i32", args: [] });
    expect(beyond?.()).toBe(0);
    return error as Error;
  }

  withC("a library that answers as the pinned release does is taken", async () => {
    for (const version of ["0.5.0", "0.5.0-dev", "0.5.0-123-gabcdef"]) {
      const native = await loadLibrary({ backend: name, libraryPath: fakeLibraries(real, { version }) });
      expect(native.version).toBe(version);
    }
  });

  withC.each(["0.4.9", "0.5.1", "0.5.01", "0.5.0.1", "", "b9999"])(
    "version %p is refused",
    async (version) => {
      expect((await refusal({ version })).message).toContain(`version ${version}`);
    },
  );

  withC("a library without llama_version is refused", async () => {
    expect((await refusal({ version: null })).message).toContain("no llama_version()");
  });

  withC.each([
    ["n_ctx", 4096],
    ["flash_attn_type", 0],
    ["type_k", 0],
    ["offload_kqv", 0],
    ["ctx_other", 16],
  ])("another default of llama_context_params.%s is refused", async (field, value) => {
    const { message } = await refusal({ contextDefaults: { [field]: value } });
    expect(message).toContain(`llama_context_params.${field} defaults to ${value}, expected`);
  });

  withC.each([
    ["n_gpu_layers", 0],
    ["use_extra_bufts", 0],
    ["devices", 4096],
  ])("another default of llama_model_params.%s is refused", async (field, value) => {
    const { message } = await refusal({ modelDefaults: { [field]: value } });
    expect(message).toContain(`llama_model_params.${field} defaults to ${value}, expected`);
  });

  showsLength("a longer struct is refused before it can overwrite anything", async () => {
    expect((await refusal({ extraModelWords: 1 })).message).toContain(
      "llama_model_params is larger than the 80",
    );
    expect((await refusal({ extraContextWords: 3 })).message).toContain(
      "llama_context_params is larger than the 160",
    );
  });

  withC("a shorter struct is refused", async () => {
    expect((await refusal({ extraContextWords: -1 })).message).toContain("llama_context_params.ctx_other");
  });
});

test("the real library passes on every backend, with the pinned version", async () => {
  for (const [name] of await allBackends()) {
    const { version } = await loadLibrary({ backend: name });
    expect(version.startsWith(pinnedVersion)).toBe(true);
  }
});
