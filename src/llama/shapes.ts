import { ContentCache } from "../../lib/content-cache.ts";
import type { Grammar } from "../grammar.ts";
import { SchemaWorkError } from "../json-schema/index.ts";
import { answerQuestion, type ShapeQuestion } from "./shape-question.ts";
import { askShapeThread } from "./shape-thread.ts";

/** Characters of the questions whose grammars are kept. */
const knownCharacters = 1 << 20;
const known = new ContentCache<Grammar>(knownCharacters);

/** What is answered without a thread: questions of so many characters, schemas of so many steps. Some milliseconds. */
const shortQuestion = 4000;
const littleWork = 50_000;

/** The grammar of a question, on this thread. @throws RequestError naming the field, GrammarError. */
export function grammarNow(question: ShapeQuestion): Grammar {
  const key = keyOf(question);
  return key === undefined ? answerQuestion(question) : known.get(key, () => answerQuestion(question));
}

/**
 * The grammar of a question; made on another thread where that takes long.
 * @throws RequestError naming the field, GrammarError, WorkerCrashedError.
 */
export async function grammarSoon(question: ShapeQuestion): Promise<Grammar> {
  const key = keyOf(question);
  if (key === undefined) return answerQuestion(question);
  const kept = known.peek(key);
  if (kept) return kept;
  if (key.length <= shortQuestion) {
    try {
      return known.get(key, () => answerQuestion(question, littleWork));
    } catch (error) {
      if (!((error as Error).cause instanceof SchemaWorkError)) throw error;
    }
  }
  const grammar = await askShapeThread(question);
  return known.get(key, () => grammar);
}

/** Numbers of any size are taken. Undefined for what leads back to itself, which is refused by name where it is looked at. */
function keyOf(question: ShapeQuestion): string | undefined {
  try {
    return JSON.stringify(question, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}
