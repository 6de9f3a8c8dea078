import { type Command, InvalidArgumentError, Option } from "commander";
import { defaultCacheFolder } from "../cache/default-folder.ts";
import type { EngineOptions } from "../engine/engine-options.ts";
import { integer } from "./numbers.ts";

/** Where what was computed is kept beside the context, by commander's names of the flags. */
export interface CacheFlags {
  cacheRam?: number;
  cacheDir?: string;
  cacheDisk?: number;
}

export const folderVariable = "CRIA_CACHE_DIR";
const mostMebibytes = 2 ** 30;

/** A folder's name; `default` for that of the user. */
export function cacheFolder(text: string): string {
  if (text === "") throw new InvalidArgumentError("must not be empty.");
  return text === "default" ? defaultCacheFolder() : text;
}

export function addCacheOptions(command: Command): Command {
  const folder = new Option(
    "--cache-dir <folder>",
    `folder to keep prompts' KV cache in, for the next start too; default for that of \`cria cache\` (or ${folderVariable})`,
  ).argParser(cacheFolder);
  // A variable that is set to nothing turns it off.
  if (process.env[folderVariable]) folder.env(folderVariable);
  return command
    .option(
      "--cram, --cache-ram <MiB>",
      "memory for prompts' KV cache beside the context, 0 for none, -1 for the machine's (default: 8192, or a quarter of the machine's)",
      integer(-1, mostMebibytes),
    )
    .addOption(folder)
    .option(
      "--cache-disk <MiB>",
      "most that the folder of --cache-dir may take (default: 20480)",
      integer(1, mostMebibytes),
    );
}

/** @throws TypeError for a flag that another one is missing for. */
export function cacheOptions({ cacheRam, cacheDir, cacheDisk }: CacheFlags): Partial<EngineOptions> {
  if (cacheDisk !== undefined && cacheDir === undefined)
    throw new TypeError("--cache-disk needs --cache-dir");
  return { cacheRam, cacheDir, cacheDisk };
}
