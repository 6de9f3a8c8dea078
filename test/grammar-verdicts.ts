// Asks libllama which grammars it takes: JSON list of [source, root] on stdin, JSON list of booleans on stdout. A process
// of its own, since libllama prints what it refuses to stderr, and a grammar that crashes it must fail a test, not end it.
import { Model } from "../src/model.ts";

const grammars = JSON.parse(await new Response(Bun.stdin.stream()).text()) as [string, string][];
const model = await Model.load("models/tiny-chat-f16.gguf", { vocabOnly: true });
const { c, memory } = model.native;
const verdicts = grammars.map(([source, root]) => {
  const [text, name] = [memory.string(source, "source"), memory.string(root, "root")];
  const sampler = c.llama_sampler_init_grammar(model.vocab.pointer, text.address, name.address);
  const taken = sampler !== 0 && text.bytes.length > 0 && name.bytes.length > 0;
  c.llama_sampler_free(sampler);
  return taken;
});
console.log(JSON.stringify(verdicts));
