import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const fileName = join("models", "tiny-chat-f16.gguf");

/**
 * Path of the tiny chat model that comes with cria.
 * It lies beside the sources and beside the built package alike, so it is looked for upwards from this file.
 */
export function embeddedModelPath(): string {
  const start = dirname(fileURLToPath(import.meta.url));
  for (let folder = start; ; folder = dirname(folder)) {
    const path = join(folder, fileName);
    if (existsSync(path)) return path;
    if (dirname(folder) === folder)
      throw new Error(`the embedded model ${fileName} is missing; reinstall cria`);
  }
}
