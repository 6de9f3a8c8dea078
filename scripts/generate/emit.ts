import type { CHeaders } from "./c-header.ts";
import { Layouts, machineType, parameterType } from "./c-types.ts";
import { constantPattern, ggmlEnums, ggmlFunctions, libraryOf, structNames } from "./selection.ts";

const notice = (release: string) =>
  `// Generated from the headers of llama.cpp ${release} by scripts/generate-ffi.ts; do not edit.\n`;

export function emitSymbols(headers: CHeaders, release: string): string {
  const wanted = [...headers.functions.values()].filter(
    ({ name }) => name.startsWith("llama_") || ggmlFunctions.some((pattern) => pattern.test(name)),
  );
  const entries = wanted.map(({ name, returns, params, declaration }) => {
    const args = params.map((tokens) => JSON.stringify(parameterType(headers, tokens))).join(", ");
    const result = JSON.stringify(machineType(headers, returns));
    return `  /** ${declaration} */\n  ${name}: { library: "${libraryOf(name)}", returns: ${result}, args: [${args}] },\n`;
  });
  return `${notice(release)}import type { SymbolTable } from "./types.ts";\n\nexport const symbols = {\n${entries.join("")}} as const satisfies SymbolTable;\n`;
}

export function emitStructs(headers: CHeaders, release: string): string {
  const layouts = new Layouts(headers);
  const entries = structNames.map((name) => {
    const { size, align, fields, declarations } = layouts.of(name);
    const lines = Object.entries(fields).map(([field, { offset, type, count }]) => {
      const tail = count === undefined ? "" : `, count: ${count}`;
      return `      /** ${declarations[field]} */\n      ${field}: { offset: ${offset}, type: ${JSON.stringify(type)}${tail} },\n`;
    });
    return `  ${name}: {\n    size: ${size},\n    align: ${align},\n    fields: {\n${lines.join("")}    },\n  },\n`;
  });
  return `${notice(release)}import type { StructTable } from "./types.ts";\n\n/** Layouts on 64-bit systems. */\nexport const structs = {\n${entries.join("")}} as const satisfies StructTable;\n`;
}

export function emitEnums(headers: CHeaders, release: string): string {
  const enums = [...headers.enums].filter(([name]) => name.startsWith("llama_") || ggmlEnums.includes(name));
  const blocks = enums.map(([name, values]) => {
    const lines = [...values].map(([key, value]) => `  ${key}: ${value},\n`);
    return `/** enum ${name} */\nexport const ${name} = {\n${lines.join("")}} as const;\n`;
  });
  const constants = [...headers.constants].filter(([name]) => constantPattern.test(name));
  const lines = constants.map(([name, value]) => `  ${name}: ${value},\n`);
  return `${notice(release)}${blocks.join("\n")}\n/** Values of macros. */\nexport const constants = {\n${lines.join("")}} as const;\n`;
}
