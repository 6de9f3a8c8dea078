// A long prompt is computed once: the next start, and any other process, takes it from a folder.
// run: bun
// prints: start 1: first token after \d+ ms, 0 of \d+ prompt tokens from the cache\nstart 2: first token after \d+ ms, [1-9]\d{3} of
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Llama, LlamaDiskCache } from "cria";

const cacheDir = mkdtempSync(join(tmpdir(), "cria-warm-"));
const cache = new LlamaDiskCache({ cacheDir, capacityBytes: 2 ** 30 });
const manual = Array.from(
  { length: 130 },
  (_, index) => `Rule ${index}: Tom has ${index} red balls and a big dog.`,
).join("\n");

/** Loads the model, asks one question about the manual, and closes everything. */
async function start(number: number): Promise<void> {
  await using llama = await Llama.load(undefined, { contextLength: 4096, cache });
  const asked = performance.now();
  const { usage } = await llama.createCompletion({ prompt: `${manual}\nWhat has Tom?`, max_tokens: 1 });
  const milliseconds = (performance.now() - asked).toFixed(0);
  const {
    prompt_tokens,
    prompt_tokens_details: { cached_tokens },
  } = usage;
  console.log(
    `start ${number}: first token after ${milliseconds} ms, ${cached_tokens} of ${prompt_tokens} prompt tokens from the cache`,
  );
}

try {
  await start(1);
  await start(2);
} finally {
  rmSync(cacheDir, { recursive: true, force: true });
}
