import type { CType, FieldLayout, StructLayout } from "../../ffi/types.ts";
import type { CField, CHeaders } from "./c-header.ts";

const baseTypes: Readonly<Record<string, CType>> = {
  void: "void",
  bool: "bool",
  char: "i8",
  int8_t: "i8",
  uint8_t: "u8",
  int16_t: "i16",
  uint16_t: "u16",
  int: "i32",
  int32_t: "i32",
  uint32_t: "u32",
  int64_t: "i64",
  uint64_t: "u64",
  size_t: "usize",
  float: "f32",
  double: "f64",
};

/** Machine type of a C type without a name, on a 64-bit system. */
export function machineType(headers: CHeaders, tokens: readonly string[]): CType {
  const plain = tokens.filter((token) => token !== "const");
  if (plain.includes("*") || plain.includes("(")) return "ptr";
  if (plain[0] === "enum") return "i32";
  if (plain[0] === "struct") return `struct ${plain[1]}`;
  const name = plain.join(" ");
  const base = baseTypes[name];
  if (base) return base;
  const alias = headers.typedefs.get(name);
  if (alias === "pointer") return "ptr";
  if (alias) return machineType(headers, alias);
  throw new Error(`unknown C type: ${tokens.join(" ")}`);
}

/** Type of a parameter, whose name (if it has one) is the last identifier. */
export function parameterType(headers: CHeaders, tokens: readonly string[]): CType {
  if (tokens.includes("*") || tokens.includes("(") || tokens.includes("[")) return "ptr";
  const tagged = tokens.some((token) => token === "enum" || token === "struct");
  const words = tokens.filter((token) => token !== "const").length;
  const named = words > (tagged ? 2 : 1);
  return machineType(headers, named ? tokens.slice(0, -1) : tokens);
}

const sizes: Partial<Record<CType, number>> = {
  bool: 1,
  i8: 1,
  u8: 1,
  i16: 2,
  u16: 2,
  i32: 4,
  u32: 4,
  f32: 4,
};

/** Lays structs out as 64-bit C compilers do: each member at a multiple of its alignment. */
export class Layouts {
  readonly #headers: CHeaders;
  readonly #done = new Map<string, StructLayout & { declarations: Record<string, string> }>();

  constructor(headers: CHeaders) {
    this.#headers = headers;
  }

  of(name: string): StructLayout & { declarations: Record<string, string> } {
    const known = this.#done.get(name);
    if (known) return known;
    const members = this.#headers.structs.get(name);
    if (!members) throw new Error(`the headers define no struct ${name}`);
    const fields: Record<string, FieldLayout> = {};
    const declarations: Record<string, string> = {};
    let end = 0;
    let align = 1;
    const place = (field: CField, start: number): number => {
      if ("union" in field) {
        const widest = Math.max(...field.union.map((member) => this.#alignOf(member)));
        const offset = roundUp(start, widest);
        return Math.max(...field.union.map((member) => place(member, offset)));
      }
      const { name: fieldName, type, count } = this.#member(field.tokens);
      const { size, align: own } = this.#measure(type);
      const offset = roundUp(start, own);
      align = Math.max(align, own);
      fields[fieldName] = count === undefined ? { offset, type } : { offset, type, count };
      declarations[fieldName] = field.tokens.join(" ");
      return offset + size * (count ?? 1);
    };
    for (const member of members) end = place(member, end);
    const layout = { size: roundUp(end, align), align, fields, declarations };
    this.#done.set(name, layout);
    return layout;
  }

  #member(tokens: readonly string[]): { name: string; type: Exclude<CType, "void">; count?: number } {
    const call = tokens.indexOf("(");
    if (call >= 0 && tokens[call + 1] === "*") return { name: tokens[call + 2] as string, type: "ptr" };
    const bracket = tokens.indexOf("[");
    const head = bracket >= 0 ? tokens.slice(0, bracket) : tokens;
    const type = machineType(this.#headers, head.slice(0, -1)) as Exclude<CType, "void">;
    const name = head.at(-1) as string;
    if (bracket < 0) return { name, type };
    const length = tokens[bracket + 1] as string;
    return { name, type, count: this.#headers.constants.get(length) ?? Number(length) };
  }

  #alignOf(field: CField): number {
    if ("union" in field) return Math.max(...field.union.map((member) => this.#alignOf(member)));
    return this.#measure(this.#member(field.tokens).type).align;
  }

  #measure(type: CType): { size: number; align: number } {
    if (type.startsWith("struct ")) return this.of(type.slice("struct ".length));
    const size = sizes[type] ?? 8;
    return { size, align: size };
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
