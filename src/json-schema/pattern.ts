import { type Anchored, AnchoredTerms } from "./anchored-term.ts";
import { classEscapes, dotCodes, propertyCodes } from "./character-classes.ts";
import { type CodeSet, codeSet, invertCodes, singleCode, uniteCodes } from "./code-set.ts";
import { schemaLimits } from "./limits.ts";
import type { Term, TermFactory } from "./term.ts";

/** A pattern that is wrong, or that no automaton can follow; the message says which and where. */
export class PatternError extends Error {
  /** Whether the pattern is right, but asks for what cannot be expressed. */
  readonly inexpressible: boolean;

  constructor(message: string, kind: "wrong" | "inexpressible") {
    super(message);
    this.inexpressible = kind === "inexpressible";
  }
}

const controlEscapes: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13 };
/** Groups inside one another. */
const groupDepth = 100;

/** Texts in which a regular expression of ECMA-262, read with the flag `u`, finds a match. @throws PatternError */
export function patternTerm(terms: TermFactory, pattern: string): Term {
  if (pattern.length > schemaLimits.patternLength) {
    throw new PatternError(`has more than ${schemaLimits.patternLength} characters`, "inexpressible");
  }
  terms.spend(pattern.length * 30);
  return new PatternParser(terms, pattern).parse();
}

class PatternParser {
  readonly #terms: TermFactory;
  readonly #anchored: AnchoredTerms;
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(terms: TermFactory, pattern: string) {
    this.#terms = terms;
    this.#anchored = new AnchoredTerms(terms);
    this.#characters = Array.from(pattern);
  }

  parse(): Term {
    const whole = this.#alternatives();
    if (this.#at < this.#characters.length) throw this.#wrong('a ")" without its "("');
    return this.#anchored.found(whole);
  }

  get #current(): string {
    return this.#characters[this.#at] ?? "";
  }

  #take(text: string): boolean {
    const found = Array.from(text).every(
      (character, index) => this.#characters[this.#at + index] === character,
    );
    if (found) this.#at += Array.from(text).length;
    return found;
  }

  #wrong(what: string): PatternError {
    return new PatternError(`is wrong at character ${this.#at + 1}: ${what}`, "wrong");
  }

  #inexpressible(what: string): PatternError {
    return new PatternError(
      `has ${what} at character ${this.#at + 1}, which no grammar can express`,
      "inexpressible",
    );
  }

  #alternatives(): Anchored {
    const options: Anchored[] = [];
    do options.push(this.#sequence());
    while (this.#take("|"));
    return options.length === 1 ? options[0]! : this.#anchored.union(options);
  }

  #sequence(): Anchored {
    const parts: Anchored[] = [];
    while (this.#current !== "" && this.#current !== "|" && this.#current !== ")")
      parts.push(this.#repeated());
    // From the end on, so that what is joined is not taken apart again.
    return parts.reduceRight(
      (rest, part) => this.#anchored.concat(part, rest),
      this.#anchored.plain(this.#terms.empty),
    );
  }

  #repeated(): Anchored {
    const isAnchor = this.#current === "^" || this.#current === "$";
    const item = this.#item();
    const bounds = this.#bounds();
    if (!bounds) return item;
    this.#take("?");
    if (isAnchor) throw this.#wrong("an anchor cannot be repeated");
    const repeated = this.#anchored.repeat(item, bounds.min, bounds.max);
    if (!repeated) throw this.#inexpressible("an anchor that is repeated so often");
    return repeated;
  }

  #bounds(): { min: number; max: number } | undefined {
    if (this.#take("*")) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.#take("+")) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.#take("?")) return { min: 0, max: 1 };
    if (!this.#take("{")) return undefined;
    const min = this.#number();
    let max: number | undefined = min;
    if (this.#take(",")) max = this.#current === "}" ? Number.POSITIVE_INFINITY : this.#number();
    if (min === undefined || max === undefined || !this.#take("}"))
      throw this.#wrong("{ without numbers and }");
    if (max < min) throw this.#wrong(`{${min},${max}} is the wrong way round`);
    if (
      min > schemaLimits.repetitions ||
      (max > schemaLimits.repetitions && max !== Number.POSITIVE_INFINITY)
    ) {
      throw this.#inexpressible(`a count above ${schemaLimits.repetitions}`);
    }
    return { min, max };
  }

  #number(): number | undefined {
    let digits = "";
    while (/^[0-9]$/.test(this.#current)) digits += this.#characters[this.#at++];
    return digits === "" ? undefined : Number(digits);
  }

  #item(): Anchored {
    const sign = this.#current;
    if (sign === "^" || sign === "$") {
      this.#at++;
      return this.#anchored.anchor(sign);
    }
    if (sign === "(") return this.#group();
    if (/^[*+?{]$/.test(sign)) throw this.#wrong(`nothing to repeat before ${JSON.stringify(sign)}`);
    if (sign === "}" || sign === "]") throw this.#wrong(`a lone ${JSON.stringify(sign)}; write \\${sign}`);
    return this.#anchored.plain(this.#terms.set(this.#characterSet()));
  }

  #characterSet(): CodeSet {
    if (this.#take(".")) return dotCodes;
    if (this.#current === "[") return this.#class();
    if (this.#current === "\\") return this.#escape();
    return singleCode(this.#characters[this.#at++]!.codePointAt(0)!);
  }

  #group(): Anchored {
    for (const opener of ["(?=", "(?!", "(?<=", "(?<!"]) {
      const text = this.#characters.slice(this.#at, this.#at + opener.length).join("");
      if (text === opener) throw this.#inexpressible(opener.includes("<") ? "a look-behind" : "a look-ahead");
    }
    if (++this.#depth > groupDepth) throw this.#inexpressible("groups inside one another that deep");
    this.#at++;
    if (this.#take("?") && !this.#take(":")) {
      if (!this.#take("<")) throw this.#wrong("an unknown kind of group");
      const start = this.#at;
      while (this.#current !== "" && this.#current !== ">") this.#at++;
      const name = this.#characters.slice(start, this.#at).join("");
      if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) || !this.#take(">"))
        throw this.#wrong("a group's name");
    }
    const inside = this.#alternatives();
    if (!this.#take(")")) throw this.#wrong('a "(" without its ")"');
    this.#depth--;
    return inside;
  }

  /** A backslash and what it stands for, where one character is meant. */
  #escape(): CodeSet {
    const next = this.#characters[this.#at + 1] ?? "";
    if (/^[bB]$/.test(next)) throw this.#inexpressible(`a word boundary, \\${next},`);
    if (/^[1-9k]$/.test(next)) throw this.#inexpressible("a back-reference");
    return this.#commonEscape();
  }

  #commonEscape(): CodeSet {
    this.#at++;
    const letter = this.#characters[this.#at++] ?? "";
    if (letter === "") throw this.#wrong("a backslash at the end");
    const set = Object.hasOwn(classEscapes, letter) ? classEscapes[letter] : undefined;
    if (set) return set;
    const control = Object.hasOwn(controlEscapes, letter) ? controlEscapes[letter] : undefined;
    if (control !== undefined) return singleCode(control);
    if (letter === "p" || letter === "P") return this.#property(letter);
    if (letter === "x") return singleCode(this.#hex(2));
    if (letter === "u") return singleCode(this.#unicode());
    if (letter === "0" && !/^[0-9]$/.test(this.#current)) return singleCode(0);
    if (letter === "c" && /^[a-zA-Z]$/.test(this.#current))
      return singleCode(this.#characters[this.#at++]!.charCodeAt(0) % 32);
    if (/^[a-zA-Z0-9]$/.test(letter)) throw this.#wrong(`unknown escape \\${letter}`);
    return singleCode(letter.codePointAt(0)!);
  }

  #property(letter: "p" | "P"): CodeSet {
    const found = /^\{([A-Za-z0-9_=]+)\}/.exec(this.#characters.slice(this.#at, this.#at + 80).join(""));
    const codes = found && propertyCodes(found[1]!);
    if (!codes) throw this.#wrong(`\\${letter} without the name of a Unicode property`);
    this.#at += found[0].length;
    return letter === "p" ? codes : invertCodes(codes);
  }

  #hex(length: number): number {
    const digits = this.#characters.slice(this.#at, this.#at + length).join("");
    if (digits.length < length || !/^[0-9a-fA-F]+$/.test(digits))
      throw this.#wrong(`${length} hexadecimal digits are missing`);
    this.#at += length;
    return Number.parseInt(digits, 16);
  }

  #unicode(): number {
    if (this.#take("{")) {
      let digits = "";
      while (/^[0-9a-fA-F]$/.test(this.#current)) digits += this.#characters[this.#at++];
      const point = Number.parseInt(digits, 16);
      if (!this.#take("}") || !(point <= 0x10ffff)) throw this.#wrong("\\u{…} is no code point");
      return point;
    }
    const high = this.#hex(4);
    const pair = /^\\u(d[c-f][0-9a-f]{2})$/i.exec(this.#characters.slice(this.#at, this.#at + 6).join(""));
    if (high < 0xd800 || high > 0xdbff || !pair) return high;
    this.#at += 6;
    return 0x10000 + (high - 0xd800) * 0x400 + (Number.parseInt(pair[1]!, 16) - 0xdc00);
  }

  #class(): CodeSet {
    this.#at++;
    const inverted = this.#take("^");
    const sets: CodeSet[] = [];
    while (!this.#take("]")) {
      if (this.#current === "") throw this.#wrong('a "[" without its "]"');
      const low = this.#classMember();
      const isRange = this.#current === "-" && (this.#characters[this.#at + 1] ?? "]") !== "]";
      if (!isRange) {
        sets.push(low.codes);
        continue;
      }
      this.#at++;
      const high = this.#classMember();
      if (low.point === undefined || high.point === undefined)
        throw this.#wrong("a range needs two characters");
      if (high.point < low.point) throw this.#wrong("a range is the wrong way round");
      sets.push(codeSet([low.point, high.point]));
    }
    const codes = uniteCodes(...sets);
    return inverted ? invertCodes(codes) : codes;
  }

  /** One member of a class; its code point where it can bound a range. */
  #classMember(): { codes: CodeSet; point: number | undefined } {
    if (this.#current !== "\\") {
      const point = this.#characters[this.#at++]!.codePointAt(0)!;
      return { codes: singleCode(point), point };
    }
    const next = this.#characters[this.#at + 1] ?? "";
    if (next === "b") {
      this.#at += 2;
      return { codes: singleCode(8), point: 8 };
    }
    const isSet = /^[dDwWsSpP]$/.test(next);
    const codes = this.#commonEscape();
    return { codes, point: isSet ? undefined : codes[0] };
  }
}
