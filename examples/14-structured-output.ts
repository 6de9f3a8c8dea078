// Asks for JSON by a zod schema: the answer is sure to match it, and comes back as a typed value.
// run: bun
// prints: Anna is 30 and lives in Oslo
import { Llama } from "cria";
import { z } from "zod";

await using llama = await Llama.load();
const answer = await llama.createChatCompletion({
  messages: [{ role: "user", content: "Write JSON for Anna, age 30, from Oslo." }],
  response_format: z.object({ name: z.string(), age: z.int().min(0), city: z.string() }),
  temperature: 0,
});
// Null where max_tokens cut it off.
const person = answer.choices[0]?.message.parsed;
if (person) console.log(`${person.name} is ${person.age} and lives in ${person.city}`);
