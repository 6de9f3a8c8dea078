import { z } from "zod";
import { toolFields } from "./tool-schemas.ts";

// Fields have the names and meanings of OpenAI's API and llama-server's. A field that is not here is refused by name, so
// that nothing a client asks for is dropped in silence.

/** A number that null or nothing leaves to the server. */
const number = (least = -Number.MAX_VALUE, most = Number.MAX_VALUE) =>
  z.number().min(least).max(most).nullish();
const integer = (least: number, most = 2 ** 31 - 1) => z.number().int().min(least).max(most).nullish();
const flag = z.boolean().nullish();

const tokenId = z
  .number()
  .int()
  .min(0)
  .max(2 ** 31 - 1);
const tokenIds = z.array(tokenId).min(1);

/** Accepted, since they change nothing that is answered. */
const harmless = {
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  prompt_cache_retention: z.string().nullish(),
  store: flag,
  metadata: z.record(z.string(), z.unknown()).nullish(),
  service_tier: z.string().nullish(),
  prediction: z.unknown().optional(),
  /** Where there are no slots a cached prefix is found by itself. */
  id_slot: z.number().int().min(-1).nullish(),
} as const;

/** Takes only the value that changes nothing; another is refused with the reason. */
function only(reason: string, allowed: (value: unknown) => boolean = () => false) {
  return z
    .unknown()
    .optional()
    .refine((value) => value === undefined || value === null || allowed(value), { message: reason });
}

const empty = (value: unknown) => Array.isArray(value) && value.length === 0;

/** Would change the answer, and are not supported. */
const refused = {
  n_discard: only("is not supported: a context shift drops half of what it may", (value) => value === 0),
  n_indent: only("is not supported", (value) => value === 0),
  post_sampling_probs: only(
    "is not supported: probabilities are those before sampling",
    (value) => value === false,
  ),
  grammar_lazy: only("is not supported", (value) => value === false),
  grammar_triggers: only("is not supported", empty),
  preserved_tokens: only("is not supported", empty),
  backend_sampling: only("is not supported", (value) => value === false),
} as const;

/** Any JSON schema; what is wrong with it is said by whoever compiles it. */
const jsonSchema = z.union([z.boolean(), z.record(z.string(), z.unknown())]);

const responseFormat = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("text") }),
  z.strictObject({ type: z.literal("json_object"), schema: jsonSchema.nullish() }),
  z.strictObject({
    type: z.literal("json_schema"),
    json_schema: z.strictObject({
      name: z.string().max(64).optional(),
      description: z.string().optional(),
      schema: jsonSchema.optional(),
      strict: flag,
    }),
  }),
]);

const logitBias = z.union([
  z.record(z.string(), z.union([z.number(), z.literal(false)])),
  z.array(z.tuple([tokenId, z.union([z.number(), z.literal(false)])])),
]);

/** How to sample, under llama-server's names. */
const sampling = {
  seed: z
    .number()
    .int()
    .min(-1)
    .max(2 ** 32 - 1)
    .nullish(),
  temperature: number(0),
  dynatemp_range: number(0),
  dynatemp_exponent: number(),
  top_k: integer(-1),
  top_p: number(0, 1),
  min_p: number(0, 1),
  top_n_sigma: number(),
  typical_p: number(0, 1),
  xtc_probability: number(0, 1),
  xtc_threshold: number(0, 1),
  repeat_last_n: integer(-1),
  repeat_penalty: number(0),
  presence_penalty: number(-100, 100),
  frequency_penalty: number(-100, 100),
  dry_multiplier: number(0),
  dry_base: number(),
  dry_allowed_length: integer(0),
  dry_penalty_last_n: integer(-1),
  dry_sequence_breakers: z.array(z.string().max(1000)).max(64).nullish(),
  mirostat: integer(0, 2),
  mirostat_tau: number(0),
  mirostat_eta: number(0),
  adaptive_target: number(),
  adaptive_decay: number(0, 1),
  min_keep: integer(0),
  samplers: z.array(z.string().max(50)).max(32).nullish(),
  logit_bias: logitBias.nullish(),
  ignore_eos: flag,
  grammar: z.string().nullish(),
  json_schema: jsonSchema.nullish(),
} as const;

/** Beyond such scales a model's numbers overflow. */
const adapterScale = z.strictObject({ id: z.number().int().min(0), scale: z.number().min(-100).max(100) });

/** What every generation takes beside how to sample. */
const generation = {
  ...sampling,
  stream: flag,
  stop: z.union([z.string(), z.array(z.string()).max(256)]).nullish(),
  n_keep: integer(-1),
  cache_prompt: flag,
  cache_salt: z.string().max(1000).nullish(),
  priority: integer(-(2 ** 31)),
  timeout_ms: number(1),
  t_max_predict_ms: number(0),
  return_progress: flag,
  timings_per_token: flag,
  lora: z.array(adapterScale).max(256).nullish(),
} as const;

const openai = {
  ...generation,
  ...harmless,
  ...refused,
  response_fields: only("is a field of /completion alone", empty),
  model: z.string().nullish(),
  n: integer(1, 128),
  stream_options: z.strictObject({ include_usage: flag, include_obfuscation: flag }).nullish(),
} as const;

// Clients send back what they were given, with null for what is not there and with what their own helpers have added.
const name = z.string().nullish();
const textPart = z.strictObject({
  type: z.literal("text"),
  text: z.string(),
  /** For servers that are told what to keep; here all is. */
  cache_control: z.unknown().optional(),
});
const refusalPart = z.strictObject({ type: z.literal("refusal"), refusal: z.string() });
const mediaPart = z.looseObject({ type: z.enum(["image_url", "input_audio", "file"]) });
const toolCall = z.looseObject({
  id: z.string(),
  type: z.literal("function"),
  function: z.object({
    name: z.string(),
    arguments: z.union([z.string(), z.record(z.string(), z.unknown())]),
  }),
});
const text = z.union([z.string(), z.array(textPart)]);

const message = z.discriminatedUnion("role", [
  z.strictObject({ role: z.literal("system"), content: text, name }),
  z.strictObject({ role: z.literal("developer"), content: text, name }),
  z.strictObject({
    role: z.literal("user"),
    content: z.union([z.string(), z.array(z.union([textPart, mediaPart]))]),
    name,
  }),
  z.strictObject({
    role: z.literal("assistant"),
    content: z.union([z.string(), z.array(z.union([textPart, refusalPart]))]).nullish(),
    name,
    refusal: z.string().nullish(),
    reasoning_content: z.string().nullish(),
    tool_calls: z.array(toolCall).nullish(),
    function_call: z.strictObject({ name: z.string(), arguments: z.string() }).nullish(),
    audio: only("audio is not supported"),
    annotations: z.array(z.unknown()).nullish(),
    parsed: z.unknown().optional(),
  }),
  z.strictObject({
    role: z.literal("tool"),
    content: text,
    tool_call_id: z.string(),
    name,
  }),
  z.strictObject({ role: z.literal("function"), content: z.string().nullable(), name: z.string() }),
]);

const chatShape = {
  ...openai,
  messages: z.array(message).min(1),
  max_tokens: integer(-1),
  max_completion_tokens: integer(-1),
  logprobs: flag,
  top_logprobs: integer(0, 20),
  chat_template_kwargs: z.record(z.string(), z.unknown()).nullish(),
  add_generation_prompt: flag,
  ...toolFields,
  response_format: responseFormat.nullish(),
  modalities: only('only ["text"] is supported', (value) => JSON.stringify(value) === '["text"]'),
  audio: only("audio is not supported"),
  reasoning_effort: z.string().max(50).nullish(),
  verbosity: only("is not supported", (value) => value === "medium"),
  web_search_options: only("is not supported"),
} as const;

export const chatRequest = z.strictObject(chatShape).meta({ id: "ChatCompletionRequest" });

export const completionRequest = z
  .strictObject({
    ...openai,
    prompt: z.union([
      z.string(),
      tokenIds,
      z
        .array(z.union([z.string(), tokenIds]))
        .min(1)
        .max(2048),
    ]),
    max_tokens: integer(-1),
    echo: flag,
    suffix: z.string().nullish(),
    logprobs: integer(0, 100),
    best_of: only("must be 1 or left out", (value) => value === 1),
  })
  .meta({ id: "CompletionRequest" });

export const embeddingRequest = z
  .strictObject({
    ...harmless,
    input: z.union([
      z.string(),
      tokenIds,
      z
        .array(z.union([z.string(), tokenIds]))
        .min(1)
        .max(2048),
    ]),
    model: z.string().nullish(),
    dimensions: z.number().int().min(1).optional(),
    encoding_format: z.enum(["float", "base64"]).optional(),
    timeout_ms: number(1),
    priority: integer(-(2 ** 31)),
  })
  .meta({ id: "EmbeddingRequest" });

/** Text and tokens, mixed. */
const mixedPrompt = z.array(z.union([z.string(), tokenId])).min(1);

export const nativeRequest = z
  .strictObject({
    ...generation,
    ...harmless,
    ...refused,
    prompt: z.union([
      z.string(),
      mixedPrompt,
      z
        .array(z.union([z.string(), mixedPrompt]))
        .min(1)
        .max(2048),
    ]),
    n_predict: integer(-2),
    max_tokens: integer(-2),
    n_probs: integer(0, 100),
    return_tokens: flag,
    response_fields: z.array(z.string().max(200)).max(100).nullish(),
    model: z.string().nullish(),
  })
  .meta({ id: "NativeCompletionRequest" });

export const tokenizeRequest = z
  .strictObject({
    content: z.union([z.string(), z.array(z.union([z.string(), tokenId]))]),
    add_special: flag,
    parse_special: flag,
    with_pieces: flag,
  })
  .meta({ id: "TokenizeRequest" });

export const detokenizeRequest = z
  .strictObject({ tokens: z.array(tokenId) })
  .meta({ id: "DetokenizeRequest" });

export const templateRequest = z
  .looseObject({
    messages: chatShape.messages,
    chat_template_kwargs: chatShape.chat_template_kwargs,
    add_generation_prompt: flag,
    lora: chatShape.lora,
  })
  .meta({ id: "ApplyTemplateRequest" });

/** llama-server's `/embedding`: OpenAI's, with the input under another name. */
export const nativeEmbeddingRequest = z
  .strictObject({
    content: embeddingRequest.shape.input.optional(),
    input: embeddingRequest.shape.input.optional(),
    embd_normalize: z.number().int().min(-1).max(32_767).optional(),
  })
  .refine(({ content, input }) => (content === undefined) !== (input === undefined), {
    message: "give content, or input",
    path: ["content"],
  })
  .meta({ id: "NativeEmbeddingRequest" });

export const slotRequest = z
  .strictObject({ filename: z.string().min(1).max(255) })
  .meta({ id: "SlotFileRequest" });

export const loraRequest = z.array(adapterScale).meta({ id: "LoraAdapters" });
