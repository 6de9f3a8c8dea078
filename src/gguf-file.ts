import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { ModelLoadError } from "../lib/errors.ts";
import { type GgufHeader, metadataNumber, readGgufHeader } from "../lib/gguf-header.ts";
import { checkLoadable } from "../lib/gguf-safety.ts";
import { splitPartNames } from "../lib/gguf-split.ts";
import { type GgufSummary, summarizeGguf } from "../lib/gguf-summary.ts";

/** Reads the header of one file. The weights are not touched. */
export function readGgufFile(path: string): GgufHeader {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === "ENOENT" ? "there is no such file; check the path" : message;
    throw new ModelLoadError(`${path} cannot be opened: ${reason}`, { cause });
  }
  try {
    const stat = fstatSync(file);
    if (stat.isDirectory()) throw new ModelLoadError(`${path} is a folder; name the GGUF file in it`);
    if (!stat.isFile())
      throw new ModelLoadError(`${path} is no regular file; save the model to a file first`);
    const read = (offset: number, length: number) => {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    };
    return readGgufHeader({ name: path, size: stat.size, read });
  } catch (error) {
    if (error instanceof ModelLoadError) throw error;
    throw new ModelLoadError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  } finally {
    closeSync(file);
  }
}

/**
 * Paths of all parts of the model that `path` belongs to, first part first.
 *
 * @throws ModelLoadError naming the parts that are missing.
 */
export function splitPaths(path: string): string[] {
  const paths = splitPartNames(path);
  const missing = paths.filter((part) => !existsSync(part));
  if (missing.length > 0 && paths.length > 1) {
    throw new ModelLoadError(
      `${missing.length} of ${paths.length} parts of the model are missing: ${missing.slice(0, 10).join(", ")}${missing.length > 10 ? ", …" : ""}; put them into the same folder`,
    );
  }
  return paths;
}

/**
 * Reads and checks the header of a model, adapter or control vector, and of all its parts, before libllama sees it.
 *
 * libllama ends the whole process on some bad files; the known ways to make it do so are refused here, see
 * `checkLoadable` in `lib/gguf-safety.ts`.
 *
 * @param path any part of a split model.
 * @param options.splits paths of all parts, where they do not follow the usual naming.
 * @throws ModelLoadError naming the file, what is wrong with it and what to do.
 */
export function checkGguf(path: string, options: { readonly splits?: readonly string[] } = {}): GgufSummary {
  const paths = options.splits ?? splitPaths(path);
  const headers = paths.map((part) => readGgufFile(part));
  for (const header of headers) checkLoadable(header);
  const [first, ...rest] = headers;
  if (first === undefined) throw new TypeError("splits must name at least one file");
  checkParts(first, headers);
  return summarizeGguf(first, ...rest);
}

function checkParts(first: GgufHeader, headers: readonly GgufHeader[]): void {
  const count = metadataNumber(first, "split.count") ?? 1;
  if (Math.max(count, 1) !== headers.length) {
    throw new ModelLoadError(
      `${first.name} says it is one of ${count} parts (split.count), but ${headers.length} were found; give the parts their original names, name-00001-of-0000${Math.min(count, 9)}.gguf`,
    );
  }
  if (headers.length === 1) return;
  for (const [index, header] of headers.entries()) {
    const number = metadataNumber(header, "split.no");
    if (number === index) continue;
    throw new ModelLoadError(
      `${header.name} is part ${number} by its header (split.no), expected ${index}; put the parts in order`,
    );
  }
}
