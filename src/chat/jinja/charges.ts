import type { CallArguments, Runtime } from "./call-arguments.ts";
import type { RuntimeValue } from "./jinja-library.ts";
import { countItems, isString } from "./runtime-values.ts";

/** Charges for a pass over an operand and over what it is given; what the operation makes of them it charges itself. */
export function chargeUse({ budget }: Runtime, operand: RuntimeValue, args: CallArguments): void {
  chargePass(budget, operand);
  for (const value of args.positional) chargePass(budget, value);
  for (const value of args.keywords.values()) chargePass(budget, value);
}

function chargePass(budget: Runtime["budget"], value: RuntimeValue): void {
  if (isString(value)) budget.touch(value.value.length);
  else budget.spend(countItems(value));
}
