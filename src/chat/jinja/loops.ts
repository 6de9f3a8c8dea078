import { integer } from "./call-arguments.ts";
import {
  BooleanValue,
  FunctionValue,
  ObjectValue,
  type RuntimeValue,
  type Scope,
  type SyntaxNode,
} from "./jinja-library.ts";
import { isArray, nothing, typeName } from "./runtime-values.ts";

/** Thrown by `break` and `continue`, up to the loop around them; carries what was written on the way. */
export class LoopExit extends Error {
  readonly kind: "break" | "continue";
  text = "";

  constructor(kind: "break" | "continue") {
    super("a break or continue stands outside of a loop");
    this.kind = kind;
  }
}

/** Sets the variables of a loop to one of its items, which is taken apart where there are several. */
export function assignItem(scope: Scope, target: SyntaxNode, item: RuntimeValue): void {
  if (target.type === "Identifier") {
    scope.setVariable(target.value as string, item);
    return;
  }
  const targets = target.value as SyntaxNode[];
  if (!isArray(item))
    throw new Error(`${typeName(item)} cannot be taken apart into ${targets.length} variables`);
  if (item.value.length !== targets.length) {
    throw new Error(`${item.value.length} items cannot be taken apart into ${targets.length} variables`);
  }
  targets.forEach((part, index) => {
    assignItem(scope, part, item.value[index]!);
  });
}

/** The variable `loop` of one round; there are no recursive loops, so that its depth is always 1. */
export function loopVariable(items: readonly RuntimeValue[], index: number): RuntimeValue {
  const { length } = items;
  return new ObjectValue(
    new Map<string, RuntimeValue>([
      ["index", integer(index + 1)],
      ["index0", integer(index)],
      ["revindex", integer(length - index)],
      ["revindex0", integer(length - index - 1)],
      ["first", new BooleanValue(index === 0)],
      ["last", new BooleanValue(index === length - 1)],
      ["length", integer(length)],
      ["depth", integer(1)],
      ["depth0", integer(0)],
      ["previtem", items[index - 1] ?? nothing()],
      ["nextitem", items[index + 1] ?? nothing()],
      ["cycle", new FunctionValue((choices) => choices[index % choices.length] ?? nothing())],
    ]),
  );
}
