// usage: disk-engine.child.ts FOLDER PROMPTS SEED
// Answers prompts one after another with a cache folder, and prints what came of each.
import { embeddedModelPath } from "../../src/embedded-model.ts";
import { WorkerEngine } from "../../src/engine/worker-engine.ts";
import { generate } from "./engine-events.ts";
import { seededTokens } from "./seeded-tokens.ts";

const [folder = "", prompts = "1", seed = "0"] = process.argv.slice(2);
process.on("warning", ({ message }) => console.log(JSON.stringify({ warning: message })));
await using engine = await WorkerEngine.load(embeddedModelPath(), {
  threads: 1,
  contextLength: 2048,
  flashAttention: false,
  cacheDir: folder,
});
for (let index = 0; index < Number(prompts); index++) {
  const prompt = seededTokens(700, Number(seed) + index);
  const { tokens, stats } = await generate(engine, prompt, { maxTokens: 8, ignoreEos: true });
  console.log(JSON.stringify({ seed: Number(seed) + index, tokens, cached: stats.cachedLength }));
}
