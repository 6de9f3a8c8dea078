// An answer in a given shape: the grammar lets nothing else pass, so it can be parsed.
// run: bun
// prints: Anna lives in Oslo and is 30
import { Grammar, Llama } from "cria";

const person = Grammar.parse(`
root ::= "{\\"name\\": \\"" word "\\", \\"age\\": " [0-9]+ ", \\"city\\": \\"" word "\\"}"
word ::= [A-Z] [a-z]+
`);

await using llama = await Llama.load();
const { choices } = await llama.createChatCompletion({
  messages: [{ role: "user", content: "Write JSON for Anna, age 30, from Oslo." }],
  grammar: person,
  temperature: 0,
});
const { name, age, city } = JSON.parse(choices[0]?.message.content ?? "") as {
  name: string;
  age: number;
  city: string;
};
console.log(`${name} lives in ${city} and is ${age}`);
