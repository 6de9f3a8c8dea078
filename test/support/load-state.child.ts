// Goes on from the state in the file that is named, and prints the text and how many tokens of the prompt it computed.
import { Llama } from "../../src/llama.ts";

await using llama = await Llama.load(undefined, { contextLength: 512, threads: 1 });
await llama.loadState(process.argv[2]!);
const prompt = [...llama.tokens];
const { choices, timings } = await llama.createCompletion({ prompt, temperature: 0, max_tokens: 16 });
console.log(JSON.stringify({ text: choices[0]!.text, computed: timings.prompt_n }));
