import { partsOf, type Term } from "./term.ts";

/** Bounds for how many code points texts have. */
interface Lengths {
  readonly least: number;
  readonly most: number;
}

const anyLength: Lengths = { least: 0, most: Number.POSITIVE_INFINITY };
/** Terms share parts, which would be looked at over and over. */
const known = new WeakMap<Term, Lengths>();

/** Bounds within which the lengths of the texts of a language are; not always the closest. */
export function lengthsOf(term: Term): Lengths {
  let lengths = known.get(term);
  if (!lengths) {
    lengths = computed(term);
    known.set(term, lengths);
  }
  return lengths;
}

function computed(term: Term): Lengths {
  switch (term.kind) {
    case "empty":
      return { least: 0, most: 0 };
    case "set":
      return { least: 1, most: 1 };
    case "concat": {
      const parts = partsOf(term).map(lengthsOf);
      return { least: sum(parts.map(({ least }) => least)), most: sum(parts.map(({ most }) => most)) };
    }
    case "union": {
      const parts = term.parts.map(lengthsOf);
      return {
        least: Math.min(...parts.map(({ least }) => least)),
        most: Math.max(...parts.map(({ most }) => most)),
      };
    }
    case "intersection": {
      const parts = term.parts.map(lengthsOf);
      return {
        least: Math.max(...parts.map(({ least }) => least)),
        most: Math.min(...parts.map(({ most }) => most)),
      };
    }
    case "repeat": {
      const { least, most } = lengthsOf(term.of);
      return { least: least * term.min, most: most === 0 ? 0 : most * term.max };
    }
    default:
      return anyLength;
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
