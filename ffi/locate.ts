import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";

export type GpuKind = "cuda" | "vulkan" | "metal";
/** What to run on: one GPU kind, none, or the best that is installed. */
export type GpuChoice = GpuKind | "off" | "auto";
export const gpuChoices: readonly GpuChoice[] = ["auto", "off", "cuda", "vulkan", "metal"];

/** The shared objects of one libllama build, all in one folder. */
export interface LibrarySet {
  readonly directory: string;
  readonly llama: string;
  readonly ggml: string;
  readonly ggmlBase: string;
  /** Where the set was found: an option, a variable, a package or a system folder. */
  readonly origin: string;
  readonly gpu: GpuKind | undefined;
}

/** One place where libllama was looked for, and why it was not taken. */
export interface LibraryAttempt {
  readonly place: string;
  readonly reason: string;
}

export interface LocateOptions {
  /** A file (libllama itself) or the folder that holds it; nothing else is tried. */
  libraryPath?: string | undefined;
  gpu?: GpuChoice | undefined;
}

const extension = String.raw`\.(so|dylib|dll)`;
const pattern = (stem: string) =>
  new RegExp(String.raw`^(lib)?${stem}(\.[a-z]+)?(\.v?\d+(\.\d+)*)?${extension}(\.\d+)*$`);
const llamaPattern = pattern("llama");
const ggmlPattern = pattern("ggml");
const basePattern = pattern("ggml-base");

/** Recognises libllama, libggml and libggml-base in a folder, whatever suffix a build gives them. */
export function librariesIn(directory: string, origin: string): LibrarySet | LibraryAttempt {
  let names: string[];
  try {
    names = readdirSync(directory).sort();
  } catch {
    return { place: directory, reason: "no such folder" };
  }
  const find = (wanted: RegExp) => names.find((name) => wanted.test(name));
  const [llama, ggml, ggmlBase] = [find(llamaPattern), find(ggmlPattern), find(basePattern)];
  if (!llama) return { place: directory, reason: "no libllama in it" };
  if (!ggml || !ggmlBase)
    return { place: directory, reason: "libllama without libggml and libggml-base beside it" };
  const kind = /cuda|vulkan|metal/.exec(names.join(" "))?.[0] as GpuKind | undefined;
  const at = (name: string) => join(directory, name);
  return { directory, llama: at(llama), ggml: at(ggml), ggmlBase: at(ggmlBase), origin, gpu: kind };
}

/** Names of the npm platform packages that fit this machine, best first. */
export function platformPackages(gpu: GpuChoice, platform: string, arch: string): string[] {
  const system = platform === "darwin" ? "mac" : platform === "win32" ? "win" : "linux";
  const base = `${system}-${arch}`;
  const all: [name: string, kind: GpuKind | "off"][] =
    system === "mac"
      ? [[arch === "arm64" ? `${base}-metal` : base, arch === "arm64" ? "metal" : "off"]]
      : [
          [`${base}-cuda`, "cuda"],
          [`${base}-vulkan`, "vulkan"],
          [base, "off"],
        ];
  if (gpu === "auto") return all.map(([name]) => name);
  const wanted = all.filter(([, kind]) => kind === gpu).map(([name]) => name);
  // Without a CPU build any other serves: layers simply stay off its GPU.
  return gpu === "off"
    ? [...wanted, ...all.map(([name]) => name).filter((name) => !wanted.includes(name))]
    : wanted;
}

function packageFolders(name: string): string[] {
  const roots = new Set<string>();
  const require = createRequire(import.meta.url);
  for (const path of require.resolve.paths("@node-llama-cpp/x") ?? []) roots.add(path);
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    roots.add(join(folder, "node_modules"));
    if (dirname(folder) === folder) break;
  }
  return [...roots].map((root) => join(root, "@node-llama-cpp", name, "bins", name));
}

function systemFolders(): string[] {
  const variable = process.platform === "darwin" ? "DYLD_LIBRARY_PATH" : "LD_LIBRARY_PATH";
  const fromEnvironment = (process.env[variable] ?? "").split(":").filter(Boolean);
  if (process.platform === "win32") return (process.env.PATH ?? "").split(";").filter(Boolean);
  const triplet = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  return [
    ...fromEnvironment,
    ...["/opt/homebrew/lib", "/usr/local/lib", `/usr/lib/${triplet}`, "/usr/lib64", "/usr/lib"],
  ];
}

function explicit(path: string, origin: string): LibrarySet | LibraryAttempt {
  const absolute = resolve(path);
  if (!existsSync(absolute)) return { place: absolute, reason: "no such file or folder" };
  if (statSync(absolute).isDirectory()) return librariesIn(absolute, origin);
  const found = librariesIn(dirname(absolute), origin);
  return "llama" in found ? { ...found, llama: absolute } : found;
}

/**
 * Finds the builds of libllama that this machine may use, best first: the explicit option, CRIA_LIBRARY_PATH, the installed
 * platform packages that fit (CRIA_GPU), then the folders of the system. An explicit path excludes all others.
 */
export function locateLibraries(options: LocateOptions = {}): {
  found: LibrarySet[];
  attempts: LibraryAttempt[];
} {
  const gpu = options.gpu ?? (process.env.CRIA_GPU as GpuChoice | undefined) ?? "auto";
  if (!gpuChoices.includes(gpu)) {
    throw new RangeError(`CRIA_GPU (option gpu) must be one of ${gpuChoices.join(", ")}, got "${gpu}"`);
  }
  const found: LibrarySet[] = [];
  const attempts: LibraryAttempt[] = [];
  const take = (result: LibrarySet | LibraryAttempt) => {
    if ("llama" in result) found.push(result);
    else attempts.push(result);
  };
  const path = options.libraryPath ?? process.env.CRIA_LIBRARY_PATH;
  if (path) {
    take(explicit(path, options.libraryPath ? "option libraryPath" : "CRIA_LIBRARY_PATH"));
    return { found, attempts };
  }
  for (const name of platformPackages(gpu, process.platform, process.arch)) {
    const folder = packageFolders(name).find((candidate) => existsSync(candidate));
    if (folder) take(librariesIn(folder, `package @node-llama-cpp/${name}`));
    else attempts.push({ place: `package @node-llama-cpp/${name}`, reason: "not installed" });
  }
  for (const folder of new Set(systemFolders())) {
    const result = librariesIn(folder, `system folder ${folder}`);
    if ("llama" in result || result.reason !== "no such folder") take(result);
  }
  return { found, attempts };
}
