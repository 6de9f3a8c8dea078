import { ModelLoadError } from "./errors.ts";
import { architectureProblem } from "./gguf-architecture-rules.ts";
import { type GgufHeader, metadataNumber, metadataString } from "./gguf-header.ts";
import { tensorTypeProblem } from "./gguf-tensor-rules.ts";
import type { GgufEntry } from "./gguf-value.ts";
import { vocabularyProblem } from "./gguf-vocabulary-rules.ts";

/** `LLAMA_MAX_LAYERS` and `LLAMA_MAX_EXPERTS` of llama.cpp v0.5.0. */
const maxLayers = 512;
const maxExperts = 1024;
/** Every buffer ggml maps must begin at a multiple of this. */
const mappedAlignment = 32;
const ropeScalings = new Set(["none", "linear", "yarn", "longrope"]);
const remedy = "the model is damaged or wrongly converted: download or convert it again";

/**
 * Refuses metadata known to end the process inside libllama instead of failing the load.
 *
 * Other faults libllama reports by itself, as a failed load. The rules are those of llama.cpp v0.5.0: `load_hparams`,
 * the vocabulary's loader, the mapping of weights and the kernels that check theirs. They cover every architecture in
 * what all share, and few in what is their own, so a file made to do harm may still pass.
 *
 * @throws ModelLoadError
 */
export function checkLoadable(header: GgufHeader): void {
  const refuse = (problem: string): never => {
    throw new ModelLoadError(`${header.name}: ${problem}; ${remedy}`);
  };
  const architecture = metadataString(header, "general.architecture");
  if (header.tensors.size > 0 && header.dataOffset % mappedAlignment !== 0) {
    refuse(`the data begins at ${header.dataOffset}, no multiple of ${mappedAlignment}`);
  }
  checkSplit(header, refuse);
  const problem = vocabularyProblem(header);
  if (problem !== undefined) refuse(problem);
  for (const tensor of header.tensors.values()) {
    const wrongType = tensorTypeProblem(tensor);
    if (wrongType !== undefined) refuse(wrongType);
  }
  if (architecture === undefined) return;
  checkLayers(header, architecture, refuse);
  checkExperts(header, architecture, refuse);
  checkNumbers(header, architecture, refuse);
  const wrong = architectureProblem(header, architecture);
  if (wrong !== undefined) refuse(wrong);
}

type Refuse = (problem: string) => never;

function checkSplit(header: GgufHeader, refuse: Refuse): void {
  const entry = header.metadata.get("split.no");
  // Later parts read this number without looking at its type.
  if (entry !== undefined && entry.type !== "u16") refuse(`split.no must be of type u16, got ${entry.type}`);
}

function checkLayers(header: GgufHeader, architecture: string, refuse: Refuse): void {
  const layers = metadataNumber(header, `${architecture}.block_count`);
  if (layers === undefined) return;
  if (layers < 1 || layers > maxLayers)
    refuse(`${architecture}.block_count is ${layers}, not 1 to ${maxLayers}`);
  const nextn = metadataNumber(header, `${architecture}.nextn_predict_layers`) ?? 0;
  if (nextn > layers)
    refuse(`${architecture}.nextn_predict_layers is ${nextn}, more than the ${layers} layers`);
}

function checkExperts(header: GgufHeader, architecture: string, refuse: Refuse): void {
  // These two read an expert count of 1 as none.
  if (architecture === "hunyuan_vl" || architecture === "hunyuan-dense") return;
  const number = (key: string) => metadataNumber(header, `${architecture}.${key}`) ?? 0;
  const experts = number("expert_count");
  const used = largest(header.metadata.get(`${architecture}.expert_used_count`));
  const groups = number("expert_group_count");
  const groupsUsed = number("expert_group_used_count");
  const name = (key: string) => `${architecture}.${key}`;
  if (experts > maxExperts) refuse(`${name("expert_count")} is ${experts}, more than ${maxExperts}`);
  if (used > experts || (experts > 0 && used === 0)) {
    refuse(`${name("expert_used_count")} is ${used} with ${experts} experts`);
  }
  if (groups > 0 && groups >= experts)
    refuse(`${name("expert_group_count")} is ${groups} with ${experts} experts`);
  if (groups > 1 && (experts % groups !== 0 || groupsUsed === 0 || groupsUsed >= groups)) {
    refuse(`${name("expert_group_used_count")} is ${groupsUsed} with ${groups} groups of ${experts} experts`);
  }
}

function largest(entry: GgufEntry | undefined): number {
  if (typeof entry?.value === "number") return entry.value;
  if (typeof entry?.value !== "object") return 0;
  let most = 0;
  for (let index = 0; index < entry.value.length; index++)
    most = Math.max(most, Number(entry.value.at(index)));
  return most;
}

function checkNumbers(header: GgufHeader, architecture: string, refuse: Refuse): void {
  const key = (name: string) => `${architecture}.${name}`;
  const scaling = metadataString(header, key("rope.scaling.type"));
  if (scaling !== undefined && !ropeScalings.has(scaling))
    refuse(`${key("rope.scaling.type")} is ${JSON.stringify(scaling)}`);
  const pooling = metadataNumber(header, key("pooling_type"));
  if (pooling !== undefined && pooling > 4) refuse(`${key("pooling_type")} is ${pooling}, not 0 to 4`);
  for (const name of ["layer_norm_rms_epsilon", "layer_norm_epsilon", "group_norm_epsilon"]) {
    const epsilon = metadataNumber(header, key(`attention.${name}`));
    // The negation also catches NaN.
    if (epsilon !== undefined && !(epsilon >= 0)) refuse(`${key(`attention.${name}`)} is ${epsilon}`);
  }
}
