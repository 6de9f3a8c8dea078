import { RequestError } from "../../lib/errors.ts";
import { literal } from "../grammar/spelling.ts";
import type { NotationStep, ParametersStep } from "./format.ts";
import { type ListItem, listRules, textRules } from "./gbnf.ts";
import { markedValueRules } from "./marked-value-grammar.ts";
import { bareStrings, propertiesOf, requiredOf, type Schema, valueKind } from "./value-kind.ts";

/** GBNF rules for one JSON value of a schema; the root rule has the name, all others begin with it. */
export type JsonRules = (schema: unknown, name: string) => string;

/** A part of the arguments' schema with what its references point to. */
function part(schema: Schema, root: Schema): unknown {
  if (typeof schema !== "object" || schema === null || typeof root !== "object" || root === null)
    return schema ?? {};
  const { $defs, definitions } = root as { $defs?: unknown; definitions?: unknown };
  return {
    ...($defs !== undefined && { $defs }),
    ...(definitions !== undefined && { definitions }),
    ...schema,
  };
}

function requireKey(key: string, isAllowed: boolean, field: string): void {
  if (isAllowed) return;
  throw new RequestError(
    `${field} has a parameter ${JSON.stringify(key)}, a name that this model's tool format cannot write; rename it`,
    field,
  );
}

/** Rules for {@link ParametersStep}. @param field Path of the schema in the request, for errors. */
export function parametersRules(
  name: string,
  { open, middle, typed, close, end }: ParametersStep,
  schema: Schema,
  rulesFor: JsonRules,
  field: string,
): string {
  const marker = close.trim();
  const behind = literal(close.slice(close.indexOf(marker) + marker.length));
  const rules: string[] = [];
  const required = requiredOf(schema);
  const items = [...propertiesOf(schema)].map(([key, property], index) => {
    requireKey(key, key.trim() === key && key !== "" && !key.includes(middle[0]!.trim()), field);
    const value = `${name}-${index}`;
    const kind = valueKind(property, schema);
    const strings = bareStrings(property, schema)?.filter((text) => !text.includes(marker));
    let source = `${value} ${literal(close)}`;
    if (kind === "json") rules.push(rulesFor(part(property, schema), value));
    else if (strings && strings.length > 0) rules.push(`${value} ::= ${strings.map(literal).join(" | ")}`);
    else {
      rules.push(textRules(value, { until: marker }));
      source = `${value} ${behind}`;
    }
    const type = kind === "json" ? typed?.other : typed?.string;
    const item = `${literal(open + key + middle.join("") + (type ?? ""))} ${source}`;
    return required.has(key) ? item : `(${item})?`;
  });
  return [`${name} ::= ${[...items, literal(end)].join(" ")}`, ...rules].join("\n");
}

/** Rules for {@link NotationStep}. @param field Path of the schema in the request, for errors. */
export function notationRules(
  name: string,
  { open, assign, strings }: NotationStep,
  schema: Schema,
  rulesFor: JsonRules,
  field: string,
): string {
  const rules: string[] = [];
  const required = requiredOf(schema);
  const items = [...propertiesOf(schema)].map(([key, property], index): ListItem => {
    const first = strings === "quotes" ? "'\"" : strings.marker[0]!;
    requireKey(
      key,
      /^[^\s,:=()[\]{}]+$/.test(key) && ![...first].some((unit) => key.startsWith(unit)),
      field,
    );
    const value = `${name}-${index}`;
    if (strings === "quotes") rules.push(rulesFor(part(property, schema), value));
    else rules.push(markedValueRules(value, property, schema, strings.marker));
    return { source: `${literal(key + assign)} ${value}`, isRequired: required.has(key) };
  });
  const list = listRules(`${name}-list`, items, open === "(" ? ", " : ",");
  const close = open === "(" ? ")" : "}";
  return [`${name} ::= ${literal(open)} ${name}-list ${literal(close)}`, list, ...rules].join("\n");
}
