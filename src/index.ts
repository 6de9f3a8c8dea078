export { type GpuChoice, type LibraryOptions, loadLibrary, type Native } from "../ffi/index.ts";
export * from "../lib/index.ts";
export { LoraAdapter } from "./adapter.ts";
export { Batch, type BatchOptions, type OutputChoice } from "./batch.ts";
export * from "./chat/index.ts";
export { Context, type ContextPerformance, type DecodeOutcome } from "./context.ts";
export type { PositionRange } from "./context-memory.ts";
export type { CacheType, ContextOptions } from "./context-options.ts";
export type { SequenceStateOptions } from "./context-state.ts";
export { ControlVector, type ControlVectorParts } from "./control-vector.ts";
export { embeddedModelPath } from "./embedded-model.ts";
export type { EngineCounters, EngineSnapshot } from "./engine/counters.ts";
export type {
  CacheTiers,
  Engine,
  EngineEvent,
  EngineRequest,
  EngineStream,
  SampleFunction,
} from "./engine/engine.ts";
export type { EngineOptions } from "./engine/engine-options.ts";
export type { RequestStats } from "./engine/request.ts";
export type { StateFingerprint } from "./engine/state-fingerprint.ts";
export type { TierSnapshot } from "./engine/tier-counters.ts";
export { WorkerEngine } from "./engine/worker-engine.ts";
export { checkGguf } from "./gguf-file.ts";
export { Grammar, type GrammarMatcher, type GrammarOptions, grammarLimits } from "./grammar.ts";
export {
  JsonSchemaError,
  type JsonSchemaOptions,
  type SchemaGrammar,
  type SchemaReport,
  SchemaWorkError,
  schemaLimits,
  schemaToGrammar,
} from "./json-schema/index.ts";
export { type LlamaCache, LlamaDiskCache, LlamaRAMCache } from "./llama/cache.ts";
export type { AnswerShape, JsonSchema, ResponseFormat } from "./llama/response-format.ts";
export type {
  RunToolsParams,
  Tool,
  ToolContext,
  ToolRun,
  ToolRunEvent,
  ToolRunResult,
} from "./llama/run-tools.ts";
export type { LlamaState } from "./llama/state.ts";
export type * from "./llama/types.ts";
export { Llama, type LlamaOptions } from "./llama.ts";
export { Model, type RopeType } from "./model.ts";
export type { ModelOptions } from "./model-options.ts";
export type { KvOverrides, OverrideValue } from "./model-overrides.ts";
export { Candidates } from "./sampler/candidates.ts";
export type {
  CandidateView,
  CustomSampler,
  CustomSamplerInfo,
  CustomSamplerOptions,
} from "./sampler/custom.ts";
export { type Narrowing, Sampler, SamplerChain } from "./sampler.ts";
export { createSampler, type LogitsProcessor, type SamplingParams } from "./sampling-params.ts";
export { ThreadPool, type ThreadPoolOptions } from "./thread-pool.ts";
export {
  type AnswerDelta,
  type AnswerMessage,
  AnswerParser,
  type AnswerParserOptions,
  chooseFormat,
  type ReasoningFormat,
  type ToolFormat,
  toolFormats,
} from "./tools/index.ts";
export { type TokenAttribute, type TokenizeOptions, Vocab, type VocabType } from "./vocab.ts";
