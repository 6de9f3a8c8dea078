/** The shared objects that export the C functions. */
export type SymbolLibrary = "llama" | "ggml" | "ggml-base" | "ggml-cpu" | "ggml-rpc";

/** A machine type; enums are `i32`, every pointer is `ptr`. */
export type ScalarType =
  | "bool"
  | "i8"
  | "u8"
  | "i16"
  | "u16"
  | "i32"
  | "u32"
  | "i64"
  | "u64"
  | "usize"
  | "f32"
  | "f64"
  | "ptr";

/** Type of a C parameter or return value; `struct X` is X passed by value. */
export type CType = "void" | ScalarType | `struct ${string}`;

export interface SymbolSignature {
  readonly library: SymbolLibrary;
  readonly returns: CType;
  readonly args: readonly CType[];
}

export type SymbolTable = Readonly<Record<string, SymbolSignature>>;

/** A field of a C struct: byte offset, type, and element count where it is an array. */
export interface FieldLayout {
  readonly offset: number;
  readonly type: Exclude<CType, "void">;
  readonly count?: number;
}

export interface StructLayout {
  readonly size: number;
  readonly align: number;
  readonly fields: Readonly<Record<string, FieldLayout>>;
}

export type StructTable = Readonly<Record<string, StructLayout>>;

declare const pointee: unique symbol;

/** Address of a C object, branded with its C type; 0 is NULL. User-space addresses fit a double exactly. */
export type Pointer<T extends string = string> = number & { readonly [pointee]?: T };
