import { type GgufHeader, metadataNumber } from "./gguf-header.ts";
import type { GgufEntry } from "./gguf-value.ts";

/** Mixture-of-experts architectures that take an expert count of 0 for a bug of their own. */
const needsExperts = new Set(["bailingmoe2", "glm4moe", "grovemoe", "lfm2moe", "llada-moe", "smallthinker"]);

/** Architectures whose positions have several axes; one of the first three must have a length. */
const needsSections = new Set([
  "paddleocr",
  "qwen2vl",
  "qwen35",
  "qwen35moe",
  "qwen3vl",
  "qwen3vlmoe",
  "qwen4exp",
]);

/** Architectures whose graph demands that rotation covers whole heads. */
const rotatesWholeHeads = new Set(
  (
    "apertus arcee arctic baichuan chameleon codeshell cogvlm dbrx deepseek dots1 dream ernie4_5 ernie4_5-moe exaone " +
    "granite granite_swa grok grovemoe hunyuan-moe hunyuan_vl hy_v3 internlm2 jais2 llada llada-moe llama4 maincoder " +
    "mistral3 olmo olmo2 olmoe orion paddleocr pangu-embedded plamo qwen2 qwen2moe qwen2vl qwen3 qwen3moe qwen3vl " +
    "qwen3vlmoe rnd1 seed_oss smallthinker smollm3 starcoder2 xverse"
  ).split(" "),
);

/** Architectures without rotary positions: whatever the file says about rotation is not read. */
const rotatesNothing = new Set(
  (
    "arwkv7 bloom clip gpt2 gptj jais jamba jina-bert-v2 kimi-k3 kimi-linear mamba mamba2 mpt nemotron_h nemotron_h_moe " +
    "refact rwkv6 rwkv6qwen2 rwkv7 t5 t5encoder wavtokenizer-dec"
  ).split(" "),
);

/** Architectures whose keys and values are of one size, and whose tensors' shapes do not tell. */
const evenHeads = new Set(
  "bert bloom eurobert falcon gpt2 gptneox modern-bert mpt neo-bert phi2 refact starcoder t5".split(" "),
);

/** Says which number of the architecture's would end the process; `undefined` where none would. */
export function architectureProblem(header: GgufHeader, architecture: string): string | undefined {
  const number = (key: string) => metadataNumber(header, `${architecture}.${key}`);
  if (needsExperts.has(architecture) && (number("expert_count") ?? 0) === 0) {
    return `${architecture}.expert_count must be more than 0`;
  }
  const sections = `${architecture}.rope.dimension_sections`;
  if (needsSections.has(architecture) && !somePositive(header.metadata.get(sections)?.value, 3)) {
    return `${sections} must name the length of an axis`;
  }
  const heads = number("attention.head_count");
  const width = number("embedding_length");
  const even = heads && width ? Math.floor(width / heads) : undefined;
  const keySize = number("attention.key_length") ?? even;
  const valueSize = number("attention.value_length") ?? even;
  if (evenHeads.has(architecture) && keySize !== valueSize) {
    return `${architecture}.attention.key_length is ${keySize}, and must equal value_length, ${valueSize}`;
  }
  const outputWidth = number("embedding_length_out");
  if (
    outputWidth !== undefined &&
    width !== undefined &&
    outputWidth > width &&
    !hasDimension(header, outputWidth)
  ) {
    return `${architecture}.embedding_length_out is ${outputWidth}, but no tensor makes so many numbers of ${width}`;
  }
  return rotationProblem(architecture, number, keySize) ?? windowProblem(header, architecture, number);
}

type NumberAt = (key: string) => number | undefined;

function rotationProblem(
  architecture: string,
  number: NumberAt,
  headSize: number | undefined,
): string | undefined {
  if (rotatesNothing.has(architecture)) return undefined;
  const windowHeadSize = number("attention.key_length_swa") ?? headSize;
  for (const [key, size] of [
    ["rope.dimension_count", headSize],
    ["rope.dimension_count_swa", windowHeadSize],
  ] as const) {
    const rotated = number(key);
    if (rotated === undefined || size === undefined || size === 0) continue;
    // Zero would not end but never finish.
    const possible = rotatesWholeHeads.has(architecture) ? rotated === size : rotated > 0 && rotated <= size;
    if (!possible || rotated % 2 !== 0) {
      return `${architecture}.${key} is ${rotated}, which does not fit the size of a head, ${size}`;
    }
  }
  return undefined;
}

function windowProblem(header: GgufHeader, architecture: string, number: NumberAt): string | undefined {
  const key = `${architecture}.attention.sliding_window_pattern`;
  const pattern = header.metadata.get(key)?.value;
  if (pattern === undefined || !((number("attention.sliding_window") ?? 0) > 0)) return undefined;
  // As a number it counts layers up to the one that sees everything, so 1 leaves no layer with a window.
  const windows =
    typeof pattern === "number" ? pattern !== 1 : somePositive(pattern, number("block_count") ?? 0);
  return windows ? undefined : `${key} leaves no layer with the sliding window`;
}

function hasDimension(header: GgufHeader, length: number): boolean {
  // Of a split model the tensor may lie in another part.
  if ((metadataNumber(header, "split.count") ?? 0) > 1) return true;
  return [...header.tensors.values()].some(({ shape }) => shape.includes(length));
}

/** Whether one of the first `count` elements is positive, or the number itself is. */
function somePositive(value: GgufEntry["value"] | undefined, count: number): boolean {
  if (typeof value === "number") return value > 0;
  if (typeof value !== "object") return false;
  return Array.from({ length: count }, (_, index) => Number(value.at(index) ?? 0)).some(
    (number) => number > 0,
  );
}
