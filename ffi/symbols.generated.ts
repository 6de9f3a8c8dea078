// Generated from the headers of llama.cpp v0.5.0 by scripts/generate-ffi.ts; do not edit.
import type { SymbolTable } from "./types.ts";

export const symbols = {
  /** ggml_abort_callback_t ggml_set_abort_callback(ggml_abort_callback_t callback); */
  ggml_set_abort_callback: { library: "ggml-base", returns: "ptr", args: ["ptr"] },
  /** const char * ggml_version(void); */
  ggml_version: { library: "ggml-base", returns: "ptr", args: [] },
  /** const char * ggml_commit(void); */
  ggml_commit: { library: "ggml-base", returns: "ptr", args: [] },
  /** void ggml_time_init(void); */
  ggml_time_init: { library: "ggml-base", returns: "void", args: [] },
  /** int64_t ggml_time_ms(void); */
  ggml_time_ms: { library: "ggml-base", returns: "i64", args: [] },
  /** int64_t ggml_time_us(void); */
  ggml_time_us: { library: "ggml-base", returns: "i64", args: [] },
  /** int64_t ggml_blck_size(enum ggml_type type); */
  ggml_blck_size: { library: "ggml-base", returns: "i64", args: ["i32"] },
  /** size_t ggml_type_size(enum ggml_type type); */
  ggml_type_size: { library: "ggml-base", returns: "usize", args: ["i32"] },
  /** size_t ggml_row_size(enum ggml_type type, int64_t ne); */
  ggml_row_size: { library: "ggml-base", returns: "usize", args: ["i32", "i64"] },
  /** const char * ggml_type_name(enum ggml_type type); */
  ggml_type_name: { library: "ggml-base", returns: "ptr", args: ["i32"] },
  /** bool ggml_is_quantized(enum ggml_type type); */
  ggml_is_quantized: { library: "ggml-base", returns: "bool", args: ["i32"] },
  /** enum ggml_type ggml_ftype_to_ggml_type(enum ggml_ftype ftype); */
  ggml_ftype_to_ggml_type: { library: "ggml-base", returns: "i32", args: ["i32"] },
  /** void ggml_log_get(ggml_log_callback * log_callback, void * * user_data); */
  ggml_log_get: { library: "ggml-base", returns: "void", args: ["ptr", "ptr"] },
  /** void ggml_log_set(ggml_log_callback log_callback, void * user_data); */
  ggml_log_set: { library: "ggml-base", returns: "void", args: ["ptr", "ptr"] },
  /** struct ggml_threadpool_params ggml_threadpool_params_default(int n_threads); */
  ggml_threadpool_params_default: { library: "ggml-base", returns: "struct ggml_threadpool_params", args: ["i32"] },
  /** void ggml_threadpool_params_init(struct ggml_threadpool_params * p, int n_threads); */
  ggml_threadpool_params_init: { library: "ggml-base", returns: "void", args: ["ptr", "i32"] },
  /** bool ggml_threadpool_params_match(const struct ggml_threadpool_params * p0, const struct ggml_threadpool_params * p1); */
  ggml_threadpool_params_match: { library: "ggml-base", returns: "bool", args: ["ptr", "ptr"] },
  /** const char * ggml_backend_buft_name(ggml_backend_buffer_type_t buft); */
  ggml_backend_buft_name: { library: "ggml-base", returns: "ptr", args: ["ptr"] },
  /** bool ggml_backend_buft_is_host(ggml_backend_buffer_type_t buft); */
  ggml_backend_buft_is_host: { library: "ggml-base", returns: "bool", args: ["ptr"] },
  /** ggml_backend_dev_t ggml_backend_buft_get_device(ggml_backend_buffer_type_t buft); */
  ggml_backend_buft_get_device: { library: "ggml-base", returns: "ptr", args: ["ptr"] },
  /** const char * ggml_backend_dev_name(ggml_backend_dev_t device); */
  ggml_backend_dev_name: { library: "ggml-base", returns: "ptr", args: ["ptr"] },
  /** const char * ggml_backend_dev_description(ggml_backend_dev_t device); */
  ggml_backend_dev_description: { library: "ggml-base", returns: "ptr", args: ["ptr"] },
  /** void ggml_backend_dev_memory(ggml_backend_dev_t device, size_t * free, size_t * total); */
  ggml_backend_dev_memory: { library: "ggml-base", returns: "void", args: ["ptr", "ptr", "ptr"] },
  /** enum ggml_backend_dev_type ggml_backend_dev_type(ggml_backend_dev_t device); */
  ggml_backend_dev_type: { library: "ggml-base", returns: "i32", args: ["ptr"] },
  /** void ggml_backend_dev_get_props(ggml_backend_dev_t device, struct ggml_backend_dev_props * props); */
  ggml_backend_dev_get_props: { library: "ggml-base", returns: "void", args: ["ptr", "ptr"] },
  /** ggml_backend_reg_t ggml_backend_dev_backend_reg(ggml_backend_dev_t device); */
  ggml_backend_dev_backend_reg: { library: "ggml-base", returns: "ptr", args: ["ptr"] },
  /** ggml_backend_buffer_type_t ggml_backend_dev_buffer_type(ggml_backend_dev_t device); */
  ggml_backend_dev_buffer_type: { library: "ggml-base", returns: "ptr", args: ["ptr"] },
  /** ggml_backend_buffer_type_t ggml_backend_dev_host_buffer_type(ggml_backend_dev_t device); */
  ggml_backend_dev_host_buffer_type: { library: "ggml-base", returns: "ptr", args: ["ptr"] },
  /** const char * ggml_backend_reg_name(ggml_backend_reg_t reg); */
  ggml_backend_reg_name: { library: "ggml-base", returns: "ptr", args: ["ptr"] },
  /** size_t ggml_backend_reg_dev_count(ggml_backend_reg_t reg); */
  ggml_backend_reg_dev_count: { library: "ggml-base", returns: "usize", args: ["ptr"] },
  /** ggml_backend_dev_t ggml_backend_reg_dev_get(ggml_backend_reg_t reg, size_t index); */
  ggml_backend_reg_dev_get: { library: "ggml-base", returns: "ptr", args: ["ptr", "usize"] },
  /** void * ggml_backend_reg_get_proc_address(ggml_backend_reg_t reg, const char * name); */
  ggml_backend_reg_get_proc_address: { library: "ggml-base", returns: "ptr", args: ["ptr", "ptr"] },
  /** void ggml_backend_register(ggml_backend_reg_t reg); */
  ggml_backend_register: { library: "ggml", returns: "void", args: ["ptr"] },
  /** void ggml_backend_device_register(ggml_backend_dev_t device); */
  ggml_backend_device_register: { library: "ggml", returns: "void", args: ["ptr"] },
  /** size_t ggml_backend_reg_count(void); */
  ggml_backend_reg_count: { library: "ggml", returns: "usize", args: [] },
  /** ggml_backend_reg_t ggml_backend_reg_get(size_t index); */
  ggml_backend_reg_get: { library: "ggml", returns: "ptr", args: ["usize"] },
  /** ggml_backend_reg_t ggml_backend_reg_by_name(const char * name); */
  ggml_backend_reg_by_name: { library: "ggml", returns: "ptr", args: ["ptr"] },
  /** size_t ggml_backend_dev_count(void); */
  ggml_backend_dev_count: { library: "ggml", returns: "usize", args: [] },
  /** ggml_backend_dev_t ggml_backend_dev_get(size_t index); */
  ggml_backend_dev_get: { library: "ggml", returns: "ptr", args: ["usize"] },
  /** ggml_backend_dev_t ggml_backend_dev_by_name(const char * name); */
  ggml_backend_dev_by_name: { library: "ggml", returns: "ptr", args: ["ptr"] },
  /** ggml_backend_dev_t ggml_backend_dev_by_type(enum ggml_backend_dev_type type); */
  ggml_backend_dev_by_type: { library: "ggml", returns: "ptr", args: ["i32"] },
  /** ggml_backend_reg_t ggml_backend_load(const char * path); */
  ggml_backend_load: { library: "ggml", returns: "ptr", args: ["ptr"] },
  /** void ggml_backend_unload(ggml_backend_reg_t reg); */
  ggml_backend_unload: { library: "ggml", returns: "void", args: ["ptr"] },
  /** void ggml_backend_load_all(void); */
  ggml_backend_load_all: { library: "ggml", returns: "void", args: [] },
  /** void ggml_backend_load_all_from_path(const char * dir_path); */
  ggml_backend_load_all_from_path: { library: "ggml", returns: "void", args: ["ptr"] },
  /** void ggml_numa_init(enum ggml_numa_strategy numa); */
  ggml_numa_init: { library: "ggml-cpu", returns: "void", args: ["i32"] },
  /** bool ggml_is_numa(void); */
  ggml_is_numa: { library: "ggml-cpu", returns: "bool", args: [] },
  /** struct ggml_threadpool * ggml_threadpool_new(struct ggml_threadpool_params * params); */
  ggml_threadpool_new: { library: "ggml-cpu", returns: "ptr", args: ["ptr"] },
  /** void ggml_threadpool_free(struct ggml_threadpool * threadpool); */
  ggml_threadpool_free: { library: "ggml-cpu", returns: "void", args: ["ptr"] },
  /** int ggml_cpu_has_sse3(void); */
  ggml_cpu_has_sse3: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_ssse3(void); */
  ggml_cpu_has_ssse3: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_avx(void); */
  ggml_cpu_has_avx: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_avx_vnni(void); */
  ggml_cpu_has_avx_vnni: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_avx2(void); */
  ggml_cpu_has_avx2: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_bmi2(void); */
  ggml_cpu_has_bmi2: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_f16c(void); */
  ggml_cpu_has_f16c: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_fma(void); */
  ggml_cpu_has_fma: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_avx512(void); */
  ggml_cpu_has_avx512: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_avx512_vbmi(void); */
  ggml_cpu_has_avx512_vbmi: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_avx512_vnni(void); */
  ggml_cpu_has_avx512_vnni: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_avx512_bf16(void); */
  ggml_cpu_has_avx512_bf16: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_amx_int8(void); */
  ggml_cpu_has_amx_int8: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_neon(void); */
  ggml_cpu_has_neon: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_arm_fma(void); */
  ggml_cpu_has_arm_fma: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_fp16_va(void); */
  ggml_cpu_has_fp16_va: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_dotprod(void); */
  ggml_cpu_has_dotprod: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_matmul_int8(void); */
  ggml_cpu_has_matmul_int8: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_sve(void); */
  ggml_cpu_has_sve: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_get_sve_cnt(void); */
  ggml_cpu_get_sve_cnt: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_sme(void); */
  ggml_cpu_has_sme: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_sme2(void); */
  ggml_cpu_has_sme2: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_riscv_v(void); */
  ggml_cpu_has_riscv_v: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_get_rvv_vlen(void); */
  ggml_cpu_get_rvv_vlen: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_vsx(void); */
  ggml_cpu_has_vsx: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_vxe(void); */
  ggml_cpu_has_vxe: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_wasm_simd(void); */
  ggml_cpu_has_wasm_simd: { library: "ggml-cpu", returns: "i32", args: [] },
  /** int ggml_cpu_has_llamafile(void); */
  ggml_cpu_has_llamafile: { library: "ggml-cpu", returns: "i32", args: [] },
  /** void ggml_backend_rpc_start_server(const char * endpoint, const char * cache_dir, size_t n_threads, size_t n_devices, ggml_backend_dev_t * devices); */
  ggml_backend_rpc_start_server: { library: "ggml-rpc", returns: "void", args: ["ptr", "ptr", "usize", "usize", "ptr"] },
  /** ggml_backend_reg_t ggml_backend_rpc_add_server(const char * endpoint); */
  ggml_backend_rpc_add_server: { library: "ggml-rpc", returns: "ptr", args: ["ptr"] },
  /** const char * llama_ftype_name(enum llama_ftype ftype); */
  llama_ftype_name: { library: "llama", returns: "ptr", args: ["i32"] },
  /** const char * llama_flash_attn_type_name(enum llama_flash_attn_type flash_attn_type); */
  llama_flash_attn_type_name: { library: "llama", returns: "ptr", args: ["i32"] },
  /** const char * llama_load_mode_name(enum llama_load_mode load_mode); */
  llama_load_mode_name: { library: "llama", returns: "ptr", args: ["i32"] },
  /** enum llama_load_mode llama_load_mode_from_str(const char * str); */
  llama_load_mode_from_str: { library: "llama", returns: "i32", args: ["ptr"] },
  /** const char * llama_version(void); */
  llama_version: { library: "llama", returns: "ptr", args: [] },
  /** struct llama_model_params llama_model_default_params(void); */
  llama_model_default_params: { library: "llama", returns: "struct llama_model_params", args: [] },
  /** struct llama_context_params llama_context_default_params(void); */
  llama_context_default_params: { library: "llama", returns: "struct llama_context_params", args: [] },
  /** struct llama_sampler_chain_params llama_sampler_chain_default_params(void); */
  llama_sampler_chain_default_params: { library: "llama", returns: "struct llama_sampler_chain_params", args: [] },
  /** struct llama_model_quantize_params llama_model_quantize_default_params(void); */
  llama_model_quantize_default_params: { library: "llama", returns: "struct llama_model_quantize_params", args: [] },
  /** void llama_backend_init(void); */
  llama_backend_init: { library: "llama", returns: "void", args: [] },
  /** void llama_backend_free(void); */
  llama_backend_free: { library: "llama", returns: "void", args: [] },
  /** void llama_numa_init(enum ggml_numa_strategy numa); */
  llama_numa_init: { library: "llama", returns: "void", args: ["i32"] },
  /** void llama_attach_threadpool(struct llama_context * ctx, ggml_threadpool_t threadpool, ggml_threadpool_t threadpool_batch); */
  llama_attach_threadpool: { library: "llama", returns: "void", args: ["ptr", "ptr", "ptr"] },
  /** void llama_detach_threadpool(struct llama_context * ctx); */
  llama_detach_threadpool: { library: "llama", returns: "void", args: ["ptr"] },
  /** struct llama_model * llama_model_init_from_user(struct gguf_context * metadata, llama_model_set_tensor_data_t set_tensor_data, void * set_tensor_data_ud, struct llama_model_params params); */
  llama_model_init_from_user: { library: "llama", returns: "ptr", args: ["ptr", "ptr", "ptr", "struct llama_model_params"] },
  /** struct llama_model * llama_model_load_from_file(const char * path_model, struct llama_model_params params); */
  llama_model_load_from_file: { library: "llama", returns: "ptr", args: ["ptr", "struct llama_model_params"] },
  /** struct llama_model * llama_model_load_from_file_ptr(FILE * file, struct llama_model_params params); */
  llama_model_load_from_file_ptr: { library: "llama", returns: "ptr", args: ["ptr", "struct llama_model_params"] },
  /** struct llama_model * llama_model_load_from_splits(const char * * paths, size_t n_paths, struct llama_model_params params); */
  llama_model_load_from_splits: { library: "llama", returns: "ptr", args: ["ptr", "usize", "struct llama_model_params"] },
  /** void llama_model_save_to_file(const struct llama_model * model, const char * path_model); */
  llama_model_save_to_file: { library: "llama", returns: "void", args: ["ptr", "ptr"] },
  /** void llama_model_free(struct llama_model * model); */
  llama_model_free: { library: "llama", returns: "void", args: ["ptr"] },
  /** struct llama_context * llama_init_from_model(struct llama_model * model, struct llama_context_params params); */
  llama_init_from_model: { library: "llama", returns: "ptr", args: ["ptr", "struct llama_context_params"] },
  /** void llama_free(struct llama_context * ctx); */
  llama_free: { library: "llama", returns: "void", args: ["ptr"] },
  /** int64_t llama_time_us(void); */
  llama_time_us: { library: "llama", returns: "i64", args: [] },
  /** size_t llama_max_devices(void); */
  llama_max_devices: { library: "llama", returns: "usize", args: [] },
  /** size_t llama_max_parallel_sequences(void); */
  llama_max_parallel_sequences: { library: "llama", returns: "usize", args: [] },
  /** size_t llama_max_tensor_buft_overrides(void); */
  llama_max_tensor_buft_overrides: { library: "llama", returns: "usize", args: [] },
  /** bool llama_supports_mmap(void); */
  llama_supports_mmap: { library: "llama", returns: "bool", args: [] },
  /** bool llama_supports_mlock(void); */
  llama_supports_mlock: { library: "llama", returns: "bool", args: [] },
  /** bool llama_supports_gpu_offload(void); */
  llama_supports_gpu_offload: { library: "llama", returns: "bool", args: [] },
  /** bool llama_supports_rpc(void); */
  llama_supports_rpc: { library: "llama", returns: "bool", args: [] },
  /** uint32_t llama_n_ctx(const struct llama_context * ctx); */
  llama_n_ctx: { library: "llama", returns: "u32", args: ["ptr"] },
  /** uint32_t llama_n_ctx_seq(const struct llama_context * ctx); */
  llama_n_ctx_seq: { library: "llama", returns: "u32", args: ["ptr"] },
  /** uint32_t llama_n_batch(const struct llama_context * ctx); */
  llama_n_batch: { library: "llama", returns: "u32", args: ["ptr"] },
  /** uint32_t llama_n_ubatch(const struct llama_context * ctx); */
  llama_n_ubatch: { library: "llama", returns: "u32", args: ["ptr"] },
  /** uint32_t llama_n_seq_max(const struct llama_context * ctx); */
  llama_n_seq_max: { library: "llama", returns: "u32", args: ["ptr"] },
  /** uint32_t llama_n_rs_seq(const struct llama_context * ctx); */
  llama_n_rs_seq: { library: "llama", returns: "u32", args: ["ptr"] },
  /** const struct llama_model * llama_get_model(const struct llama_context * ctx); */
  llama_get_model: { library: "llama", returns: "ptr", args: ["ptr"] },
  /** llama_memory_t llama_get_memory(const struct llama_context * ctx); */
  llama_get_memory: { library: "llama", returns: "ptr", args: ["ptr"] },
  /** enum llama_pooling_type llama_pooling_type(const struct llama_context * ctx); */
  llama_pooling_type: { library: "llama", returns: "i32", args: ["ptr"] },
  /** const struct llama_vocab * llama_model_get_vocab(const struct llama_model * model); */
  llama_model_get_vocab: { library: "llama", returns: "ptr", args: ["ptr"] },
  /** enum llama_rope_type llama_model_rope_type(const struct llama_model * model); */
  llama_model_rope_type: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_n_ctx_train(const struct llama_model * model); */
  llama_model_n_ctx_train: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_n_embd(const struct llama_model * model); */
  llama_model_n_embd: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_n_embd_inp(const struct llama_model * model); */
  llama_model_n_embd_inp: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_n_embd_out(const struct llama_model * model); */
  llama_model_n_embd_out: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_n_layer(const struct llama_model * model); */
  llama_model_n_layer: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_n_layer_nextn(const struct llama_model * model); */
  llama_model_n_layer_nextn: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_n_head(const struct llama_model * model); */
  llama_model_n_head: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_n_head_kv(const struct llama_model * model); */
  llama_model_n_head_kv: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_n_swa(const struct llama_model * model); */
  llama_model_n_swa: { library: "llama", returns: "i32", args: ["ptr"] },
  /** float llama_model_rope_freq_scale_train(const struct llama_model * model); */
  llama_model_rope_freq_scale_train: { library: "llama", returns: "f32", args: ["ptr"] },
  /** uint32_t llama_model_n_cls_out(const struct llama_model * model); */
  llama_model_n_cls_out: { library: "llama", returns: "u32", args: ["ptr"] },
  /** const char * llama_model_cls_label(const struct llama_model * model, uint32_t i); */
  llama_model_cls_label: { library: "llama", returns: "ptr", args: ["ptr", "u32"] },
  /** enum llama_vocab_type llama_vocab_type(const struct llama_vocab * vocab); */
  llama_vocab_type: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_vocab_n_tokens(const struct llama_vocab * vocab); */
  llama_vocab_n_tokens: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_model_meta_val_str(const struct llama_model * model, const char * key, char * buf, size_t buf_size); */
  llama_model_meta_val_str: { library: "llama", returns: "i32", args: ["ptr", "ptr", "ptr", "usize"] },
  /** int32_t llama_model_meta_count(const struct llama_model * model); */
  llama_model_meta_count: { library: "llama", returns: "i32", args: ["ptr"] },
  /** const char * llama_model_meta_key_str(enum llama_model_meta_key key); */
  llama_model_meta_key_str: { library: "llama", returns: "ptr", args: ["i32"] },
  /** int32_t llama_model_meta_key_by_index(const struct llama_model * model, int32_t i, char * buf, size_t buf_size); */
  llama_model_meta_key_by_index: { library: "llama", returns: "i32", args: ["ptr", "i32", "ptr", "usize"] },
  /** int32_t llama_model_meta_val_str_by_index(const struct llama_model * model, int32_t i, char * buf, size_t buf_size); */
  llama_model_meta_val_str_by_index: { library: "llama", returns: "i32", args: ["ptr", "i32", "ptr", "usize"] },
  /** int32_t llama_model_desc(const struct llama_model * model, char * buf, size_t buf_size); */
  llama_model_desc: { library: "llama", returns: "i32", args: ["ptr", "ptr", "usize"] },
  /** enum llama_ftype llama_model_ftype(const struct llama_model * model); */
  llama_model_ftype: { library: "llama", returns: "i32", args: ["ptr"] },
  /** uint64_t llama_model_size(const struct llama_model * model); */
  llama_model_size: { library: "llama", returns: "u64", args: ["ptr"] },
  /** const char * llama_model_chat_template(const struct llama_model * model, const char * name); */
  llama_model_chat_template: { library: "llama", returns: "ptr", args: ["ptr", "ptr"] },
  /** uint64_t llama_model_n_params(const struct llama_model * model); */
  llama_model_n_params: { library: "llama", returns: "u64", args: ["ptr"] },
  /** bool llama_model_has_encoder(const struct llama_model * model); */
  llama_model_has_encoder: { library: "llama", returns: "bool", args: ["ptr"] },
  /** bool llama_model_has_decoder(const struct llama_model * model); */
  llama_model_has_decoder: { library: "llama", returns: "bool", args: ["ptr"] },
  /** llama_token llama_model_decoder_start_token(const struct llama_model * model); */
  llama_model_decoder_start_token: { library: "llama", returns: "i32", args: ["ptr"] },
  /** bool llama_model_is_recurrent(const struct llama_model * model); */
  llama_model_is_recurrent: { library: "llama", returns: "bool", args: ["ptr"] },
  /** bool llama_model_is_hybrid(const struct llama_model * model); */
  llama_model_is_hybrid: { library: "llama", returns: "bool", args: ["ptr"] },
  /** bool llama_model_is_diffusion(const struct llama_model * model); */
  llama_model_is_diffusion: { library: "llama", returns: "bool", args: ["ptr"] },
  /** uint32_t llama_model_quantize(const char * fname_inp, const char * fname_out, const llama_model_quantize_params * params); */
  llama_model_quantize: { library: "llama", returns: "u32", args: ["ptr", "ptr", "ptr"] },
  /** struct llama_adapter_lora * llama_adapter_lora_init(struct llama_model * model, const char * path_lora); */
  llama_adapter_lora_init: { library: "llama", returns: "ptr", args: ["ptr", "ptr"] },
  /** struct llama_adapter_lora * llama_adapter_lora_init_from_file_ptr(struct llama_model * model, FILE * file); */
  llama_adapter_lora_init_from_file_ptr: { library: "llama", returns: "ptr", args: ["ptr", "ptr"] },
  /** int32_t llama_adapter_meta_val_str(const struct llama_adapter_lora * adapter, const char * key, char * buf, size_t buf_size); */
  llama_adapter_meta_val_str: { library: "llama", returns: "i32", args: ["ptr", "ptr", "ptr", "usize"] },
  /** int32_t llama_adapter_meta_count(const struct llama_adapter_lora * adapter); */
  llama_adapter_meta_count: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_adapter_meta_key_by_index(const struct llama_adapter_lora * adapter, int32_t i, char * buf, size_t buf_size); */
  llama_adapter_meta_key_by_index: { library: "llama", returns: "i32", args: ["ptr", "i32", "ptr", "usize"] },
  /** int32_t llama_adapter_meta_val_str_by_index(const struct llama_adapter_lora * adapter, int32_t i, char * buf, size_t buf_size); */
  llama_adapter_meta_val_str_by_index: { library: "llama", returns: "i32", args: ["ptr", "i32", "ptr", "usize"] },
  /** void llama_adapter_lora_free(struct llama_adapter_lora * adapter); */
  llama_adapter_lora_free: { library: "llama", returns: "void", args: ["ptr"] },
  /** uint64_t llama_adapter_get_alora_n_invocation_tokens(const struct llama_adapter_lora * adapter); */
  llama_adapter_get_alora_n_invocation_tokens: { library: "llama", returns: "u64", args: ["ptr"] },
  /** const llama_token * llama_adapter_get_alora_invocation_tokens(const struct llama_adapter_lora * adapter); */
  llama_adapter_get_alora_invocation_tokens: { library: "llama", returns: "ptr", args: ["ptr"] },
  /** int32_t llama_set_adapters_lora(struct llama_context * ctx, struct llama_adapter_lora * * adapters, size_t n_adapters, float * scales); */
  llama_set_adapters_lora: { library: "llama", returns: "i32", args: ["ptr", "ptr", "usize", "ptr"] },
  /** int32_t llama_set_adapter_cvec(struct llama_context * ctx, const float * data, size_t len, int32_t n_embd, int32_t il_start, int32_t il_end); */
  llama_set_adapter_cvec: { library: "llama", returns: "i32", args: ["ptr", "ptr", "usize", "i32", "i32", "i32"] },
  /** void llama_memory_clear(llama_memory_t mem, bool data); */
  llama_memory_clear: { library: "llama", returns: "void", args: ["ptr", "bool"] },
  /** bool llama_memory_seq_rm(llama_memory_t mem, llama_seq_id seq_id, llama_pos p0, llama_pos p1); */
  llama_memory_seq_rm: { library: "llama", returns: "bool", args: ["ptr", "i32", "i32", "i32"] },
  /** void llama_memory_seq_cp(llama_memory_t mem, llama_seq_id seq_id_src, llama_seq_id seq_id_dst, llama_pos p0, llama_pos p1); */
  llama_memory_seq_cp: { library: "llama", returns: "void", args: ["ptr", "i32", "i32", "i32", "i32"] },
  /** void llama_memory_seq_keep(llama_memory_t mem, llama_seq_id seq_id); */
  llama_memory_seq_keep: { library: "llama", returns: "void", args: ["ptr", "i32"] },
  /** void llama_memory_seq_add(llama_memory_t mem, llama_seq_id seq_id, llama_pos p0, llama_pos p1, llama_pos delta); */
  llama_memory_seq_add: { library: "llama", returns: "void", args: ["ptr", "i32", "i32", "i32", "i32"] },
  /** void llama_memory_seq_div(llama_memory_t mem, llama_seq_id seq_id, llama_pos p0, llama_pos p1, int d); */
  llama_memory_seq_div: { library: "llama", returns: "void", args: ["ptr", "i32", "i32", "i32", "i32"] },
  /** llama_pos llama_memory_seq_pos_min(llama_memory_t mem, llama_seq_id seq_id); */
  llama_memory_seq_pos_min: { library: "llama", returns: "i32", args: ["ptr", "i32"] },
  /** llama_pos llama_memory_seq_pos_max(llama_memory_t mem, llama_seq_id seq_id); */
  llama_memory_seq_pos_max: { library: "llama", returns: "i32", args: ["ptr", "i32"] },
  /** bool llama_memory_can_shift(llama_memory_t mem); */
  llama_memory_can_shift: { library: "llama", returns: "bool", args: ["ptr"] },
  /** size_t llama_state_get_size(struct llama_context * ctx); */
  llama_state_get_size: { library: "llama", returns: "usize", args: ["ptr"] },
  /** size_t llama_state_get_data(struct llama_context * ctx, uint8_t * dst, size_t size); */
  llama_state_get_data: { library: "llama", returns: "usize", args: ["ptr", "ptr", "usize"] },
  /** size_t llama_state_set_data(struct llama_context * ctx, const uint8_t * src, size_t size); */
  llama_state_set_data: { library: "llama", returns: "usize", args: ["ptr", "ptr", "usize"] },
  /** bool llama_state_load_file(struct llama_context * ctx, const char * path_session, llama_token * tokens_out, size_t n_token_capacity, size_t * n_token_count_out); */
  llama_state_load_file: { library: "llama", returns: "bool", args: ["ptr", "ptr", "ptr", "usize", "ptr"] },
  /** bool llama_state_save_file(struct llama_context * ctx, const char * path_session, const llama_token * tokens, size_t n_token_count); */
  llama_state_save_file: { library: "llama", returns: "bool", args: ["ptr", "ptr", "ptr", "usize"] },
  /** size_t llama_state_seq_get_size(struct llama_context * ctx, llama_seq_id seq_id); */
  llama_state_seq_get_size: { library: "llama", returns: "usize", args: ["ptr", "i32"] },
  /** size_t llama_state_seq_get_data(struct llama_context * ctx, uint8_t * dst, size_t size, llama_seq_id seq_id); */
  llama_state_seq_get_data: { library: "llama", returns: "usize", args: ["ptr", "ptr", "usize", "i32"] },
  /** size_t llama_state_seq_set_data(struct llama_context * ctx, const uint8_t * src, size_t size, llama_seq_id dest_seq_id); */
  llama_state_seq_set_data: { library: "llama", returns: "usize", args: ["ptr", "ptr", "usize", "i32"] },
  /** size_t llama_state_seq_save_file(struct llama_context * ctx, const char * filepath, llama_seq_id seq_id, const llama_token * tokens, size_t n_token_count); */
  llama_state_seq_save_file: { library: "llama", returns: "usize", args: ["ptr", "ptr", "i32", "ptr", "usize"] },
  /** size_t llama_state_seq_load_file(struct llama_context * ctx, const char * filepath, llama_seq_id dest_seq_id, llama_token * tokens_out, size_t n_token_capacity, size_t * n_token_count_out); */
  llama_state_seq_load_file: { library: "llama", returns: "usize", args: ["ptr", "ptr", "i32", "ptr", "usize", "ptr"] },
  /** size_t llama_state_seq_get_size_ext(struct llama_context * ctx, llama_seq_id seq_id, llama_state_seq_flags flags); */
  llama_state_seq_get_size_ext: { library: "llama", returns: "usize", args: ["ptr", "i32", "u32"] },
  /** size_t llama_state_seq_get_data_ext(struct llama_context * ctx, uint8_t * dst, size_t size, llama_seq_id seq_id, llama_state_seq_flags flags); */
  llama_state_seq_get_data_ext: { library: "llama", returns: "usize", args: ["ptr", "ptr", "usize", "i32", "u32"] },
  /** size_t llama_state_seq_set_data_ext(struct llama_context * ctx, const uint8_t * src, size_t size, llama_seq_id dest_seq_id, llama_state_seq_flags flags); */
  llama_state_seq_set_data_ext: { library: "llama", returns: "usize", args: ["ptr", "ptr", "usize", "i32", "u32"] },
  /** struct llama_batch llama_batch_get_one(llama_token * tokens, int32_t n_tokens); */
  llama_batch_get_one: { library: "llama", returns: "struct llama_batch", args: ["ptr", "i32"] },
  /** struct llama_batch llama_batch_init(int32_t n_tokens, int32_t embd, int32_t n_seq_max); */
  llama_batch_init: { library: "llama", returns: "struct llama_batch", args: ["i32", "i32", "i32"] },
  /** void llama_batch_free(struct llama_batch batch); */
  llama_batch_free: { library: "llama", returns: "void", args: ["struct llama_batch"] },
  /** int32_t llama_encode(struct llama_context * ctx, struct llama_batch batch); */
  llama_encode: { library: "llama", returns: "i32", args: ["ptr", "struct llama_batch"] },
  /** int32_t llama_decode(struct llama_context * ctx, struct llama_batch batch); */
  llama_decode: { library: "llama", returns: "i32", args: ["ptr", "struct llama_batch"] },
  /** void llama_set_n_threads(struct llama_context * ctx, int32_t n_threads, int32_t n_threads_batch); */
  llama_set_n_threads: { library: "llama", returns: "void", args: ["ptr", "i32", "i32"] },
  /** int32_t llama_n_threads(struct llama_context * ctx); */
  llama_n_threads: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_n_threads_batch(struct llama_context * ctx); */
  llama_n_threads_batch: { library: "llama", returns: "i32", args: ["ptr"] },
  /** void llama_set_embeddings(struct llama_context * ctx, bool embeddings); */
  llama_set_embeddings: { library: "llama", returns: "void", args: ["ptr", "bool"] },
  /** void llama_set_causal_attn(struct llama_context * ctx, bool causal_attn); */
  llama_set_causal_attn: { library: "llama", returns: "void", args: ["ptr", "bool"] },
  /** void llama_set_abort_callback(struct llama_context * ctx, ggml_abort_callback abort_callback, void * abort_callback_data); */
  llama_set_abort_callback: { library: "llama", returns: "void", args: ["ptr", "ptr", "ptr"] },
  /** void llama_synchronize(struct llama_context * ctx); */
  llama_synchronize: { library: "llama", returns: "void", args: ["ptr"] },
  /** float * llama_get_logits(struct llama_context * ctx); */
  llama_get_logits: { library: "llama", returns: "ptr", args: ["ptr"] },
  /** float * llama_get_logits_ith(struct llama_context * ctx, int32_t i); */
  llama_get_logits_ith: { library: "llama", returns: "ptr", args: ["ptr", "i32"] },
  /** float * llama_get_embeddings(struct llama_context * ctx); */
  llama_get_embeddings: { library: "llama", returns: "ptr", args: ["ptr"] },
  /** float * llama_get_embeddings_ith(struct llama_context * ctx, int32_t i); */
  llama_get_embeddings_ith: { library: "llama", returns: "ptr", args: ["ptr", "i32"] },
  /** float * llama_get_embeddings_seq(struct llama_context * ctx, llama_seq_id seq_id); */
  llama_get_embeddings_seq: { library: "llama", returns: "ptr", args: ["ptr", "i32"] },
  /** llama_token llama_get_sampled_token_ith(struct llama_context * ctx, int32_t i); */
  llama_get_sampled_token_ith: { library: "llama", returns: "i32", args: ["ptr", "i32"] },
  /** float * llama_get_sampled_probs_ith(struct llama_context * ctx, int32_t i); */
  llama_get_sampled_probs_ith: { library: "llama", returns: "ptr", args: ["ptr", "i32"] },
  /** uint32_t llama_get_sampled_probs_count_ith(struct llama_context * ctx, int32_t i); */
  llama_get_sampled_probs_count_ith: { library: "llama", returns: "u32", args: ["ptr", "i32"] },
  /** float * llama_get_sampled_logits_ith(struct llama_context * ctx, int32_t i); */
  llama_get_sampled_logits_ith: { library: "llama", returns: "ptr", args: ["ptr", "i32"] },
  /** uint32_t llama_get_sampled_logits_count_ith(struct llama_context * ctx, int32_t i); */
  llama_get_sampled_logits_count_ith: { library: "llama", returns: "u32", args: ["ptr", "i32"] },
  /** llama_token * llama_get_sampled_candidates_ith(struct llama_context * ctx, int32_t i); */
  llama_get_sampled_candidates_ith: { library: "llama", returns: "ptr", args: ["ptr", "i32"] },
  /** uint32_t llama_get_sampled_candidates_count_ith(struct llama_context * ctx, int32_t i); */
  llama_get_sampled_candidates_count_ith: { library: "llama", returns: "u32", args: ["ptr", "i32"] },
  /** const char * llama_vocab_get_text(const struct llama_vocab * vocab, llama_token token); */
  llama_vocab_get_text: { library: "llama", returns: "ptr", args: ["ptr", "i32"] },
  /** float llama_vocab_get_score(const struct llama_vocab * vocab, llama_token token); */
  llama_vocab_get_score: { library: "llama", returns: "f32", args: ["ptr", "i32"] },
  /** enum llama_token_attr llama_vocab_get_attr(const struct llama_vocab * vocab, llama_token token); */
  llama_vocab_get_attr: { library: "llama", returns: "i32", args: ["ptr", "i32"] },
  /** bool llama_vocab_is_eog(const struct llama_vocab * vocab, llama_token token); */
  llama_vocab_is_eog: { library: "llama", returns: "bool", args: ["ptr", "i32"] },
  /** bool llama_vocab_is_control(const struct llama_vocab * vocab, llama_token token); */
  llama_vocab_is_control: { library: "llama", returns: "bool", args: ["ptr", "i32"] },
  /** llama_token llama_vocab_bos(const struct llama_vocab * vocab); */
  llama_vocab_bos: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_eos(const struct llama_vocab * vocab); */
  llama_vocab_eos: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_eot(const struct llama_vocab * vocab); */
  llama_vocab_eot: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_sep(const struct llama_vocab * vocab); */
  llama_vocab_sep: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_nl(const struct llama_vocab * vocab); */
  llama_vocab_nl: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_pad(const struct llama_vocab * vocab); */
  llama_vocab_pad: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_mask(const struct llama_vocab * vocab); */
  llama_vocab_mask: { library: "llama", returns: "i32", args: ["ptr"] },
  /** bool llama_vocab_get_add_bos(const struct llama_vocab * vocab); */
  llama_vocab_get_add_bos: { library: "llama", returns: "bool", args: ["ptr"] },
  /** bool llama_vocab_get_add_eos(const struct llama_vocab * vocab); */
  llama_vocab_get_add_eos: { library: "llama", returns: "bool", args: ["ptr"] },
  /** bool llama_vocab_get_add_sep(const struct llama_vocab * vocab); */
  llama_vocab_get_add_sep: { library: "llama", returns: "bool", args: ["ptr"] },
  /** const llama_token * llama_vocab_get_suppress_tokens(const struct llama_vocab * vocab, int32_t * n_suppress_tokens); */
  llama_vocab_get_suppress_tokens: { library: "llama", returns: "ptr", args: ["ptr", "ptr"] },
  /** llama_token llama_vocab_fim_pre(const struct llama_vocab * vocab); */
  llama_vocab_fim_pre: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_fim_suf(const struct llama_vocab * vocab); */
  llama_vocab_fim_suf: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_fim_mid(const struct llama_vocab * vocab); */
  llama_vocab_fim_mid: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_fim_pad(const struct llama_vocab * vocab); */
  llama_vocab_fim_pad: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_fim_rep(const struct llama_vocab * vocab); */
  llama_vocab_fim_rep: { library: "llama", returns: "i32", args: ["ptr"] },
  /** llama_token llama_vocab_fim_sep(const struct llama_vocab * vocab); */
  llama_vocab_fim_sep: { library: "llama", returns: "i32", args: ["ptr"] },
  /** int32_t llama_tokenize(const struct llama_vocab * vocab, const char * text, int32_t text_len, llama_token * tokens, int32_t n_tokens_max, bool add_special, bool parse_special); */
  llama_tokenize: { library: "llama", returns: "i32", args: ["ptr", "ptr", "i32", "ptr", "i32", "bool", "bool"] },
  /** int32_t llama_token_to_piece(const struct llama_vocab * vocab, llama_token token, char * buf, int32_t length, int32_t lstrip, bool special); */
  llama_token_to_piece: { library: "llama", returns: "i32", args: ["ptr", "i32", "ptr", "i32", "i32", "bool"] },
  /** int32_t llama_detokenize(const struct llama_vocab * vocab, const llama_token * tokens, int32_t n_tokens, char * text, int32_t text_len_max, bool remove_special, bool unparse_special); */
  llama_detokenize: { library: "llama", returns: "i32", args: ["ptr", "ptr", "i32", "ptr", "i32", "bool", "bool"] },
  /** int32_t llama_chat_apply_template(const char * tmpl, const struct llama_chat_message * chat, size_t n_msg, bool add_ass, char * buf, int32_t length); */
  llama_chat_apply_template: { library: "llama", returns: "i32", args: ["ptr", "ptr", "usize", "bool", "ptr", "i32"] },
  /** int32_t llama_chat_builtin_templates(const char * * output, size_t len); */
  llama_chat_builtin_templates: { library: "llama", returns: "i32", args: ["ptr", "usize"] },
  /** bool llama_set_sampler(struct llama_context * ctx, llama_seq_id seq_id, struct llama_sampler * smpl); */
  llama_set_sampler: { library: "llama", returns: "bool", args: ["ptr", "i32", "ptr"] },
  /** struct llama_sampler * llama_sampler_init(struct llama_sampler_i * iface, llama_sampler_context_t ctx); */
  llama_sampler_init: { library: "llama", returns: "ptr", args: ["ptr", "ptr"] },
  /** const char * llama_sampler_name(const struct llama_sampler * smpl); */
  llama_sampler_name: { library: "llama", returns: "ptr", args: ["ptr"] },
  /** void llama_sampler_accept(struct llama_sampler * smpl, llama_token token); */
  llama_sampler_accept: { library: "llama", returns: "void", args: ["ptr", "i32"] },
  /** void llama_sampler_apply(struct llama_sampler * smpl, llama_token_data_array * cur_p); */
  llama_sampler_apply: { library: "llama", returns: "void", args: ["ptr", "ptr"] },
  /** void llama_sampler_reset(struct llama_sampler * smpl); */
  llama_sampler_reset: { library: "llama", returns: "void", args: ["ptr"] },
  /** struct llama_sampler * llama_sampler_clone(const struct llama_sampler * smpl); */
  llama_sampler_clone: { library: "llama", returns: "ptr", args: ["ptr"] },
  /** void llama_sampler_copy(const struct llama_sampler * src, struct llama_sampler * dst); */
  llama_sampler_copy: { library: "llama", returns: "void", args: ["ptr", "ptr"] },
  /** void llama_sampler_free(struct llama_sampler * smpl); */
  llama_sampler_free: { library: "llama", returns: "void", args: ["ptr"] },
  /** struct llama_sampler * llama_sampler_chain_init(struct llama_sampler_chain_params params); */
  llama_sampler_chain_init: { library: "llama", returns: "ptr", args: ["struct llama_sampler_chain_params"] },
  /** void llama_sampler_chain_add(struct llama_sampler * chain, struct llama_sampler * smpl); */
  llama_sampler_chain_add: { library: "llama", returns: "void", args: ["ptr", "ptr"] },
  /** struct llama_sampler * llama_sampler_chain_get(struct llama_sampler * chain, int32_t i); */
  llama_sampler_chain_get: { library: "llama", returns: "ptr", args: ["ptr", "i32"] },
  /** int32_t llama_sampler_chain_n(const struct llama_sampler * chain); */
  llama_sampler_chain_n: { library: "llama", returns: "i32", args: ["ptr"] },
  /** struct llama_sampler * llama_sampler_chain_remove(struct llama_sampler * chain, int32_t i); */
  llama_sampler_chain_remove: { library: "llama", returns: "ptr", args: ["ptr", "i32"] },
  /** struct llama_sampler * llama_sampler_init_greedy(void); */
  llama_sampler_init_greedy: { library: "llama", returns: "ptr", args: [] },
  /** struct llama_sampler * llama_sampler_init_dist(uint32_t seed); */
  llama_sampler_init_dist: { library: "llama", returns: "ptr", args: ["u32"] },
  /** struct llama_sampler * llama_sampler_init_top_k(int32_t k); */
  llama_sampler_init_top_k: { library: "llama", returns: "ptr", args: ["i32"] },
  /** struct llama_sampler * llama_sampler_init_top_p(float p, size_t min_keep); */
  llama_sampler_init_top_p: { library: "llama", returns: "ptr", args: ["f32", "usize"] },
  /** struct llama_sampler * llama_sampler_init_min_p(float p, size_t min_keep); */
  llama_sampler_init_min_p: { library: "llama", returns: "ptr", args: ["f32", "usize"] },
  /** struct llama_sampler * llama_sampler_init_typical(float p, size_t min_keep); */
  llama_sampler_init_typical: { library: "llama", returns: "ptr", args: ["f32", "usize"] },
  /** struct llama_sampler * llama_sampler_init_temp(float t); */
  llama_sampler_init_temp: { library: "llama", returns: "ptr", args: ["f32"] },
  /** struct llama_sampler * llama_sampler_init_temp_ext(float t, float delta, float exponent); */
  llama_sampler_init_temp_ext: { library: "llama", returns: "ptr", args: ["f32", "f32", "f32"] },
  /** struct llama_sampler * llama_sampler_init_xtc(float p, float t, size_t min_keep, uint32_t seed); */
  llama_sampler_init_xtc: { library: "llama", returns: "ptr", args: ["f32", "f32", "usize", "u32"] },
  /** struct llama_sampler * llama_sampler_init_top_n_sigma(float n); */
  llama_sampler_init_top_n_sigma: { library: "llama", returns: "ptr", args: ["f32"] },
  /** struct llama_sampler * llama_sampler_init_mirostat(int32_t n_vocab, uint32_t seed, float tau, float eta, int32_t m); */
  llama_sampler_init_mirostat: { library: "llama", returns: "ptr", args: ["i32", "u32", "f32", "f32", "i32"] },
  /** struct llama_sampler * llama_sampler_init_mirostat_v2(uint32_t seed, float tau, float eta); */
  llama_sampler_init_mirostat_v2: { library: "llama", returns: "ptr", args: ["u32", "f32", "f32"] },
  /** struct llama_sampler * llama_sampler_init_grammar(const struct llama_vocab * vocab, const char * grammar_str, const char * grammar_root); */
  llama_sampler_init_grammar: { library: "llama", returns: "ptr", args: ["ptr", "ptr", "ptr"] },
  /** struct llama_sampler * llama_sampler_init_grammar_lazy_patterns(const struct llama_vocab * vocab, const char * grammar_str, const char * grammar_root, const char * * trigger_patterns, size_t num_trigger_patterns, const llama_token * trigger_tokens, size_t num_trigger_tokens); */
  llama_sampler_init_grammar_lazy_patterns: { library: "llama", returns: "ptr", args: ["ptr", "ptr", "ptr", "ptr", "usize", "ptr", "usize"] },
  /** struct llama_sampler * llama_sampler_init_penalties(int32_t n_vocab, int32_t penalty_last_n, float penalty_repeat, float penalty_freq, float penalty_present); */
  llama_sampler_init_penalties: { library: "llama", returns: "ptr", args: ["i32", "i32", "f32", "f32", "f32"] },
  /** struct llama_sampler * llama_sampler_init_dry(const struct llama_vocab * vocab, float dry_multiplier, float dry_base, int32_t dry_allowed_length, int32_t dry_penalty_last_n, const char * * seq_breakers, size_t num_breakers); */
  llama_sampler_init_dry: { library: "llama", returns: "ptr", args: ["ptr", "f32", "f32", "i32", "i32", "ptr", "usize"] },
  /** struct llama_sampler * llama_sampler_init_adaptive_p(float target, float decay, uint32_t seed); */
  llama_sampler_init_adaptive_p: { library: "llama", returns: "ptr", args: ["f32", "f32", "u32"] },
  /** struct llama_sampler * llama_sampler_init_logit_bias(int32_t n_vocab, int32_t n_logit_bias, const llama_logit_bias * logit_bias); */
  llama_sampler_init_logit_bias: { library: "llama", returns: "ptr", args: ["i32", "i32", "ptr"] },
  /** struct llama_sampler * llama_sampler_init_infill(const struct llama_vocab * vocab); */
  llama_sampler_init_infill: { library: "llama", returns: "ptr", args: ["ptr"] },
  /** uint32_t llama_sampler_get_seed(const struct llama_sampler * smpl); */
  llama_sampler_get_seed: { library: "llama", returns: "u32", args: ["ptr"] },
  /** llama_token llama_sampler_sample(struct llama_sampler * smpl, struct llama_context * ctx, int32_t idx); */
  llama_sampler_sample: { library: "llama", returns: "i32", args: ["ptr", "ptr", "i32"] },
  /** int32_t llama_split_path(char * split_path, size_t maxlen, const char * path_prefix, int32_t split_no, int32_t split_count); */
  llama_split_path: { library: "llama", returns: "i32", args: ["ptr", "usize", "ptr", "i32", "i32"] },
  /** int32_t llama_split_prefix(char * split_prefix, size_t maxlen, const char * split_path, int32_t split_no, int32_t split_count); */
  llama_split_prefix: { library: "llama", returns: "i32", args: ["ptr", "usize", "ptr", "i32", "i32"] },
  /** const char * llama_print_system_info(void); */
  llama_print_system_info: { library: "llama", returns: "ptr", args: [] },
  /** void llama_log_get(ggml_log_callback * log_callback, void * * user_data); */
  llama_log_get: { library: "llama", returns: "void", args: ["ptr", "ptr"] },
  /** void llama_log_set(ggml_log_callback log_callback, void * user_data); */
  llama_log_set: { library: "llama", returns: "void", args: ["ptr", "ptr"] },
  /** struct llama_perf_context_data llama_perf_context(const struct llama_context * ctx); */
  llama_perf_context: { library: "llama", returns: "struct llama_perf_context_data", args: ["ptr"] },
  /** void llama_perf_context_print(const struct llama_context * ctx); */
  llama_perf_context_print: { library: "llama", returns: "void", args: ["ptr"] },
  /** void llama_perf_context_reset(struct llama_context * ctx); */
  llama_perf_context_reset: { library: "llama", returns: "void", args: ["ptr"] },
  /** struct llama_perf_sampler_data llama_perf_sampler(const struct llama_sampler * chain); */
  llama_perf_sampler: { library: "llama", returns: "struct llama_perf_sampler_data", args: ["ptr"] },
  /** void llama_perf_sampler_print(const struct llama_sampler * chain); */
  llama_perf_sampler_print: { library: "llama", returns: "void", args: ["ptr"] },
  /** void llama_perf_sampler_reset(struct llama_sampler * chain); */
  llama_perf_sampler_reset: { library: "llama", returns: "void", args: ["ptr"] },
  /** bool llama_opt_param_filter_all(const struct ggml_tensor * tensor, void * userdata); */
  llama_opt_param_filter_all: { library: "llama", returns: "bool", args: ["ptr", "ptr"] },
  /** void llama_opt_init(struct llama_context * lctx, struct llama_model * model, struct llama_opt_params lopt_params); */
  llama_opt_init: { library: "llama", returns: "void", args: ["ptr", "ptr", "struct llama_opt_params"] },
  /** void llama_opt_epoch(struct llama_context * lctx, ggml_opt_dataset_t dataset, ggml_opt_result_t result_train, ggml_opt_result_t result_eval, int64_t idata_split, ggml_opt_epoch_callback callback_train, ggml_opt_epoch_callback callback_eval); */
  llama_opt_epoch: { library: "llama", returns: "void", args: ["ptr", "ptr", "ptr", "ptr", "i64", "ptr", "ptr"] },
} as const satisfies SymbolTable;
