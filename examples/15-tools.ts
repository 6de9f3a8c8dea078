// The model calls functions of this program, and answers from their results.
// run: bun
// prints: get_weather\(\{"city": "Oslo"\}\)\n.*(Oslo|sunny)
import { Llama } from "cria";
import { z } from "zod";

await using llama = await Llama.load(undefined, { contextLength: 2048 });
const run = llama.runTools({
  messages: [{ role: "user", content: "What is the weather in Oslo?" }],
  temperature: 0,
  tools: {
    get_weather: {
      description: "Tells the weather in a city.",
      parameters: z.object({ city: z.string() }),
      execute: ({ city }) =>
        city === "Oslo" ? { temperature: 21, sky: "sunny" } : { error: "unknown city" },
    },
  },
});
for await (const event of run) if (event.type === "call") console.log(`${event.name}(${event.arguments})`);
console.log((await run.result()).text);
