// The one place that knows how C structs travel by value. Neither backend is given a struct type (but for
// a few returns, see `koffi-struct.ts`): a signature is lowered to machine words here, per CPU and system.
//
// x86-64 System V: a struct over 16 bytes is copied to the stack. Integer arguments first use six registers,
//   so fillers use up what is left of them and the words of the struct land on the stack behind. A struct of up
//   to 16 bytes travels in registers. A large result is written where a hidden first argument points.
// AArch64 (AAPCS64): a struct over 16 bytes is passed by pointer; a large result is written where x8 points,
//   which no foreign function interface can set without knowing the struct.
// Windows x64: a struct that is not 1, 2, 4 or 8 bytes is passed by pointer; a result alike, hidden pointer first.
// RISC-V LP64: over 16 bytes by pointer; a large result through a hidden first argument.
import type { MachineSignature, MachineValue, NativeFunction } from "./backend.ts";
import type { CStruct, StructName } from "./struct.ts";
import { structs } from "./structs.generated.ts";
import type { CType, ScalarType, SymbolSignature } from "./types.ts";

export type CallingConvention = "sysv-x64" | "win-x64" | "aapcs64" | "lp64-riscv";

/** The convention of this process. @throws Error on a CPU whose struct passing is unknown. */
export function hostConvention(
  arch: string = process.arch,
  platform: string = process.platform,
): CallingConvention {
  if (arch === "x64") return platform === "win32" ? "win-x64" : "sysv-x64";
  if (arch === "arm64") return "aapcs64";
  if (arch === "riscv64") return "lp64-riscv";
  throw new Error(`cria supports x64, arm64 and riscv64; this process is ${arch}`);
}

/** How each C argument becomes machine arguments. */
type ArgumentPlan = "scalar" | "pointer" | { readonly words: number; readonly stack: boolean };
/** How a struct result comes back: in rax/x0 as one word, through a hidden first argument, or only by koffi. */
type ResultPlan = "scalar" | "word" | "hidden-pointer" | "by-struct-type";

export interface LoweredSignature extends MachineSignature {
  readonly argumentPlans: readonly ArgumentPlan[];
  readonly resultPlan: ResultPlan;
}

const integerRegisters = 6;
const isFloat = (type: CType) => type === "f32" || type === "f64";

function structOf(type: CType) {
  return type.startsWith("struct ") ? structs[type.slice("struct ".length) as StructName] : undefined;
}

function hasFloat(type: CType): boolean {
  const fields: object = structOf(type)?.fields ?? {};
  return Object.values(fields).some((field: { type: CType }) => isFloat(field.type));
}

function planResult(type: CType, convention: CallingConvention): ResultPlan {
  const struct = structOf(type);
  if (!struct) return "scalar";
  if (struct.size <= 8 && !hasFloat(type)) return "word";
  if (convention === "win-x64") return "hidden-pointer";
  if (struct.size <= 16) return "by-struct-type";
  return convention === "aapcs64" ? "by-struct-type" : "hidden-pointer";
}

function planArgument(type: CType, convention: CallingConvention): ArgumentPlan {
  const struct = structOf(type);
  if (!struct) return "scalar";
  const words = Math.ceil(struct.size / 8);
  if (convention === "win-x64") {
    return [1, 2, 4, 8].includes(struct.size) ? { words: 1, stack: false } : "pointer";
  }
  if (struct.size > 16) return convention === "sysv-x64" ? { words, stack: true } : "pointer";
  if (hasFloat(type))
    throw new Error(`${type} by value mixes register kinds; no such C function is supported`);
  return { words, stack: false };
}

/** Lowers a C signature to machine types for a convention. */
export function lower(signature: SymbolSignature, convention: CallingConvention): LoweredSignature {
  const resultPlan = planResult(signature.returns, convention);
  const argumentPlans = signature.args.map((type) => planArgument(type, convention));
  const registers: ScalarType[] = resultPlan === "hidden-pointer" ? ["ptr"] : [];
  const stack: ScalarType[] = [];
  for (const [index, plan] of argumentPlans.entries()) {
    if (plan === "scalar") registers.push(signature.args[index] as ScalarType);
    else if (plan === "pointer") registers.push("ptr");
    else (plan.stack ? stack : registers).push(...new Array<ScalarType>(plan.words).fill("u64"));
  }
  if (stack.length > 0) {
    const used = registers.filter((type) => !isFloat(type)).length;
    if (
      argumentPlans.findIndex((plan) => typeof plan === "object" && plan.stack) !==
      argumentPlans.length - 1
    ) {
      throw new Error("a struct on the stack must be the last argument");
    }
    registers.push(...new Array<ScalarType>(Math.max(0, integerRegisters - used)).fill("u64"));
  }
  const returns =
    resultPlan === "scalar"
      ? (signature.returns as ScalarType | "void")
      : resultPlan === "word"
        ? "u64"
        : resultPlan === "hidden-pointer"
          ? "ptr"
          : "void";
  return { args: [...registers, ...stack], returns, argumentPlans, resultPlan };
}

/** A function as the layers above call it: structs are {@link CStruct}, a struct result comes first. */
export type CFunctionCall = (...args: (MachineValue | CStruct)[]) => MachineValue | undefined;

/**
 * Wraps a machine-level function so that it takes structs by value as {@link CStruct} objects.
 * A function that returns a struct takes the {@link CStruct} to be filled as its first argument.
 */
export function raise(machine: NativeFunction, lowered: LoweredSignature): CFunctionCall {
  const { argumentPlans, resultPlan } = lowered;
  if (resultPlan === "scalar" && argumentPlans.every((plan) => plan === "scalar"))
    return machine as CFunctionCall;

  const fillers = fillerCount(lowered);
  const [first, second] = argumentPlans;
  if (
    resultPlan === "scalar" &&
    argumentPlans.length === 2 &&
    first === "scalar" &&
    typeof second === "object" &&
    second.stack
  ) {
    // llama_decode and its like: the hot path, spelled out to spare the general loop.
    const { words } = second;
    if (fillers === 5 && words === 7) {
      return (scalar, argument) => {
        const struct = argument as CStruct;
        return machine(
          scalar as MachineValue,
          0,
          0,
          0,
          0,
          0,
          struct.word(0),
          struct.word(1),
          struct.word(2),
          struct.word(3),
          struct.word(4),
          struct.word(5),
          struct.word(6),
        ) as MachineValue | undefined;
      };
    }
    const machineArguments = new Array<MachineValue>(1 + fillers + words).fill(0);
    return (scalar, struct) => {
      machineArguments[0] = scalar as MachineValue;
      for (let index = 0; index < words; index++) {
        machineArguments[1 + fillers + index] = (struct as CStruct).word(index);
      }
      return machine(...machineArguments) as MachineValue | undefined;
    };
  }
  return (...args) => {
    const result = resultPlan === "scalar" ? undefined : (args[0] as CStruct);
    const inputs = result ? args.slice(1) : args;
    const machineArguments: MachineValue[] = resultPlan === "hidden-pointer" ? [result!.address] : [];
    for (const [index, plan] of argumentPlans.entries()) {
      const input = inputs[index]!;
      if (plan === "scalar") machineArguments.push(input as MachineValue);
      else if (plan === "pointer") machineArguments.push((input as CStruct).address);
      else {
        if (plan.stack) for (let filler = 0; filler < fillers; filler++) machineArguments.push(0);
        for (let word = 0; word < plan.words; word++) machineArguments.push((input as CStruct).word(word));
      }
    }
    const returned = machine(...machineArguments);
    if (resultPlan !== "word")
      return resultPlan === "scalar" ? (returned as MachineValue | undefined) : undefined;
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setBigUint64(0, BigInt.asUintN(64, BigInt(returned as number)), true);
    result!.bytes.set(new Uint8Array(bytes.buffer, 0, result!.layout.size));
    return undefined;
  };
}

function fillerCount({ args, argumentPlans, resultPlan }: LoweredSignature): number {
  const last = argumentPlans.at(-1);
  if (typeof last !== "object" || !last.stack) return 0;
  const others = argumentPlans.slice(0, -1);
  const own = others.reduce((sum, plan) => sum + (typeof plan === "object" ? plan.words : 1), 0);
  return args.length - last.words - own - (resultPlan === "hidden-pointer" ? 1 : 0);
}
