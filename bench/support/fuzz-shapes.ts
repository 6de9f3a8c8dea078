const schema = {
  type: "object",
  properties: {
    name: { type: "string", maxLength: 8, pattern: "^[a-z]+$" },
    age: { type: "integer", minimum: 0, maximum: 150 },
    tags: { type: "array", items: { enum: ["a", "b", null] }, maxItems: 2 },
    child: { anyOf: [{ $ref: "#" }, { type: "null" }] },
  },
  required: ["name"],
};

/** Parts of good requests that ask for an answer in a shape, to be spoilt. */
export const spoiltShapes = {
  schema,
  format: { response_format: { type: "json_schema", json_schema: { name: "x", schema, strict: false } } },
  tools: {
    tools: [{ type: "function", function: { name: "f", description: "d", parameters: schema } }],
    tool_choice: "auto",
    parallel_tool_calls: true,
  },
} as const;

/** Fields that a spoilt request may be given. */
export const fieldNames = `
  temperature top_p min_p top_k seed n stop stream max_tokens n_predict logprobs top_logprobs
  logit_bias grammar samplers lora mirostat dry_multiplier xtc_probability dry_sequence_breakers
  repeat_penalty repeat_last_n response_fields stream_options echo suffix n_probs n_keep id_slot
  cache_prompt cache_salt priority timeout_ms t_max_predict_ms chat_template_kwargs
  add_generation_prompt tools response_format metadata typical_p min_keep return_progress
  timings_per_token ignore_eos adaptive_target dynatemp_range top_n_sigma huh tool_choice json_schema functions
  reasoning_format reasoning_budget_tokens tool_format parallel_tool_calls
  type properties required items enum const pattern format anyOf allOf not $ref minimum maxLength multipleOf
`
  .trim()
  .split(/\s+/);
