import type { RenderBudget } from "./budget.ts";
import { type CallArguments, NO_ARGUMENTS, type Operation, type Runtime } from "./call-arguments.ts";
import { chargeUse } from "./charges.ts";
import { LIST_METHODS, MAPPING_METHODS } from "./container-methods.ts";
import { filterOf, isFilter } from "./filters.ts";
import { iterate } from "./iterate.ts";
import {
  BooleanValue,
  Environment,
  FunctionValue,
  Interpreter,
  ObjectValue,
  type RuntimeValue,
  type Scope,
  type SyntaxNode,
  TupleValue,
} from "./jinja-library.ts";
import { assignItem, LoopExit, loopVariable } from "./loops.ts";
import { keyOf } from "./mapping-keys.ts";
import { applyOperator } from "./operators.ts";
import { textOf } from "./python-text.ts";
import {
  countItems,
  isArray,
  isFunction,
  isInteger,
  isMapping,
  isString,
  isTrue,
  nothing,
  text,
} from "./runtime-values.ts";
import { STRING_METHODS } from "./string-methods.ts";
import type { ParsedTemplate } from "./template-source.ts";
import { NEGATED_TEST_PREFIX, TEST_PREFIX } from "./test-arguments.ts";
import { ValueMeasure } from "./value-measure.ts";
import { memberOf, testOf } from "./value-tests.ts";

// A loop iteration or macro call makes scopes with closures in them: the time of a dozen plain nodes.
const STEPS_PER_SCOPE = 16;

/** Stands in the syntax tree for an operand that we have evaluated and charged for already. */
const EVALUATED = "Evaluated";

function evaluated(value: RuntimeValue): SyntaxNode {
  return { type: EVALUATED, value };
}

function asNode(value: unknown): SyntaxNode {
  return value as SyntaxNode;
}

/**
 * The library's interpreter with Python's operators, filters, tests and methods, where every operation is paid for from a
 * {@link RenderBudget}.
 *
 * Only the library's public `evaluate` is overridden: what is not done here it evaluates itself, on operands that have been
 * evaluated and charged for. Values are its wrappers around data in `Map`s; a template reaches no JavaScript member of them.
 */
export class BoundedInterpreter extends Interpreter {
  readonly #template: ParsedTemplate;
  readonly #budget: RenderBudget;
  readonly #runtime: Runtime;
  readonly #methods = new WeakSet<object>();

  constructor(template: ParsedTemplate, scope: Scope, budget: RenderBudget) {
    super(scope);
    this.#template = template;
    this.#budget = budget;
    this.#runtime = { budget, measure: new ValueMeasure(budget) };
  }

  override evaluate(node: SyntaxNode | undefined, scope: Scope): RuntimeValue {
    if (!node) return nothing();
    if (node.type === EVALUATED) return node.value as RuntimeValue;
    this.#budget.spend(1);
    this.#budget.enter();
    try {
      const result = this.#dispatch(node, scope);
      if (isString(result) && result.value.length > this.#budget.limits.characters) {
        this.#budget.allocate(result.value.length);
      }
      return this.#template.written.has(node) ? this.#written(result) : result;
    } finally {
      this.#budget.leave();
    }
  }

  #dispatch(node: SyntaxNode, scope: Scope): RuntimeValue {
    switch (node.type) {
      case "Program":
        return text(this.#block(node.body, scope));
      case "If":
        return text(this.#block(isTrue(this.#eval(node.test, scope)) ? node.body : node.alternate, scope));
      case "For":
        return text(this.#loop(node, scope));
      case "Break":
        throw new LoopExit("break");
      case "Continue":
        throw new LoopExit("continue");
      case "Set": {
        if (node.value) return this.#library(node, scope);
        const captured = evaluated(text(this.#captured(node.body, scope)));
        return this.#library({ ...node, value: captured }, scope);
      }
      case "BinaryExpression":
        return this.#binary(node, scope);
      case "FilterExpression":
        return this.#filter(this.#eval(node.operand, scope), asNode(node.filter), scope);
      case "FilterStatement":
        return this.#filter(text(this.#captured(node.body, scope)), asNode(node.filter), scope);
      case "TestExpression": {
        const name = asNode(node.test).value as string;
        return this.#test(name, node.negate === true, this.#eval(node.operand, scope), NO_ARGUMENTS);
      }
      case "CallExpression":
        return this.#call(node, scope);
      case "CallStatement":
        return this.#callBlock(node, scope);
      case "MemberExpression":
        return this.#member(node, scope);
      case "Macro":
        return this.#macro(node, scope);
      case "ObjectLiteral":
        return this.#object(node.value as ReadonlyMap<SyntaxNode, SyntaxNode>, scope);
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

  /** What a statement's value adds to the output. Nothing and `none` add nothing, which templates rely on. */
  #written(value: RuntimeValue): RuntimeValue {
    if (value.type === "NullValue" || value.type === "UndefinedValue") return value;
    this.#budget.emit(this.#runtime.measure.characters(value));
    return isString(value) ? value : text(textOf(value));
  }

  #block(statements: unknown, scope: Scope): string {
    let written = "";
    try {
      for (const statement of statements as SyntaxNode[]) {
        const value = this.evaluate(statement, scope);
        if (isString(value)) written += value.value;
      }
    } catch (error) {
      // What stands in front of a break or continue is written.
      if (error instanceof LoopExit) error.text = written + error.text;
      throw error;
    }
    return written;
  }

  /** A block whose text becomes a value. */
  #captured(statements: unknown, scope: Scope): string {
    try {
      return this.#block(statements, scope);
    } catch (error) {
      if (error instanceof LoopExit) error.text = "";
      throw error;
    }
  }

  #binary(node: SyntaxNode, scope: Scope): RuntimeValue {
    const operator = (node.operator as { value: string }).value;
    // The right side of these is evaluated only when it is needed.
    if (operator === "and" || operator === "or") return this.#library(node, scope);
    const left = this.#eval(node.left, scope);
    const right = this.#eval(node.right, scope);
    return applyOperator(this.#runtime, operator, left, right);
  }

  #filter(operand: RuntimeValue, filter: SyntaxNode, scope: Scope): RuntimeValue {
    const isCalled = filter.type === "CallExpression";
    const named = isCalled ? asNode(filter.callee) : filter;
    if (named.type !== "Identifier") throw new Error("a filter needs a name");
    const name = named.value as string;
    const args = isCalled ? this.#arguments(filter.args as SyntaxNode[], scope).args : NO_ARGUMENTS;
    if (name.startsWith(NEGATED_TEST_PREFIX)) {
      return this.#test(name.slice(NEGATED_TEST_PREFIX.length), true, operand, args);
    }
    if (name.startsWith(TEST_PREFIX)) {
      return this.#test(name.slice(TEST_PREFIX.length), false, operand, args);
    }
    const operation = filterOf(name);
    chargeUse(this.#runtime, operand, args);
    return operation(this.#runtime, operand, args);
  }

  #test(name: string, negates: boolean, operand: RuntimeValue, args: CallArguments): RuntimeValue {
    if (name === "filter")
      return new BooleanValue((isString(operand) && isFilter(operand.value)) !== negates);
    const test = testOf(name);
    chargeUse(this.#runtime, operand, args);
    return new BooleanValue(test(this.#runtime, operand, args) !== negates);
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
          else if (isMapping(value)) for (const [key, item] of value.value) args.keywords.set(key, item);
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
    if (!isFunction(callee)) {
      throw new Error(`${describeCallee(asNode(node.callee))} is not a function (${callee.type})`);
    }
    this.#budget.spend(STEPS_PER_SCOPE);
    for (const argument of args.positional) this.#budget.spend(countItems(argument));
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

  /** The library runs a macro among the variables of its caller; Python, and so Jinja, among those where it was written. */
  #macro(node: SyntaxNode, scope: Scope): RuntimeValue {
    this.#budget.spend(this.#template.macroSizes.get(node) ?? 0);
    const result = this.#library(node, scope);
    const macro = scope.variables.get(asNode(node.name).value as string);
    if (!isFunction(macro)) return result;
    const run = macro.value;
    macro.value = (args, callerScope) => {
      const caller = callerScope.variables.get("caller");
      if (!caller) return run(args, scope);
      const inner = new Environment(scope);
      inner.setVariable("caller", caller);
      return run(args, inner);
    };
    return result;
  }

  #object(entries: ReadonlyMap<SyntaxNode, SyntaxNode>, scope: Scope): RuntimeValue {
    const mapping = new Map<string, RuntimeValue>();
    for (const [keyNode, valueNode] of entries) {
      const key = keyOf(this.#eval(keyNode, scope));
      if (key === undefined) throw new Error("a dictionary's keys are strings, numbers or none");
      mapping.set(key, this.#eval(valueNode, scope));
    }
    return new ObjectValue(mapping);
  }

  #member(node: SyntaxNode, scope: Scope): RuntimeValue {
    const object = this.#eval(node.object, scope);
    const property = asNode(node.property);
    if (property.type === "SliceExpression") {
      // Strings are sliced by spreading them into an array of characters.
      this.#budget.spend(isString(object) ? object.value.length / 2 : countItems(object));
      const part = this.#library({ ...node, object: evaluated(object) }, scope);
      return object.type === "TupleValue" && isArray(part) ? new TupleValue(part.value) : part;
    }
    if (node.computed || property.type === "IntegerLiteral") {
      const key = this.#eval(property, scope);
      if (isString(object) && isInteger(key)) return this.#characterAt(object.value, key.value);
      const method = isString(key) ? this.#method(object, key.value) : undefined;
      return memberOf(object, key) ?? method ?? nothing();
    }
    // Behind a dot Python looks for a method first: `schema.items` is never the schema's own "items".
    const name = property.value as string;
    return this.#method(object, name) ?? memberOf(object, text(name)) ?? nothing();
  }

  #characterAt(value: string, index: number): RuntimeValue {
    this.#budget.spend(value.length / 2);
    const character = Array.from(value).at(index);
    return character === undefined ? nothing() : text(character);
  }

  #method(receiver: RuntimeValue, name: string): RuntimeValue | undefined {
    const operation = methodsOf(receiver)?.get(name);
    if (!operation) return undefined;
    const method = new FunctionValue((given) => {
      const args = fromLibrary(given);
      chargeUse(this.#runtime, receiver, args);
      return operation(this.#runtime, receiver, args);
    });
    this.#methods.add(method);
    return method;
  }

  #loop(node: SyntaxNode, scope: Scope): string {
    const iterable = asNode(node.iterable);
    const target = asNode(node.loopvar);
    const isFiltered = iterable.type === "SelectExpression";
    const given = iterate(this.#runtime, this.#eval(isFiltered ? iterable.lhs : iterable, scope));
    this.#budget.spend(given.length * STEPS_PER_SCOPE);
    const items = given.filter((item) => {
      if (!isFiltered) return true;
      const inner = new Environment(scope);
      assignItem(inner, target, item);
      return isTrue(this.#eval(iterable.test, inner));
    });
    let written = "";
    let isElse = true;
    for (const [index, item] of items.entries()) {
      // Of its own: what one round sets is not there in the next.
      const inner = new Environment(scope);
      inner.setVariable("loop", loopVariable(items, index));
      assignItem(inner, target, item);
      try {
        written += this.#block(node.body, inner);
        // In Jinja too the other block is written where no round came to its end.
        isElse = false;
      } catch (error) {
        if (!(error instanceof LoopExit)) throw error;
        written += error.text;
        if (error.kind === "break") break;
      }
    }
    return isElse ? written + this.#block(node.defaultBlock, scope) : written;
  }
}

function methodsOf(value: RuntimeValue): ReadonlyMap<string, Operation> | undefined {
  if (isString(value)) return STRING_METHODS;
  if (isArray(value)) return LIST_METHODS;
  return isMapping(value) && value.type !== "NamespaceValue" ? MAPPING_METHODS : undefined;
}

/** The library hands keyword arguments over as a mapping behind the others. */
function fromLibrary(given: RuntimeValue[]): CallArguments {
  const last = given.at(-1);
  if (last?.type !== "KeywordArgumentsValue" || !isMapping(last))
    return { ...NO_ARGUMENTS, positional: given };
  return { positional: given.slice(0, -1), keywords: last.value };
}

function describeCallee(node: SyntaxNode): string {
  if (node.type === "Identifier") return String(node.value);
  if (node.type !== "MemberExpression" || node.computed) return "the called value";
  return `${describeCallee(asNode(node.object))}.${String(asNode(node.property).value)}`;
}
