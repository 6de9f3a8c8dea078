// Calls as models of some families write them.

export const tags = (name: string, given: Record<string, unknown>) =>
  `<function=${name}>\n${Object.entries(given)
    .map(([key, value]) => `<parameter=${key}>\n${bare(value)}\n</parameter>\n`)
    .join("")}</function>`;
export const bare = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
export const coder = (name: string, given: Record<string, unknown>) =>
  `<tool_call>\n${tags(name, given)}\n</tool_call>`;
export const flatTags = (name: string, given: Record<string, unknown>) =>
  `<function=${name}>\n${Object.entries(given)
    .map(([key, value]) => `<parameter=${key}>${bare(value)}</parameter>\n`)
    .join("")}</function>`;
export const invoked = (name: string, given: Record<string, unknown>) =>
  `<invoke name="${name}">\n${Object.entries(given)
    .map(([key, value]) => `<parameter name="${key}">${bare(value)}</parameter>\n`)
    .join("")}</invoke>`;
export const glm = (name: string, given: Record<string, unknown>, end = "\n") =>
  `<tool_call>${name}${end}${Object.entries(given)
    .map(([key, value]) => `<arg_key>${key}</arg_key>${end}<arg_value>${bare(value)}</arg_value>${end}`)
    .join("")}</tool_call>`;
export const hy3 = (name: string, given: Record<string, unknown>) =>
  glm(name, given)
    .replace(`${name}\n`, `${name}<tool_sep>\n`)
    .replaceAll(/<(\/?)(tool_call|tool_sep|arg_key|arg_value)>/g, "<$1$2:opensource>");
export const hy3Calls = (...calls: string[]) =>
  `<tool_calls:opensource>\n${calls.join("\n")}\n</tool_calls:opensource>`;
export const dsml = (name: string, given: Record<string, unknown>) =>
  `<｜DSML｜invoke name="${name}">\n${Object.entries(given)
    .map(
      ([key, value]) =>
        `<｜DSML｜parameter name="${key}" string="${typeof value === "string"}">${bare(value)}</｜DSML｜parameter>\n`,
    )
    .join("")}</｜DSML｜invoke>`;
export const dsmlCalls = (outer: string, ...calls: string[]) =>
  `<｜DSML｜${outer}>\n${calls.join("\n")}\n</｜DSML｜${outer}>`;
export const gigachat = (text: string) => `<|message_sep|>\n\nfunction call<|role_sep|>\n${text}`;
export const solar = (id: string, name: string, text: string) =>
  `<|tool_call:begin|>${id}<|tool_call:name|>${name}<|tool_call:args|>${text}<|tool_call:end|>`;

export const python = (name: string, given: Record<string, unknown>) =>
  `${name}(${Object.entries(given)
    .map(([key, value]) => `${key}=${pythonValue(value)}`)
    .join(", ")})`;
export function pythonValue(value: unknown): string {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(", ")}]`;
  if (typeof value === "object") {
    return `{${Object.entries(value)
      .map(([key, member]) => `'${key}': ${pythonValue(member)}`)
      .join(", ")}}`;
  }
  if (typeof value !== "string") return String(value);
  const text = value
    .replaceAll("\\", "\\\\")
    .replaceAll("'", "\\'")
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\x09");
  return `'${text}'`;
}

export const marked = (name: string, given: object, mark: string) =>
  `call:${name}${markedValue(given, mark)}`;
export function markedValue(value: unknown, mark: string): string {
  if (typeof value === "string") return `${mark}${value}${mark}`;
  if (Array.isArray(value)) return `[${value.map((item) => markedValue(item, mark)).join(",")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  return `{${Object.entries(value)
    .map(([key, member]) => `${key}:${markedValue(member, mark)}`)
    .join(",")}}`;
}

export const deepCall = (name: string, text: string) =>
  `<｜tool▁call▁begin｜>function<｜tool▁sep｜>${name}\n\`\`\`json\n${text}\n\`\`\`<｜tool▁call▁end｜>`;
export const deepCall31 = (name: string, text: string) =>
  `<｜tool▁call▁begin｜>${name}<｜tool▁sep｜>${text}<｜tool▁call▁end｜>`;
export const deepSection = (calls: string) => `<｜tool▁calls▁begin｜>${calls}<｜tool▁calls▁end｜>`;
export const kimi = (id: string, text: string) =>
  `<|tool_call_begin|>functions.${id}<|tool_call_argument_begin|>${text}<|tool_call_end|>`;
export const kimiSection = (calls: string) =>
  `<|tool_calls_section_begin|>${calls}<|tool_calls_section_end|>`;
export const hermes = (text: string) => `<tool_call>\n${text}\n</tool_call>`;
export const channel = (name: string, text: string) =>
  `<|channel|>commentary to=functions.${name} <|constrain|>json<|message|>${text}<|call|>`;
