import { type CallArguments, NO_ARGUMENTS, type Runtime } from "./call-arguments.ts";
import type { RuntimeValue } from "./jinja-library.ts";
import { integerText, reprOf, textOf } from "./python-text.ts";
import { isArray, isFloat, isMapping, isString, numberOf, text, typeName } from "./runtime-values.ts";

interface Spec {
  readonly fill: string;
  readonly align: string;
  readonly sign: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly grouping: string;
  readonly type: string;
}

const FIELD = /\{\{|\}\}|\{([^{}!:]*)(?:!([rsa]))?(?::([^{}]*))?\}|[{}]/g;
const SPEC = /^(?:(.)?([<>^=]))?([+\- ])?(0)?(\d+)?([,_])?(?:\.(\d+))?([a-zA-Z%])?$/su;
const DIRECTIVE = /%(?:\((\w+)\))?([-+ 0#]*)(\d+)?(?:\.(\d+))?(.)/gsu;
// Python's own limit for fixed notation is higher, JavaScript's is this.
const MAX_PRECISION = 100;

/** Python's `str.format`: fields by position or name, `!r`, and the usual widths and number formats. */
export function braceFormat(runtime: Runtime, format: string, args: CallArguments): RuntimeValue {
  let next = 0;
  const result = format.replace(FIELD, (field, name?: string, conversion?: string, spec = "") => {
    if (field === "{{" || field === "}}") return field[0]!;
    if (name === undefined) throw new Error(`a single ${field} stands in a format`);
    const key = name === "" ? String(next++) : name;
    const value = /^\d+$/.test(key) ? args.positional[Number(key)] : args.keywords.get(key);
    if (!value) throw new Error(`a format asks for "${key}", which was not given`);
    return charged(runtime, formatted(runtime, value, conversion, parseSpec(spec)));
  });
  return text(charged(runtime, result));
}

/** Python's `format % values`: one value, a tuple of them, or a dictionary. */
export function percentFormat(runtime: Runtime, format: string, given: RuntimeValue): RuntimeValue {
  const values = given.type === "TupleValue" && isArray(given) ? given.value : [given];
  return formatDirectives(runtime, format, {
    positional: values,
    keywords: isMapping(given) ? given.value : NO_ARGUMENTS.keywords,
  });
}

/** Fills in directives such as `%s` and `%(name)d`. */
export function formatDirectives(runtime: Runtime, format: string, args: CallArguments): RuntimeValue {
  let next = 0;
  const result = format.replace(
    DIRECTIVE,
    (directive, name: string | undefined, flags: string, width, precision, type: string) => {
      if (type === "%") return "%";
      const value = name === undefined ? args.positional[next++] : args.keywords.get(name);
      if (!value) throw new Error(`a format has no value for ${directive}`);
      const isText = type === "s" || type === "r";
      const zero = flags.includes("0") && !flags.includes("-") && !isText;
      const spec: Spec = {
        fill: zero ? "0" : " ",
        align: zero ? "=" : flags.includes("-") ? "<" : ">",
        sign: flags.includes("+") ? "+" : flags.includes(" ") ? " " : "-",
        width: Number(width ?? 0),
        precision: precision === undefined ? undefined : Number(precision),
        grouping: "",
        type: isText ? "s" : type === "i" ? "d" : type,
      };
      return charged(runtime, formatted(runtime, value, isText ? type : undefined, spec));
    },
  );
  return text(charged(runtime, result));
}

function charged(runtime: Runtime, result: string): string {
  runtime.budget.allocate(result.length);
  return result;
}

function parseSpec(spec: string): Spec {
  const match = SPEC.exec(spec);
  if (!match) throw new Error(`there is no format "${spec}"`);
  const [, fill, align, sign = "-", zero, width = "0", grouping = "", precision, type = ""] = match;
  return {
    fill: fill ?? (zero ? "0" : " "),
    align: align ?? (zero ? "=" : ""),
    sign,
    width: Number(width),
    precision: precision === undefined ? undefined : Number(precision),
    grouping,
    type,
  };
}

function formatted(
  runtime: Runtime,
  value: RuntimeValue,
  conversion: string | undefined,
  spec: Spec,
): string {
  runtime.budget.allocate(runtime.measure.characters(value) + spec.width);
  const number = conversion === undefined && !isString(value) ? numberOf(value) : undefined;
  const isPlain = number === undefined || (spec.type === "" && value.type === "BooleanValue");
  if (isPlain || spec.type === "s") {
    if (spec.type !== "" && spec.type !== "s") {
      throw new Error(`${typeName(value)} has no format "${spec.type}"`);
    }
    const whole = conversion === "r" || conversion === "a" ? reprOf(value) : textOf(value);
    const shown = spec.precision === undefined ? whole : Array.from(whole).slice(0, spec.precision).join("");
    return pad("", shown, spec, "<");
  }
  const sign = number < 0 || Object.is(number, -0) ? "-" : spec.sign === "-" ? "" : spec.sign;
  return pad(sign, grouped(digits(Math.abs(number), isFloat(value), spec), spec.grouping), spec, ">");
}

function digits(size: number, isReal: boolean, { type, precision }: Spec): string {
  const places = Math.min(precision ?? 6, MAX_PRECISION);
  switch (type) {
    case "f":
    case "F":
      return size.toFixed(places);
    case "%":
      return `${(size * 100).toFixed(places)}%`;
    case "e":
    case "E": {
      const shown = size.toExponential(places).replace(/([+-])(\d)$/, "$10$2");
      return type === "E" ? shown.toUpperCase() : shown;
    }
    case "x":
      return size.toString(16);
    case "X":
      return size.toString(16).toUpperCase();
    case "o":
      return size.toString(8);
    case "b":
      return size.toString(2);
    case "d":
      return integerText(Math.trunc(size));
    case "g":
    case "":
      if (precision !== undefined)
        return String(Number(size.toPrecision(Math.max(1, Math.min(places, 100)))));
      return isReal && Number.isInteger(size) && type === "" ? size.toFixed(1) : String(size);
    default:
      throw new Error(`there is no number format "${type}"`);
  }
}

function grouped(digits: string, separator: string): string {
  if (separator === "") return digits;
  const [whole = "", ...rest] = digits.split(".");
  return [whole.replace(/\B(?=(\d{3})+$)/g, separator), ...rest].join(".");
}

function pad(sign: string, shown: string, { fill, align, width }: Spec, usual: string): string {
  const missing = width - sign.length - Array.from(shown).length;
  if (missing <= 0) return sign + shown;
  switch (align || usual) {
    case "<":
      return sign + shown + fill.repeat(missing);
    case "^":
      return fill.repeat(missing >> 1) + sign + shown + fill.repeat(missing - (missing >> 1));
    case "=":
      return sign + fill.repeat(missing) + shown;
    default:
      return fill.repeat(missing) + sign + shown;
  }
}
