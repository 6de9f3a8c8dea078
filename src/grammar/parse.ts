import { type CompiledGrammar, kind, type TokenReference } from "./elements.ts";
import { checkLeftRecursion } from "./left-recursion.ts";
import { grammarLimits } from "./limits.ts";
import { Scanner } from "./scanner.ts";

const isDigit = (character: string) => character >= "0" && character <= "9";
const isNameCharacter = (character: string) => /[a-zA-Z0-9-]/.test(character);
/** Integers from here on overflow in libllama. */
const tooLarge = 2 ** 64;

/** A rule while it is read: kinds and values by turns. */
type Elements = number[];

interface Sequence {
  readonly elements: Elements;
  /** Where the last item starts, which a repetition sign would repeat. */
  itemStart: number;
  /** How many rules the last item stands for, by libllama's count. */
  weight: number;
}

/** Reads GBNF, and writes groups and repetitions out as rules of their own, in the same way as libllama. */
export class GrammarParser {
  readonly #scanner: Scanner;
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [];
  readonly #offsets: number[] = [];
  readonly #rules: (Elements | undefined)[] = [];
  readonly #tokens: TokenReference[] = [];
  #written = 0;
  #elementCount = 0;
  #depth = 0;

  constructor(source: string) {
    this.#scanner = new Scanner(source);
  }

  /** @throws GrammarError */
  parse(root: string): CompiledGrammar {
    const scanner = this.#scanner;
    scanner.skipSpace({ newlines: true });
    while (!scanner.atEnd) this.#rule();
    for (const [id, name] of this.#names.entries()) {
      if (!this.#rules[id]) throw scanner.error(`rule "${name}" is not defined`, this.#offsets[id]!);
    }
    const rootId = this.#ids.get(root);
    if (rootId === undefined) throw scanner.error(`there is no rule "${root}" to start with`, 0);
    const grammar = this.#join(rootId);
    checkLeftRecursion(grammar, (rule, message) => scanner.error(message, this.#offsets[rule]!));
    return grammar;
  }

  #rule(): void {
    const scanner = this.#scanner;
    const start = scanner.offset;
    const name = scanner.run(isNameCharacter);
    if (name === "")
      throw scanner.error(`expected a rule, name ::= …, found ${scanner.describe()}${hint(scanner)}`);
    if (++this.#written > grammarLimits.rules)
      throw scanner.error(`more than ${grammarLimits.rules} rules`, start);
    const id = this.#idOf(name, start);
    this.#offsets[id] = start;
    scanner.skipSpace({ newlines: false });
    scanner.expect("::=", `"::=" after the rule's name "${name}"`);
    scanner.skipSpace({ newlines: true });
    // A later definition of the same rule replaces an earlier one, as in libllama.
    this.#rules[id] = this.#alternatives(name, { nested: false });
    if (!scanner.atEnd && scanner.current !== "\n" && scanner.current !== "\r") {
      throw scanner.error(
        `expected an item or the end of the line, found ${scanner.describe()}${hint(scanner)}`,
      );
    }
    scanner.skipSpace({ newlines: true });
  }

  #alternatives(name: string, { nested }: { nested: boolean }): Elements {
    const scanner = this.#scanner;
    const elements: Elements = [];
    this.#sequence(elements, name, nested);
    while (scanner.take("|")) {
      this.#push(elements, kind.alternative, 0);
      scanner.skipSpace({ newlines: true });
      this.#sequence(elements, name, nested);
    }
    this.#push(elements, kind.end, 0);
    return elements;
  }

  #sequence(elements: Elements, name: string, nested: boolean): void {
    const scanner = this.#scanner;
    const sequence: Sequence = { elements, itemStart: elements.length, weight: 1 };
    for (;;) {
      const sign = scanner.current;
      if (sign === "*" || sign === "+" || sign === "?" || sign === "{") {
        this.#repetition(sequence, name, nested);
        continue;
      }
      const start = elements.length;
      const before = this.#names.length;
      if (sign === '"') this.#literal(elements);
      else if (sign === "[") this.#characterClass(elements);
      else if (sign === "<" || sign === "!") this.#token(elements);
      else if (sign === "(") this.#group(elements, name);
      else if (scanner.take(".")) this.#push(elements, kind.anyChar, 0);
      else if (isNameCharacter(sign)) this.#reference(elements);
      else return;
      sequence.itemStart = start;
      sequence.weight = sign === "(" ? Math.max(1, this.#names.length - before) : 1;
      scanner.skipSpace({ newlines: nested });
    }
  }

  #literal(elements: Elements): void {
    this.#scanner.offset++;
    while (!this.#scanner.take('"')) this.#push(elements, kind.char, this.#scanner.codePoint("literal"));
  }

  #characterClass(elements: Elements): void {
    const scanner = this.#scanner;
    const start = scanner.offset++;
    let next: number = scanner.take("^") ? kind.charNot : kind.char;
    if (scanner.current === "]")
      throw scanner.error("the character class is empty; write \\] for a bracket", start);
    while (!scanner.take("]")) {
      const from = scanner.offset;
      const low = scanner.codePoint("character class");
      this.#push(elements, next, low);
      next = kind.charAlternative;
      if (scanner.current !== "-" || scanner.source[scanner.offset + 1] === "]") continue;
      scanner.offset++;
      const high = scanner.codePoint("character class");
      if (high < low) throw scanner.error("the range is the wrong way round", from);
      this.#push(elements, kind.rangeEnd, high);
    }
  }

  #token(elements: Elements): void {
    const scanner = this.#scanner;
    const type = scanner.take("!") ? kind.tokenNot : kind.token;
    const offset = scanner.offset;
    scanner.expect("<", '"<" and a token');
    let id: number | undefined;
    if (scanner.take("[")) {
      const digits = scanner.run(isDigit);
      id = Number(digits);
      if (digits === "" || id > 0x7fffffff) throw scanner.error("expected a token's id", offset);
      scanner.expect("]");
    } else {
      scanner.run((character) => character !== ">");
    }
    scanner.expect(">", '">" after the token');
    this.#push(elements, type, this.#tokens.length);
    this.#tokens.push({ text: scanner.source.slice(offset, scanner.offset), id, offset });
  }

  #group(elements: Elements, name: string): void {
    const scanner = this.#scanner;
    const start = scanner.offset++;
    if (++this.#depth > grammarLimits.nesting) {
      throw scanner.error(`groups are nested more than ${grammarLimits.nesting} deep`, start);
    }
    scanner.skipSpace({ newlines: true });
    const id = this.#newRule(name, start);
    this.#rules[id] = this.#alternatives(name, { nested: true });
    scanner.expect(")", 'an item or ")"');
    this.#depth--;
    this.#push(elements, kind.rule, id);
  }

  #reference(elements: Elements): void {
    const start = this.#scanner.offset;
    const name = this.#scanner.run(isNameCharacter);
    this.#push(elements, kind.rule, this.#idOf(name, start));
  }

  #repetition(sequence: Sequence, name: string, nested: boolean): void {
    const scanner = this.#scanner;
    const start = scanner.offset;
    const { min, max } = this.#bounds(nested);
    const { elements, itemStart } = sequence;
    const item = elements.slice(itemStart);
    if (item.length === 0) throw scanner.error("expected something to repeat before this", start);
    const total = max > 0 && max !== Number.POSITIVE_INFINITY ? max : Math.max(1, min);
    sequence.weight *= total;
    if (sequence.weight > grammarLimits.repetitions) {
      throw scanner.error(
        `repeats more than ${grammarLimits.repetitions} times in all; use a smaller number`,
        start,
      );
    }
    const optional = max === Number.POSITIVE_INFINITY ? 1 : max - min;
    this.#charge((Math.max(0, min - 1) + optional) * (item.length / 2) + 3 * optional, start);
    if (min === 0) elements.length = itemStart;
    for (let times = 1; times < min; times++) for (const part of item) elements.push(part);
    let rest: number | undefined;
    for (let times = 0; times < optional; times++) {
      // With a bound, each rule leads to the one before; without, to itself.
      const id = this.#newRule(name, start);
      const next = max === Number.POSITIVE_INFINITY ? id : rest;
      const tail = next === undefined ? [] : [kind.rule, next];
      this.#rules[id] = [...item, ...tail, kind.alternative, 0, kind.end, 0];
      rest = id;
    }
    if (rest !== undefined) this.#push(elements, kind.rule, rest);
  }

  #bounds(nested: boolean): { min: number; max: number } {
    const scanner = this.#scanner;
    const start = scanner.offset;
    const skip = () => scanner.skipSpace({ newlines: nested });
    const sign = scanner.current;
    scanner.offset++;
    skip();
    if (sign !== "{") return { min: sign === "+" ? 1 : 0, max: sign === "?" ? 1 : Number.POSITIVE_INFINITY };
    const integer = () => {
      const digits = scanner.run(isDigit);
      skip();
      return digits === "" ? undefined : Number(digits);
    };
    const min = integer();
    if (min === undefined) throw scanner.error(`expected how many times, found ${scanner.describe()}`);
    let max: number = min;
    if (scanner.take(",")) {
      skip();
      max = integer() ?? Number.POSITIVE_INFINITY;
      if (max !== Number.POSITIVE_INFINITY && max >= tooLarge)
        throw scanner.error("the number is too large", start);
    }
    scanner.expect("}", '"," or "}"');
    skip();
    if (min > grammarLimits.repetitions) {
      throw scanner.error(
        `repeats more than ${grammarLimits.repetitions} times; use a smaller number`,
        start,
      );
    }
    if (max < min) throw scanner.error(`{${min},${max}}: the upper bound is below the lower`, start);
    return { min, max: max > grammarLimits.repetitions ? Number.POSITIVE_INFINITY : max };
  }

  #push(elements: Elements, type: number, value: number): void {
    this.#charge(1, this.#scanner.offset);
    elements.push(type, value);
  }

  #charge(count: number, offset: number): void {
    this.#elementCount += count;
    if (this.#elementCount > grammarLimits.elements) {
      throw this.#scanner.error(
        `the grammar is larger than ${grammarLimits.elements} elements written out`,
        offset,
      );
    }
  }

  #idOf(name: string, offset: number): number {
    let id = this.#ids.get(name);
    if (id === undefined) {
      id = this.#newRule(name, offset);
      this.#ids.set(name, id);
    }
    return id;
  }

  #newRule(name: string, offset: number): number {
    this.#names.push(name);
    this.#offsets.push(offset);
    return this.#names.length - 1;
  }

  #join(root: number): CompiledGrammar {
    const count = this.#rules.reduce((sum, rule) => sum + rule!.length / 2, 0);
    const kinds = new Uint8Array(count);
    const values = new Uint32Array(count);
    const starts = new Int32Array(this.#rules.length);
    let end = 0;
    for (const [id, rule] of this.#rules.entries()) {
      starts[id] = end;
      for (let index = 0; index < rule!.length; index += 2, end++) {
        kinds[end] = rule![index]!;
        values[end] = rule![index + 1]!;
      }
    }
    return { kinds, values, starts, root, names: this.#names, tokens: this.#tokens };
  }
}

/** What a common slip at the cursor should have been. */
function hint({ current }: Scanner): string {
  if (current === "_") return "; a rule's name has letters, digits and hyphens";
  if (current === "|")
    return "; put alternatives on several lines into parentheses, or end the line before with |";
  if (current === "'") return "; literals stand in double quotes";
  return "";
}
