// The package's declarations import each other without file extensions, which Node's module resolution
// does not follow: everything arrives as `any`. So the part that we use is declared here.
import * as jinja from "@huggingface/jinja";

/** A node of the syntax tree. */
export interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A value of the interpreter; `type` names its class, `value` is the JavaScript value or container inside. */
export interface RuntimeValue {
  readonly type: string;
  readonly value: unknown;
}

/** Variables of a template. */
export interface Scope {
  /** Declares a variable; JavaScript data is wrapped deeply, functions get unwrapped arguments. */
  set(name: string, value: unknown): unknown;
}

interface LibraryInterpreter {
  evaluate(node: SyntaxNode | undefined, scope: Scope): RuntimeValue;
}

interface Library {
  tokenize(source: string, options: { trim_blocks: boolean; lstrip_blocks: boolean }): unknown;
  parse(tokens: unknown): SyntaxNode;
  Interpreter: new (scope: Scope) => LibraryInterpreter;
  Environment: new () => Scope;
}

export const { tokenize, parse, Interpreter, Environment } = jinja as unknown as Library;
