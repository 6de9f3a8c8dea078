/** Headers that are read, in the order of their dependencies. */
export const headerFiles = [
  "ggml/include/ggml.h",
  "ggml/include/ggml-backend.h",
  "ggml/include/ggml-cpu.h",
  "ggml/include/ggml-opt.h",
  "ggml/include/ggml-rpc.h",
  "include/llama.h",
];

/** Of llama.h every function is bound that is not deprecated; of ggml those that a user of llama.h needs. */
export const ggmlFunctions: readonly RegExp[] = [
  // Loading backends, and listing them with their devices and memory.
  /^ggml_backend_(load|unload|load_all|load_all_from_path|register|device_register)$/,
  /^ggml_backend_reg_(name|dev_count|dev_get|get_proc_address|count|get|by_name)$/,
  /^ggml_backend_dev_(name|description|memory|type|get_props|backend_reg|buffer_type|host_buffer_type|count|get|by_name|by_type)$/,
  /^ggml_backend_buft_(name|is_host|get_device)$/,
  // Where messages and fatal errors go.
  /^ggml_log_(get|set)$/,
  /^ggml_set_abort_callback$/,
  /^ggml_(version|commit)$/,
  /^ggml_time_(init|ms|us)$/,
  // Names and sizes of tensor types.
  /^ggml_(type_name|type_size|blck_size|row_size|is_quantized|ftype_to_ggml_type)$/,
  // Compute threads.
  /^ggml_threadpool_(params_\w+|new|free)$/,
  /^ggml_(numa_init|is_numa)$/,
  /^ggml_cpu_(has_|get_)/,
  // Remote devices, where the library was built with them.
  /^ggml_backend_rpc_(add_server|start_server)$/,
];

/** Structs that these functions take, return or point to. */
export const structNames = [
  "llama_model_params",
  "llama_context_params",
  "llama_batch",
  "llama_model_quantize_params",
  "llama_model_kv_override",
  "llama_model_tensor_buft_override",
  "llama_model_tensor_override",
  "llama_model_imatrix_data",
  "llama_token_data",
  "llama_token_data_array",
  "llama_logit_bias",
  "llama_chat_message",
  "llama_sampler_chain_params",
  "llama_sampler_seq_config",
  "llama_sampler_i",
  "llama_sampler",
  "llama_sampler_data",
  "llama_perf_context_data",
  "llama_perf_sampler_data",
  "llama_opt_params",
  "ggml_threadpool_params",
  "ggml_backend_dev_caps",
  "ggml_backend_dev_props",
  "ggml_backend_feature",
];

/** Enums of ggml that the API uses; of llama.h all are taken. */
export const ggmlEnums = [
  "ggml_type",
  "ggml_ftype",
  "ggml_status",
  "ggml_log_level",
  "ggml_numa_strategy",
  "ggml_sched_priority",
  "ggml_backend_dev_type",
  "ggml_opt_optimizer_type",
];

/** `#define`s worth having. */
export const constantPattern =
  /^(LLAMA_(DEFAULT_SEED|TOKEN_NULL|FILE_MAGIC_\w+|SESSION_VERSION|STATE_SEQ_(VERSION|FLAGS_\w+))|GGML_MAX_(DIMS|NAME|N_THREADS)|GGML_DEFAULT_N_THREADS|RPC_PROTO_\w+_VERSION)$/;

/** Which shared object exports a function; `test/ffi/header.test.ts` holds this against the library. */
export function libraryOf(name: string): string {
  if (name.startsWith("llama_")) return "llama";
  if (name.startsWith("ggml_backend_rpc_")) return "ggml-rpc";
  if (/^ggml_(cpu_|numa_init|is_numa|threadpool_(new|free))/.test(name)) return "ggml-cpu";
  if (
    /^ggml_backend_(load|unload|register|device_register|reg_(count|get|by_name)|dev_(count|get|by_name|by_type))/.test(
      name,
    )
  ) {
    return /^ggml_backend_(reg_get_proc_address|dev_get_props)$/.test(name) ? "ggml-base" : "ggml";
  }
  return "ggml-base";
}
