// The package's declarations import each other without file extensions, which Node's module resolution
// does not follow: everything arrives as `any`. So the part that we use is declared here.
import * as jinja from "@huggingface/jinja";

export interface Token {
  readonly type: string;
  readonly value: string;
}

/** A node of the syntax tree. */
export interface SyntaxNode {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A value of the interpreter; `type` names its class, `value` is the JavaScript value or container inside. */
export interface RuntimeValue {
  readonly type: string;
  readonly value: unknown;
  /** Whether it counts as true in Jinja. */
  __bool__(): { readonly value: boolean };
}

/** Variables of a template. */
export interface Scope {
  /** Variables of this scope alone. */
  readonly variables: Map<string, RuntimeValue>;
  /** Declares a variable; JavaScript data is wrapped deeply, functions get unwrapped arguments. */
  set(name: string, value: unknown): RuntimeValue;
  /** Sets a variable of this scope to a value that is wrapped already. */
  setVariable(name: string, value: RuntimeValue): RuntimeValue;
  /** Looks here and in the scopes around; an undefined value where there is none. */
  lookupVariable(name: string): RuntimeValue;
}

/** What a function value holds: keyword arguments come last, as a mapping of type `KeywordArgumentsValue`. */
export type LibraryFunction = (args: RuntimeValue[], scope: Scope) => RuntimeValue;

interface LibraryInterpreter {
  evaluate(node: SyntaxNode | undefined, scope: Scope): RuntimeValue;
}

interface Library {
  tokenize(source: string, options: { trim_blocks: boolean; lstrip_blocks: boolean }): Token[];
  parse(tokens: readonly Token[]): SyntaxNode;
  Interpreter: new (scope: Scope) => LibraryInterpreter;
  Environment: new (parent?: Scope) => Scope;
}

export const { tokenize, parse, Interpreter, Environment } = jinja as unknown as Library;

type ValueClass<T> = new (value: T) => RuntimeValue;

/** The library does not export the classes of its values; its own values show them. */
function classOf<T>(value: unknown): ValueClass<T> {
  return new Environment().set("value", value).constructor as ValueClass<T>;
}

function classOfLiteral<T>(node: SyntaxNode): ValueClass<T> {
  const scope = new Environment();
  return new Interpreter(scope).evaluate(node, scope).constructor as ValueClass<T>;
}

export const StringValue = classOf<string>("");
export const BooleanValue = classOf<boolean>(true);
export const IntegerValue = classOf<number>(0);
export const FloatValue = classOf<number>(0.5);
export const NullValue = classOf<null>(null);
export const UndefinedValue = classOf<undefined>(undefined);
export const ArrayValue = classOf<RuntimeValue[]>([]);
export const TupleValue = classOfLiteral<RuntimeValue[]>({ type: "TupleLiteral", value: [] });
export const ObjectValue = classOf<Map<string, RuntimeValue>>({});
export const FunctionValue = classOf<LibraryFunction>(() => null);
