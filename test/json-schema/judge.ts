import { Ajv } from "ajv";
import { Ajv2019 } from "ajv/dist/2019.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import formats from "ajv-formats";

// What every object inherits, such as "constructor", is no property of it.
const options = { strict: false, strictNumbers: true, logger: false, ownProperties: true } as const;
// Draft 7 ignores what stands beside $ref, which ajv does only when told.
const ajv7 = new Ajv({ ...options, ignoreKeywordsWithRef: true } as object);
const ajv2019 = new Ajv2019(options);
const ajv2020 = new Ajv2020(options);
for (const ajv of [ajv7, ajv2019, ajv2020]) formats.default(ajv);

/** What ajv says of values under a schema, read as its `$schema` says, or as 2020-12. */
export function judge(schema: unknown): (value: unknown) => boolean {
  const text = JSON.stringify(schema);
  const ajv = text.includes("draft-07/schema") ? ajv7 : text.includes("2019-09/schema") ? ajv2019 : ajv2020;
  // A copy, since ajv keeps what it has compiled by identity, and an $id may come twice.
  const copy = JSON.parse(text);
  const validate = ajv.compile(copy);
  if (copy.$id !== undefined) ajv.removeSchema(copy.$id);
  return (value) => validate(value) as boolean;
}
