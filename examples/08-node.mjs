// Node, through koffi: the same program as on Bun. In this repository run `npm run build` first.
// run: node
// prints: The capital of France is Paris\.
import { Llama } from "cria";

const llama = await Llama.load();
try {
  const chunks = llama.createChatCompletion({
    messages: [{ role: "user", content: "What is the capital of France?" }],
    temperature: 0,
    stream: true,
  });
  for await (const chunk of chunks) process.stdout.write(chunk.choices[0]?.delta.content ?? "");
  process.stdout.write("\n");
} finally {
  await llama.close();
}
