// An answer as it comes, one piece of text after another.
// run: bun
// prints: \w+ \w+
import { Llama } from "cria";

await using llama = await Llama.load();

const chunks = llama.createChatCompletion({
  messages: [{ role: "user", content: "Tell me a story." }],
  temperature: 0.7,
  seed: 7,
  max_tokens: 120,
  stream: true,
});
for await (const chunk of chunks) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
process.stdout.write("\n");
