import type { RenderBudget } from "./budget.ts";
import { chargeBinary, chargeCall, chargeFilter } from "./charges.ts";
import { Interpreter, type RuntimeValue, type Scope, type SyntaxNode } from "./jinja-library.ts";
import { countItems, isArray, isString, ValueMeasure } from "./runtime-values.ts";
import type { ParsedTemplate } from "./template-source.ts";

/** Positional and keyword arguments that have been evaluated. */
export interface CallArguments {
  positional: RuntimeValue[];
  keywords: Map<string, RuntimeValue>;
}

/** A built-in method and the value it was taken from. */
interface Method {
  name: string;
  receiver: RuntimeValue;
}

// A loop iteration or macro call makes scopes with closures in them: the time of a dozen plain nodes.
const STEPS_PER_SCOPE = 16;

const LIST_FILTERS: ReadonlySet<string> = new Set([
  "selectattr",
  "rejectattr",
  "map",
  "list",
  "length",
  "first",
  "last",
]);

/** Filters that the library lacks, as the end of a sorted list. */
const EXTREMES: ReadonlyMap<string, string> = new Map([
  ["min", "first"],
  ["max", "last"],
]);

/** Stands in the syntax tree for an operand that we have evaluated and charged for already. */
const EVALUATED = "Evaluated";

function evaluated(value: RuntimeValue): SyntaxNode {
  return { type: EVALUATED, value };
}

function asNode(value: unknown): SyntaxNode {
  return value as SyntaxNode;
}

/**
 * The library's interpreter, with every operation paid for from a {@link RenderBudget} before it runs.
 *
 * Operands are evaluated here first, their cost is charged, and the library then combines the finished values:
 * so only its public `evaluate` is overridden. Values are the library's wrappers around data in `Map`s; a template
 * reaches no JavaScript member of them.
 */
export class BoundedInterpreter extends Interpreter {
  readonly #template: ParsedTemplate;
  readonly #budget: RenderBudget;
  readonly #measure: ValueMeasure;
  readonly #methods = new WeakMap<object, Method>();

  constructor(template: ParsedTemplate, scope: Scope, budget: RenderBudget) {
    super(scope);
    this.#template = template;
    this.#budget = budget;
    this.#measure = new ValueMeasure(budget);
  }

  override evaluate(node: SyntaxNode | undefined, scope: Scope): RuntimeValue {
    if (!node) return super.evaluate(node, scope);
    if (node.type === EVALUATED) return node.value as RuntimeValue;
    this.#budget.spend(1);
    this.#budget.enter();
    try {
      // `first` and `last` of an empty array give a bare `undefined`.
      const result = this.#dispatch(node, scope) ?? super.evaluate(undefined, scope);
      if (isString(result) && result.value.length > this.#budget.limits.characters) {
        this.#budget.allocate(result.value.length);
      }
      if (result.type === "FunctionValue") hideSource(result.value as object);
      if (this.#template.written.has(node)) this.#budget.emit(this.#writtenLength(result));
      return result;
    } finally {
      this.#budget.leave();
    }
  }

  #dispatch(node: SyntaxNode, scope: Scope): RuntimeValue {
    switch (node.type) {
      case "BinaryExpression":
        return this.#binary(node, scope);
      case "FilterExpression":
        return this.#filter(this.#eval(node.operand, scope), asNode(node.filter), scope);
      case "FilterStatement": {
        const text = this.#library({ type: "Program", body: node.body }, scope);
        return this.#filter(text, asNode(node.filter), scope);
      }
      case "TestExpression": {
        const operand = this.#eval(node.operand, scope);
        if (isString(operand)) this.#budget.touch(operand.value.length);
        return this.#library({ ...node, operand: evaluated(operand) }, scope);
      }
      case "CallExpression":
        return this.#call(node, scope);
      case "CallStatement":
        return this.#callBlock(node, scope);
      case "MemberExpression":
        return this.#member(node, scope);
      case "For":
        return this.#loop(node, scope);
      // The library neither unpacks its tuples nor writes them as JSON.
      case "TupleLiteral":
        return this.#library({ ...node, type: "ArrayLiteral" }, scope);
      case "Macro":
        this.#budget.spend(this.#template.macroSizes.get(node) ?? 0);
        return this.#library(node, scope);
      default:
        return this.#library(node, scope);
    }
  }

  #eval(node: unknown, scope: Scope): RuntimeValue {
    return this.evaluate(node as SyntaxNode | undefined, scope);
  }

  /** Hands a node to the library's own evaluation, without charging for it again. */
  #library(node: SyntaxNode, scope: Scope): RuntimeValue {
    return super.evaluate(node, scope);
  }

  #writtenLength(value: RuntimeValue): number {
    return value.type === "NullValue" || value.type === "UndefinedValue"
      ? 0
      : this.#measure.characters(value);
  }

  #binary(node: SyntaxNode, scope: Scope): RuntimeValue {
    const operator = (node.operator as { value: string }).value;
    // The library evaluates the right side of these only when it is needed.
    if (operator === "and" || operator === "or") return this.#library(node, scope);
    const left = this.#eval(node.left, scope);
    const right = this.#eval(node.right, scope);
    chargeBinary(this.#budget, this.#measure, operator, left, right);
    return this.#library({ ...node, left: evaluated(left), right: evaluated(right) }, scope);
  }

  #filter(given: RuntimeValue, filter: SyntaxNode, scope: Scope): RuntimeValue {
    const called = filter.type === "CallExpression" && asNode(filter.callee).type === "Identifier";
    const name = (called ? asNode(filter.callee).value : filter.value) as string;
    const operand = LIST_FILTERS.has(name) ? this.#orEmpty(given, scope) : given;
    // The library insists on seeing these arguments as literals.
    const literalArguments = name === "selectattr" || name === "rejectattr";
    const { nodes, args } =
      called && !literalArguments
        ? this.#arguments(filter.args as SyntaxNode[], scope)
        : { nodes: filter.args, args: { positional: [], keywords: new Map() } };
    chargeFilter(this.#budget, this.#measure, name, operand, args);
    const end = isArray(operand) ? EXTREMES.get(name) : undefined;
    if (end) return this.#filter(this.#filter(operand, identifier("sort"), scope), identifier(end), scope);
    const ready = filter.type === "CallExpression" ? { ...filter, args: nodes } : filter;
    return this.#library({ type: "FilterExpression", operand: evaluated(operand), filter: ready }, scope);
  }

  #arguments(given: SyntaxNode[], scope: Scope): { nodes: SyntaxNode[]; args: CallArguments } {
    const args: CallArguments = { positional: [], keywords: new Map() };
    const nodes = given.map((node): SyntaxNode => {
      switch (node.type) {
        case "SpreadExpression":
        case "KeywordSpreadExpression": {
          const value = this.#eval(node.argument, scope);
          this.#budget.spend(countItems(value));
          if (isArray(value)) for (const item of value.value) args.positional.push(item);
          return { ...node, argument: evaluated(value) };
        }
        case "KeywordArgumentExpression": {
          const value = this.#eval(node.value, scope);
          args.keywords.set(asNode(node.key).value as string, value);
          return { ...node, value: evaluated(value) };
        }
        default: {
          const value = this.#eval(node, scope);
          args.positional.push(value);
          return evaluated(value);
        }
      }
    });
    return { nodes, args };
  }

  #call(node: SyntaxNode, scope: Scope): RuntimeValue {
    const { nodes, args } = this.#arguments(node.args as SyntaxNode[], scope);
    const callee = this.#eval(node.callee, scope);
    if (callee.type !== "FunctionValue") {
      throw new Error(`${describeCallee(asNode(node.callee))} is not a function (${callee.type})`);
    }
    const method = this.#methods.get(callee);
    if (method) chargeCall(this.#budget, this.#measure, method.name, method.receiver, args);
    else {
      this.#budget.spend(STEPS_PER_SCOPE);
      for (const argument of args.positional) this.#budget.spend(countItems(argument));
    }
    return this.#library({ ...node, callee: evaluated(callee), args: nodes }, scope);
  }

  #callBlock(node: SyntaxNode, scope: Scope): RuntimeValue {
    const call = asNode(node.call);
    this.#budget.spend(this.#template.macroSizes.get(node) ?? 0);
    const { nodes } = this.#arguments(call.args as SyntaxNode[], scope);
    const callee = this.#eval(call.callee, scope);
    if (this.#methods.has(callee)) throw new Error("a call block needs a macro");
    const ready = { ...call, callee: evaluated(callee), args: nodes };
    return this.#library({ ...node, call: ready }, scope);
  }

  #member(node: SyntaxNode, scope: Scope): RuntimeValue {
    const object = this.#eval(node.object, scope);
    const property = asNode(node.property);
    if (property.type === "SliceExpression") {
      // Strings are sliced by spreading them into an array of characters.
      this.#budget.spend(isString(object) ? object.value.length / 2 : countItems(object));
      return this.#library({ ...node, object: evaluated(object) }, scope);
    }
    const key = node.computed ? evaluated(this.#eval(property, scope)) : property;
    const result = this.#library({ ...node, object: evaluated(object), property: key }, scope);
    // The first owner counts: a method stored in a dictionary stays the string's.
    if (result.type === "FunctionValue" && !this.#methods.has(result) && !isStored(object, result)) {
      const name = key.type === EVALUATED ? String((key.value as RuntimeValue).value) : String(key.value);
      this.#methods.set(result, { name, receiver: object });
    }
    return result;
  }

  /** What is not defined counts as an empty list, as in Jinja; so does `none`: some templates expect an array of tools. */
  #orEmpty(value: RuntimeValue, scope: Scope): RuntimeValue {
    const isMissing = value.type === "UndefinedValue" || value.type === "NullValue";
    return isMissing ? this.#library({ type: "ArrayLiteral", value: [] }, scope) : value;
  }

  #loop(node: SyntaxNode, scope: Scope): RuntimeValue {
    const iterable = asNode(node.iterable);
    const filtered = iterable.type === "SelectExpression";
    const items = this.#orEmpty(this.#eval(filtered ? iterable.lhs : iterable, scope), scope);
    this.#budget.spend(countItems(items) * STEPS_PER_SCOPE);
    const ready = filtered ? { ...iterable, lhs: evaluated(items) } : evaluated(items);
    return this.#library({ ...node, iterable: ready }, scope);
  }
}

function identifier(name: string): SyntaxNode {
  return { type: "Identifier", value: name };
}

/** Macros and functions kept in dictionaries or namespaces are not methods of them. */
function isStored(object: RuntimeValue, value: RuntimeValue): boolean {
  if (!(object.value instanceof Map)) return false;
  for (const stored of object.value.values()) if (stored === value) return true;
  return false;
}

/** Without this, `{{ range }}` prints the JavaScript behind the function. */
function hideSource(fn: object): void {
  if (Object.hasOwn(fn, "toString")) return;
  Object.defineProperty(fn, "toString", { value: () => "<function>" });
}

function describeCallee(node: SyntaxNode): string {
  if (node.type === "Identifier") return String(node.value);
  if (node.type !== "MemberExpression" || node.computed) return "the called value";
  return `${describeCallee(asNode(node.object))}.${String(asNode(node.property).value)}`;
}
