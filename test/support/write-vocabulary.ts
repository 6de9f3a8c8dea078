import { architectureEntries } from "../fixtures/architectures.ts";
import { type WritableEntry, writeGguf } from "../fixtures/gguf-writer.ts";
import { completeRecipe } from "../fixtures/recipe.ts";
import { type VocabularyKind, vocabularyEntries } from "../fixtures/vocabularies.ts";

/** Writes a file that holds a vocabulary alone, with entries of its own and with its last tokens renamed. */
export function writeVocabulary(
  path: string,
  kind: VocabularyKind,
  { entries = [], lastTokens = [] }: { entries?: WritableEntry[]; lastTokens?: readonly string[] } = {},
): void {
  const size = 1024;
  const vocabulary = vocabularyEntries(kind, size).map((entry) =>
    entry.key === "tokenizer.ggml.tokens" && entry.type === "array"
      ? { ...entry, value: [...entry.value.slice(0, size - lastTokens.length), ...lastTokens] }
      : entry,
  );
  const recipe = completeRecipe({ architecture: "llama", vocabularyOnly: true });
  writeGguf(path, [...architectureEntries(recipe), ...vocabulary, ...entries], [], recipe.seed);
}
