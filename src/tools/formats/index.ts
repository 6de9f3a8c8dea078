import { RequestError } from "../../../lib/errors.ts";
import type { ToolFormat } from "../format.ts";
import { commandR, commandR7b } from "./command-r.ts";
import { deepseek, deepseekV31 } from "./deepseek.ts";
import { functionary, functionaryV32 } from "./functionary.ts";
import { functionGemma, gemma, gemma4 } from "./gemma.ts";
import { glm45 } from "./glm45.ts";
import { granite } from "./granite.ts";
import { harmony } from "./harmony.ts";
import { hermes } from "./hermes.ts";
import { kimiK2 } from "./kimi-k2.ts";
import { lfm2 } from "./lfm2.ts";
import { llama3, llamaPythonic } from "./llama3.ts";
import { minimaxM2 } from "./minimax-m2.ts";
import { mistral, mistralArgs } from "./mistral.ts";
import { nemotronV2 } from "./nemotron-v2.ts";
import { phi4 } from "./phi4.ts";
import { plainJson } from "./plain-json.ts";
import { qwen3Coder } from "./qwen3-coder.ts";
import { seedOss } from "./seed-oss.ts";

/** All formats, those with rarer markers first: a template is of the first that fits. */
export const toolFormats: readonly ToolFormat[] = [
  harmony,
  functionaryV32,
  kimiK2,
  deepseek,
  deepseekV31,
  mistralArgs,
  mistral,
  commandR7b,
  commandR,
  functionGemma,
  gemma4,
  gemma,
  glm45,
  minimaxM2,
  seedOss,
  nemotronV2,
  qwen3Coder,
  functionary,
  lfm2,
  phi4,
  granite,
  llamaPythonic,
  hermes,
  llama3,
  plainJson,
];

/**
 * The format of a model's answers, by markers in its chat template; {@link plainJson} where there are none.
 * @param name Chooses by name instead.
 * @throws RequestError for an unknown name.
 */
export function chooseFormat(templateSource: string, name?: string): ToolFormat {
  if (name !== undefined) {
    const named = toolFormats.find((format) => format.name === name);
    if (named) return named;
    const names = toolFormats.map((format) => format.name).join(", ");
    throw new RequestError(
      `tool format ${JSON.stringify(name)} is unknown; allowed: ${names}`,
      "tool_format",
    );
  }
  const has = (text: string) => templateSource.includes(text);
  const fits = ({ templates, without = [] }: ToolFormat) =>
    templates.some((texts) => texts.every(has)) && !without.some(has);
  return toolFormats.find(fits) ?? plainJson;
}
