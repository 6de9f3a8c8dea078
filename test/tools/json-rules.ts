type Schema = Record<string, unknown>;

/** A small stand-in for a compiler of JSON schemas: types and properties, bounded so that random texts end. */
export function jsonRules(schema: unknown, name: string): string {
  const rules: string[] = [];
  add(schema, name, 0, rules);
  rules.push(
    `${name}-string ::= "\\"" ([^"\\\\\\x00-\\x1f] | "\\\\" (["\\\\/bfnrt] | "u00" [0-9a-f]{2})){0,12} "\\""`,
    `${name}-any ::= ${name}-string | "-"? ("0" | [1-9] [0-9]{0,3}) ("." [0-9]{1,3})? | "true" | "false" | "null"`,
  );
  return rules.join("\n");
}

function add(schema: unknown, name: string, depth: number, rules: string[]): void {
  const {
    type,
    properties = {},
    items,
    required = [],
  } = (schema ?? {}) as Schema & {
    properties?: Schema;
    required?: string[];
  };
  const root = name.replace(/(-[pi]\d*)+$/, "");
  const space = `[ \\n]{0,2}`;
  if (type === "string") rules.push(`${name} ::= ${root}-string`);
  else if (type === "integer") rules.push(`${name} ::= "-"? ("0" | [1-9] [0-9]{0,3})`);
  else if (type === "boolean") rules.push(`${name} ::= "true" | "false"`);
  else if (type === "array") {
    add(items, `${name}-i`, depth + 1, rules);
    rules.push(`${name} ::= "[" (${name}-i ("," ${space} ${name}-i){0,2})? "]"`);
  } else if (type === "object") {
    const keys = Object.keys(properties);
    const members = keys.map((key, index) => {
      add(properties[key], `${name}-p${index}`, depth + 1, rules);
      return `"${index === 0 ? "" : ","}" ${space} "\\"${key}\\":" ${space} ${name}-p${index}`;
    });
    const optional = members.map((member, index) =>
      index === 0 || required.includes(keys[index]!) ? member : `(${member})?`,
    );
    rules.push(`${name} ::= "{" ${optional.join(" ")} "}"`);
  } else if (Array.isArray(type)) {
    type.forEach((one, index) => {
      add({ type: one }, `${name}-p${index}`, depth + 1, rules);
    });
    rules.push(`${name} ::= ${type.map((_, index) => `${name}-p${index}`).join(" | ")}`);
  } else rules.push(`${name} ::= ${root}-any`);
}
