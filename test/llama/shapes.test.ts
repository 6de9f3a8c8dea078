import { expect, test } from "bun:test";
import { RequestError } from "../../lib/errors.ts";
import { SchemaWorkError, schemaToGrammar } from "../../src/json-schema/index.ts";
import type { AnswerQuestion, SchemaQuestion, ShapeQuestion } from "../../src/llama/shape-question.ts";
import { answerQuestion } from "../../src/llama/shape-question.ts";
import { askShapeThread } from "../../src/llama/shape-thread.ts";
import { grammarNow, grammarSoon } from "../../src/llama/shapes.ts";

const schema = (given: unknown, mode: "strict" | "lenient" = "strict"): SchemaQuestion => ({
  kind: "schema",
  schema: given,
  mode,
  field: "json_schema",
});

const functions = (count: number, name = "f") =>
  Array.from({ length: count }, (_, index) => ({
    type: "function" as const,
    function: {
      name: `${name}_${index}`,
      parameters: {
        type: "object",
        properties: {
          text: { type: "string", maxLength: 20 + index },
          count: { type: "integer", minimum: 0, maximum: 1000 + index },
          kind: { enum: ["a", "b", `c${index}`] },
        },
        required: ["text"],
      },
    },
  }));

const tools = (count: number, more: Partial<AnswerQuestion> = {}): AnswerQuestion => {
  const callable = functions(count);
  return {
    kind: "answer",
    format: "hermes",
    isBegun: false,
    thinking: "allowed",
    tools: { callable, indices: callable.map((_, index) => index), choice: "auto", parallel: "several" },
    ...more,
  };
};

/** Takes more steps than are done here, and is short. */
const laborious = schema({ type: "string", pattern: "^(a|b){0,40}(a[ab]{9}|c{5,90})$" });

const questions: [name: string, question: ShapeQuestion][] = [
  ["GBNF", { kind: "source", source: 'start ::= "a" | <[3]> [b-d]{2,5}', root: "start" }],
  ["a schema", schema({ type: "object", properties: { n: { type: "integer", minimum: 10n ** 20n } } })],
  ["a laborious schema", laborious],
  ["calls", tools(3)],
  ["calls or a shape behind a thought", tools(2, { shape: schema({ enum: ["x", "y"] }) })],
  ["one call in channels", { ...tools(2), format: "harmony" }],
];

test.each(questions)("%s: another thread makes the same", async (_, question) => {
  const here = answerQuestion(question);
  const there = await askShapeThread(question);
  expect(there.parts).toEqual(here.parts);
  expect((await grammarSoon(question)).parts).toEqual(here.parts);
  expect(await grammarSoon(question)).toBe(grammarNow(question));
});

test.each([
  ["many functions", tools(60)],
  ["a laborious schema", schema({ type: "string", pattern: "^(a|b){0,40}(a[ab]{9}|d{5,91})$" })],
])("%s: this thread goes on meanwhile", async (_, question) => {
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  // Whoever makes it here makes it before the first turn.
  await grammarSoon(question);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(0);
});

test("what is short and simple is made here", async () => {
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  await grammarSoon(schema({ type: "object", properties: { only_here: { type: "boolean" } } }));
  expect(turned).toBe(false);
});

test("several that are asked for at once are each answered", async () => {
  const asked = Array.from({ length: 8 }, (_, index) => tools(5 + index));
  const made = await Promise.all(asked.map(askShapeThread));
  for (const [index, grammar] of made.entries())
    expect(grammar.source).toBe(answerQuestion(asked[index]!).source);
});

test.each([[""], ["x".repeat(5000)]])(
  "a schema that leads back to itself is refused by name",
  async (description) => {
    const round: Record<string, unknown> = { type: "object", description };
    round.properties = { round };
    const refused = { name: "RequestError", field: "json_schema" };
    expect(await grammarSoon(schema(round)).catch((error: unknown) => error)).toMatchObject(refused);
    expect(() => grammarNow(schema(round))).toThrow(/^json_schema: /);
  },
);

const long = "x".repeat(5000);
test.each([
  ["a schema", schema({ description: long, type: "strong" }), "json_schema", /type/],
  [
    "a function's",
    tools(40, {
      tools: {
        callable: [...functions(39), { type: "function", function: { name: "g", parameters: { type: 1 } } }],
        indices: Array.from({ length: 40 }, (_, index) => 2 * index),
        choice: "required",
        parallel: "single",
      },
    }),
    "tools[78].function.parameters",
    /type/,
  ],
  ["what is no data", schema({ description: long, default: () => 1 }), "json_schema", /function|JSON/],
] as [string, ShapeQuestion, string, RegExp][])(
  "%s error comes back whole",
  async (_, question, field, message) => {
    const error = await grammarSoon(question).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RequestError);
    const told = error as RequestError;
    expect(told.field).toBe(field);
    expect(told.message).toMatch(message);
    expect(() => answerQuestion(question)).toThrow(told.message);
  },
);

test("GBNF that is wrong is told with its place", async () => {
  const source = `# ${long}\nroot ::= [`;
  await expect(grammarSoon({ kind: "source", source, root: "root" })).rejects.toMatchObject({
    name: "GrammarError",
    line: 2,
  });
});

test("a schema may be given less work", () => {
  expect(() => schemaToGrammar(laborious.schema, { work: 100 })).toThrow(SchemaWorkError);
  expect(() => schemaToGrammar(laborious.schema)).not.toThrow();
});
