import type { CFunctionCall } from "./abi.ts";
import { koffiModule, koffiTypes } from "./backend-koffi.ts";
import type { CStruct, StructName } from "./struct.ts";
import { structs } from "./structs.generated.ts";
import type { CType, FieldLayout, ScalarType, SymbolSignature } from "./types.ts";

type KoffiType = ReturnType<ReturnType<typeof koffiModule>["struct"]>;

const defined = new Map<string, KoffiType>();

/** The koffi struct type of one of our layouts, made once. */
function structType(name: string): KoffiType {
  const known = defined.get(name);
  if (known) return known;
  const fields: Record<string, FieldLayout> = structs[name as StructName].fields;
  const members = Object.entries(fields).map(([field, { type, count }]) => {
    const member = type.startsWith("struct ") ? structType(type.slice(7)) : koffiTypes[type as ScalarType];
    return [field, count ? koffiModule().array(member as string, count) : member] as const;
  });
  const type = koffiModule().struct(Object.fromEntries(members) as Record<string, string>) as KoffiType;
  defined.set(name, type);
  return type;
}

/**
 * Binds a function whose struct result no register trick can fetch (AArch64's x8; xmm0 with rax) through koffi,
 * which knows the struct. Used for the few calls that read defaults and performance counters, never per token.
 */
export function bindStructResult(
  path: string,
  name: string,
  signature: SymbolSignature,
): CFunctionCall | undefined {
  const koffi = koffiModule();
  const toKoffi = (type: CType) =>
    type.startsWith("struct ") ? structType(type.slice(7)) : koffiTypes[type as ScalarType | "void"];
  const result = toKoffi(signature.returns) as KoffiType;
  let call: (...args: unknown[]) => unknown;
  try {
    call = koffi.load(path).func(name, result, signature.args.map(toKoffi) as string[]) as typeof call;
  } catch (error) {
    if (String(error).includes(name)) return undefined;
    throw error;
  }
  return (target, ...args) => {
    const values = args.map((arg) =>
      typeof arg === "object" ? koffi.decode(arg.bytes, structType(arg.name)) : arg,
    );
    koffi.encode((target as CStruct).bytes, result, call(...values));
    return undefined;
  };
}
