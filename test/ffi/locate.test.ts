import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { librariesIn, locateLibraries, platformPackages } from "../../ffi/locate.ts";
import { withEnvironment } from "../support/environment.ts";

const root = mkdtempSync(join(tmpdir(), "cria-locate-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
/** A folder with empty files of these names. */
function folderWith(...names: string[]): string {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  for (const name of names) writeFileSync(join(folder, name), "");
  return folder;
}

const noEnvironment = { CRIA_LIBRARY_PATH: undefined, CRIA_GPU: undefined };

describe("librariesIn", () => {
  test.each([
    ["libllama.so", "libggml.so", "libggml-base.so"],
    ["libllama.so.0.5.0", "libggml.so.0", "libggml-base.so.0"],
    ["libllama.dylib", "libggml.dylib", "libggml-base.dylib"],
    ["libllama.0.5.0.dylib", "libggml.0.dylib", "libggml-base.0.dylib"],
    ["llama.dll", "ggml.dll", "ggml-base.dll"],
  ])("recognises %s, %s and %s", (llama, ggml, base) => {
    const folder = folderWith(llama, ggml, base, "libggml-cpu-x64.so", "libllama-common.so", "llama.h");
    expect(librariesIn(folder, "here")).toEqual({
      directory: folder,
      llama: join(folder, llama),
      ggml: join(folder, ggml),
      ggmlBase: join(folder, base),
      origin: "here",
      gpu: undefined,
    });
  });

  test.each(["cuda", "vulkan", "metal"])("tells a %s build by its backend", (kind) => {
    const folder = folderWith("libllama.so", "libggml.so", "libggml-base.so", `libggml-${kind}.so`);
    expect(librariesIn(folder, "x")).toMatchObject({ gpu: kind });
  });

  test("says what a folder lacks", () => {
    const reason = (folder: string) => (librariesIn(folder, "x") as { reason?: string }).reason;
    expect(reason(join(root, "nothing"))).toBe("no such folder");
    expect(reason(folderWith("libllama-common.so", "libllama.so.txt"))).toBe("no libllama in it");
    expect(reason(folderWith("libllama.so"))).toContain("without libggml and libggml-base");
    expect(reason(folderWith("libllama.so", "libggml.so"))).toContain("libggml-base");
  });
});

describe("platformPackages", () => {
  test.each([
    ["auto", "linux", "x64", ["linux-x64-cuda", "linux-x64-vulkan", "linux-x64"]],
    ["off", "linux", "x64", ["linux-x64", "linux-x64-cuda", "linux-x64-vulkan"]],
    ["cuda", "linux", "arm64", ["linux-arm64-cuda"]],
    ["vulkan", "win32", "x64", ["win-x64-vulkan"]],
    ["metal", "linux", "x64", []],
    ["auto", "win32", "arm64", ["win-arm64-cuda", "win-arm64-vulkan", "win-arm64"]],
    ["auto", "darwin", "arm64", ["mac-arm64-metal"]],
    ["off", "darwin", "arm64", ["mac-arm64-metal"]],
    ["metal", "darwin", "arm64", ["mac-arm64-metal"]],
    ["auto", "darwin", "x64", ["mac-x64"]],
    ["off", "darwin", "x64", ["mac-x64"]],
    ["cuda", "darwin", "arm64", []],
  ] as const)("gpu %s on %s %s", (gpu, platform, arch, names) => {
    expect(platformPackages(gpu, platform, arch)).toEqual([...names]);
  });
});

describe("locateLibraries", () => {
  const files = ["libllama.so", "libggml.so", "libggml-base.so"];

  test("an explicit folder or file excludes everything else", async () => {
    const folder = folderWith(...files, "libllama-mine.so");
    await withEnvironment({ ...noEnvironment, CRIA_LIBRARY_PATH: folderWith(...files) }, () => {
      const byFolder = locateLibraries({ libraryPath: folder });
      expect(byFolder.found.map(({ llama, origin }) => [llama, origin])).toEqual([
        [join(folder, "libllama.so"), "option libraryPath"],
      ]);
      expect(byFolder.attempts).toEqual([]);
      const byFile = locateLibraries({ libraryPath: join(folder, "libllama-mine.so") });
      expect(byFile.found.map(({ llama }) => llama)).toEqual([join(folder, "libllama-mine.so")]);
    });
  });

  test("CRIA_LIBRARY_PATH excludes the packages and the system", async () => {
    const folder = folderWith(...files);
    await withEnvironment({ ...noEnvironment, CRIA_LIBRARY_PATH: folder }, () => {
      const { found } = locateLibraries();
      expect(found.map(({ directory, origin }) => [directory, origin])).toEqual([
        [folder, "CRIA_LIBRARY_PATH"],
      ]);
    });
  });

  test.each(["missing-folder", "missing.so"])("an explicit path that is not there: %s", async (name) => {
    await withEnvironment(noEnvironment, () => {
      expect(locateLibraries({ libraryPath: join(root, name) })).toEqual({
        found: [],
        attempts: [{ place: join(root, name), reason: "no such file or folder" }],
      });
    });
  });

  test("the installed package comes first, and packages that are not installed are listed", async () => {
    await withEnvironment(noEnvironment, () => {
      const { found, attempts } = locateLibraries({ gpu: "off" });
      expect(found[0]?.origin).toStartWith("package @node-llama-cpp/");
      const tried = [...found.map(({ origin }) => origin), ...attempts.map(({ place }) => place)];
      for (const name of platformPackages("off", process.platform, process.arch)) {
        expect(tried).toContain(`package @node-llama-cpp/${name}`);
      }
    });
  });

  test("folders of the system come after the packages", async () => {
    const folder = folderWith(...files);
    const variable = process.platform === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
    await withEnvironment({ ...noEnvironment, [variable]: folder }, () => {
      const { found } = locateLibraries({ gpu: "off" });
      const origins = found.map(({ origin }) => origin);
      expect(origins).toContain(`system folder ${folder}`);
      expect(origins[0]).toStartWith("package ");
    });
  });

  test("CRIA_GPU narrows the packages, the option goes before it, and other values are refused", async () => {
    const packages = (gpu?: "cuda") =>
      [...locateLibraries({ gpu }).attempts.map(({ place }) => place)].filter((place) =>
        place.startsWith("package"),
      );
    await withEnvironment({ ...noEnvironment, CRIA_GPU: "vulkan" }, () => {
      expect(packages().every((place) => place.endsWith("-vulkan"))).toBe(true);
      expect(packages("cuda").every((place) => place.endsWith("-cuda"))).toBe(true);
    });
    await withEnvironment({ ...noEnvironment, CRIA_GPU: "opencl" }, () => {
      expect(() => locateLibraries()).toThrow(RangeError);
      expect(() => locateLibraries()).toThrow(/CRIA_GPU.*auto, off, cuda, vulkan, metal.*"opencl"/);
    });
    expect(() => locateLibraries({ gpu: "fast" as never })).toThrow(RangeError);
  });
});
