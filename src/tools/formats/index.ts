import { RequestError } from "../../../lib/errors.ts";
import type { ToolFormat } from "../format.ts";
import { apertus } from "./apertus.ts";
import { apriel } from "./apriel.ts";
import { cohere2Moe, commandR, commandR7b } from "./command-r.ts";
import { deepseek, deepseekV31 } from "./deepseek.ts";
import { deepseekV4, deepseekV32 } from "./deepseek-dsml.ts";
import { functionary, functionaryV32 } from "./functionary.ts";
import { functools } from "./functools.ts";
import { functionGemma, gemma, gemma4 } from "./gemma.ts";
import { gigachat3, gigachat31 } from "./gigachat.ts";
import { glm45, glm47 } from "./glm45.ts";
import { granite } from "./granite.ts";
import { harmony } from "./harmony.ts";
import { hermes } from "./hermes.ts";
import { hy3 } from "./hy3.ts";
import { kimiK2 } from "./kimi-k2.ts";
import { lfm2 } from "./lfm2.ts";
import { llama3, llamaPythonic } from "./llama3.ts";
import { minimaxM1 } from "./minimax-m1.ts";
import { minimaxM2 } from "./minimax-m2.ts";
import { mistral, mistralArgs } from "./mistral.ts";
import { nemotronV2 } from "./nemotron-v2.ts";
import { phi4 } from "./phi4.ts";
import { plainJson } from "./plain-json.ts";
import { qwen3Coder } from "./qwen3-coder.ts";
import { seedOss } from "./seed-oss.ts";
import { solarOpen } from "./solar-open.ts";

/** All formats, those with rarer markers first: a template is of the first that fits. */
export const toolFormats: readonly ToolFormat[] = [
  harmony,
  functionaryV32,
  kimiK2,
  solarOpen,
  apertus,
  gigachat3,
  gigachat31,
  hy3,
  deepseekV32,
  deepseekV4,
  deepseek,
  deepseekV31,
  mistralArgs,
  mistral,
  cohere2Moe,
  commandR7b,
  commandR,
  functionGemma,
  gemma4,
  gemma,
  glm47,
  glm45,
  minimaxM2,
  apriel,
  minimaxM1,
  seedOss,
  nemotronV2,
  qwen3Coder,
  functionary,
  lfm2,
  phi4,
  functools,
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
