import { expect, test } from "bun:test";
import { toJSONSchema, z } from "zod";
import { schemaToGrammar } from "../../src/json-schema/index.ts";
import { GrammarSampler, randomNumbers } from "./matching.ts";

/** What zod writes as a format, a pattern or both. */
const strings: Readonly<Record<string, z.ZodType>> = {
  startsWith: z.string().startsWith("https://").max(40),
  endsWith: z.string().endsWith(".json"),
  includes: z.string().includes("@"),
  lowercase: z.string().lowercase(),
  uppercase: z.string().uppercase().min(2),
  regex: z.string().regex(/^a+$/),
  "several patterns": z.string().startsWith("a").endsWith("z").includes("-"),
  email: z.email(),
  url: z.url(),
  uuid: z.uuid(),
  uuidv4: z.uuidv4(),
  guid: z.guid(),
  cuid: z.cuid(),
  cuid2: z.cuid2(),
  ulid: z.ulid(),
  xid: z.xid(),
  ksuid: z.ksuid(),
  nanoid: z.nanoid(),
  base64: z.base64(),
  base64url: z.base64url(),
  emoji: z.emoji(),
  e164: z.e164(),
  ipv4: z.ipv4(),
  ipv6: z.ipv6(),
  cidrv4: z.cidrv4(),
  cidrv6: z.cidrv6(),
  date: z.iso.date(),
  time: z.iso.time(),
  datetime: z.iso.datetime({ offset: true }),
  "local datetime": z.iso.datetime({ local: true }),
  duration: z.iso.duration(),
};

test.each(Object.entries(strings))("zod's %s: whatever the grammar makes, zod takes", (_, schema) => {
  const { source, reports } = schemaToGrammar(toJSONSchema(schema, { io: "input" }));
  expect(reports).toEqual([]);
  const [sampler, random] = [new GrammarSampler(source), randomNumbers(11)];
  for (let count = 0; count < 40; count++) {
    const text = JSON.parse(sampler.sample(random, 1 + count));
    expect([text, schema.safeParse(text).success]).toEqual([text, true]);
  }
});
