// Generated from the headers of llama.cpp v0.5.0 by scripts/generate-ffi.ts; do not edit.
import type { StructTable } from "./types.ts";

/** Layouts on 64-bit systems. */
export const structs = {
  llama_model_params: {
    size: 80,
    align: 8,
    fields: {
      /** ggml_backend_dev_t * devices */
      devices: { offset: 0, type: "ptr" },
      /** const struct llama_model_tensor_buft_override * tensor_buft_overrides */
      tensor_buft_overrides: { offset: 8, type: "ptr" },
      /** int32_t n_gpu_layers */
      n_gpu_layers: { offset: 16, type: "i32" },
      /** enum llama_split_mode split_mode */
      split_mode: { offset: 20, type: "i32" },
      /** enum llama_load_mode load_mode */
      load_mode: { offset: 24, type: "i32" },
      /** enum llama_lazy_mode lazy_mode */
      lazy_mode: { offset: 28, type: "i32" },
      /** int32_t main_gpu */
      main_gpu: { offset: 32, type: "i32" },
      /** const float * tensor_split */
      tensor_split: { offset: 40, type: "ptr" },
      /** llama_progress_callback progress_callback */
      progress_callback: { offset: 48, type: "ptr" },
      /** void * progress_callback_user_data */
      progress_callback_user_data: { offset: 56, type: "ptr" },
      /** const struct llama_model_kv_override * kv_overrides */
      kv_overrides: { offset: 64, type: "ptr" },
      /** bool vocab_only */
      vocab_only: { offset: 72, type: "bool" },
      /** bool check_tensors */
      check_tensors: { offset: 73, type: "bool" },
      /** bool use_extra_bufts */
      use_extra_bufts: { offset: 74, type: "bool" },
      /** bool no_host */
      no_host: { offset: 75, type: "bool" },
      /** bool no_alloc */
      no_alloc: { offset: 76, type: "bool" },
      /** bool load_mtp */
      load_mtp: { offset: 77, type: "bool" },
    },
  },
  llama_context_params: {
    size: 160,
    align: 8,
    fields: {
      /** uint32_t n_ctx */
      n_ctx: { offset: 0, type: "u32" },
      /** uint32_t n_batch */
      n_batch: { offset: 4, type: "u32" },
      /** uint32_t n_ubatch */
      n_ubatch: { offset: 8, type: "u32" },
      /** uint32_t n_seq_max */
      n_seq_max: { offset: 12, type: "u32" },
      /** uint32_t n_rs_seq */
      n_rs_seq: { offset: 16, type: "u32" },
      /** uint32_t n_outputs_max */
      n_outputs_max: { offset: 20, type: "u32" },
      /** uint32_t n_outputs_max_per_seq */
      n_outputs_max_per_seq: { offset: 24, type: "u32" },
      /** int32_t n_threads */
      n_threads: { offset: 28, type: "i32" },
      /** int32_t n_threads_batch */
      n_threads_batch: { offset: 32, type: "i32" },
      /** enum llama_context_type ctx_type */
      ctx_type: { offset: 36, type: "i32" },
      /** enum llama_rope_scaling_type rope_scaling_type */
      rope_scaling_type: { offset: 40, type: "i32" },
      /** enum llama_pooling_type pooling_type */
      pooling_type: { offset: 44, type: "i32" },
      /** enum llama_attention_type attention_type */
      attention_type: { offset: 48, type: "i32" },
      /** enum llama_flash_attn_type flash_attn_type */
      flash_attn_type: { offset: 52, type: "i32" },
      /** float rope_freq_base */
      rope_freq_base: { offset: 56, type: "f32" },
      /** float rope_freq_scale */
      rope_freq_scale: { offset: 60, type: "f32" },
      /** float yarn_ext_factor */
      yarn_ext_factor: { offset: 64, type: "f32" },
      /** float yarn_attn_factor */
      yarn_attn_factor: { offset: 68, type: "f32" },
      /** float yarn_beta_fast */
      yarn_beta_fast: { offset: 72, type: "f32" },
      /** float yarn_beta_slow */
      yarn_beta_slow: { offset: 76, type: "f32" },
      /** uint32_t yarn_orig_ctx */
      yarn_orig_ctx: { offset: 80, type: "u32" },
      /** float defrag_thold */
      defrag_thold: { offset: 84, type: "f32" },
      /** ggml_backend_sched_eval_callback cb_eval */
      cb_eval: { offset: 88, type: "ptr" },
      /** void * cb_eval_user_data */
      cb_eval_user_data: { offset: 96, type: "ptr" },
      /** enum ggml_type type_k */
      type_k: { offset: 104, type: "i32" },
      /** enum ggml_type type_v */
      type_v: { offset: 108, type: "i32" },
      /** ggml_abort_callback abort_callback */
      abort_callback: { offset: 112, type: "ptr" },
      /** void * abort_callback_data */
      abort_callback_data: { offset: 120, type: "ptr" },
      /** bool embeddings */
      embeddings: { offset: 128, type: "bool" },
      /** bool offload_kqv */
      offload_kqv: { offset: 129, type: "bool" },
      /** bool no_perf */
      no_perf: { offset: 130, type: "bool" },
      /** bool op_offload */
      op_offload: { offset: 131, type: "bool" },
      /** bool swa_full */
      swa_full: { offset: 132, type: "bool" },
      /** bool kv_unified */
      kv_unified: { offset: 133, type: "bool" },
      /** struct llama_sampler_seq_config * samplers */
      samplers: { offset: 136, type: "ptr" },
      /** size_t n_samplers */
      n_samplers: { offset: 144, type: "usize" },
      /** struct llama_context * ctx_other */
      ctx_other: { offset: 152, type: "ptr" },
    },
  },
  llama_batch: {
    size: 56,
    align: 8,
    fields: {
      /** int32_t n_tokens */
      n_tokens: { offset: 0, type: "i32" },
      /** llama_token * token */
      token: { offset: 8, type: "ptr" },
      /** float * embd */
      embd: { offset: 16, type: "ptr" },
      /** llama_pos * pos */
      pos: { offset: 24, type: "ptr" },
      /** int32_t * n_seq_id */
      n_seq_id: { offset: 32, type: "ptr" },
      /** llama_seq_id * * seq_id */
      seq_id: { offset: 40, type: "ptr" },
      /** int8_t * logits */
      logits: { offset: 48, type: "ptr" },
    },
  },
  llama_model_quantize_params: {
    size: 64,
    align: 8,
    fields: {
      /** int32_t nthread */
      nthread: { offset: 0, type: "i32" },
      /** enum llama_ftype ftype */
      ftype: { offset: 4, type: "i32" },
      /** enum ggml_type output_tensor_type */
      output_tensor_type: { offset: 8, type: "i32" },
      /** enum ggml_type token_embedding_type */
      token_embedding_type: { offset: 12, type: "i32" },
      /** bool allow_requantize */
      allow_requantize: { offset: 16, type: "bool" },
      /** bool quantize_output_tensor */
      quantize_output_tensor: { offset: 17, type: "bool" },
      /** bool only_copy */
      only_copy: { offset: 18, type: "bool" },
      /** bool pure */
      pure: { offset: 19, type: "bool" },
      /** bool keep_split */
      keep_split: { offset: 20, type: "bool" },
      /** bool dry_run */
      dry_run: { offset: 21, type: "bool" },
      /** const struct llama_model_imatrix_data * imatrix */
      imatrix: { offset: 24, type: "ptr" },
      /** const struct llama_model_kv_override * kv_overrides */
      kv_overrides: { offset: 32, type: "ptr" },
      /** const struct llama_model_tensor_override * tt_overrides */
      tt_overrides: { offset: 40, type: "ptr" },
      /** const int32_t * prune_layers */
      prune_layers: { offset: 48, type: "ptr" },
      /** size_t max_buf_size */
      max_buf_size: { offset: 56, type: "usize" },
    },
  },
  llama_model_kv_override: {
    size: 264,
    align: 8,
    fields: {
      /** enum llama_model_kv_override_type tag */
      tag: { offset: 0, type: "i32" },
      /** char key [ 128 ] */
      key: { offset: 4, type: "i8", count: 128 },
      /** int64_t val_i64 */
      val_i64: { offset: 136, type: "i64" },
      /** double val_f64 */
      val_f64: { offset: 136, type: "f64" },
      /** bool val_bool */
      val_bool: { offset: 136, type: "bool" },
      /** char val_str [ 128 ] */
      val_str: { offset: 136, type: "i8", count: 128 },
    },
  },
  llama_model_tensor_buft_override: {
    size: 16,
    align: 8,
    fields: {
      /** const char * pattern */
      pattern: { offset: 0, type: "ptr" },
      /** ggml_backend_buffer_type_t buft */
      buft: { offset: 8, type: "ptr" },
    },
  },
  llama_model_tensor_override: {
    size: 16,
    align: 8,
    fields: {
      /** const char * pattern */
      pattern: { offset: 0, type: "ptr" },
      /** enum ggml_type type */
      type: { offset: 8, type: "i32" },
    },
  },
  llama_model_imatrix_data: {
    size: 24,
    align: 8,
    fields: {
      /** const char * name */
      name: { offset: 0, type: "ptr" },
      /** const float * data */
      data: { offset: 8, type: "ptr" },
      /** size_t size */
      size: { offset: 16, type: "usize" },
    },
  },
  llama_token_data: {
    size: 12,
    align: 4,
    fields: {
      /** llama_token id */
      id: { offset: 0, type: "i32" },
      /** float logit */
      logit: { offset: 4, type: "f32" },
      /** float p */
      p: { offset: 8, type: "f32" },
    },
  },
  llama_token_data_array: {
    size: 32,
    align: 8,
    fields: {
      /** llama_token_data * data */
      data: { offset: 0, type: "ptr" },
      /** size_t size */
      size: { offset: 8, type: "usize" },
      /** int64_t selected */
      selected: { offset: 16, type: "i64" },
      /** bool sorted */
      sorted: { offset: 24, type: "bool" },
    },
  },
  llama_logit_bias: {
    size: 8,
    align: 4,
    fields: {
      /** llama_token token */
      token: { offset: 0, type: "i32" },
      /** float bias */
      bias: { offset: 4, type: "f32" },
    },
  },
  llama_chat_message: {
    size: 16,
    align: 8,
    fields: {
      /** const char * role */
      role: { offset: 0, type: "ptr" },
      /** const char * content */
      content: { offset: 8, type: "ptr" },
    },
  },
  llama_sampler_chain_params: {
    size: 1,
    align: 1,
    fields: {
      /** bool no_perf */
      no_perf: { offset: 0, type: "bool" },
    },
  },
  llama_sampler_seq_config: {
    size: 16,
    align: 8,
    fields: {
      /** llama_seq_id seq_id */
      seq_id: { offset: 0, type: "i32" },
      /** struct llama_sampler * sampler */
      sampler: { offset: 8, type: "ptr" },
    },
  },
  llama_sampler_i: {
    size: 96,
    align: 8,
    fields: {
      /** const char * ( * name ) ( const struct llama_sampler * smpl ) */
      name: { offset: 0, type: "ptr" },
      /** void ( * accept ) ( struct llama_sampler * smpl , llama_token token ) */
      accept: { offset: 8, type: "ptr" },
      /** void ( * apply ) ( struct llama_sampler * smpl , llama_token_data_array * cur_p ) */
      apply: { offset: 16, type: "ptr" },
      /** void ( * reset ) ( struct llama_sampler * smpl ) */
      reset: { offset: 24, type: "ptr" },
      /** struct llama_sampler * ( * clone ) ( const struct llama_sampler * smpl ) */
      clone: { offset: 32, type: "ptr" },
      /** void ( * free ) ( struct llama_sampler * smpl ) */
      free: { offset: 40, type: "ptr" },
      /** bool ( * backend_init ) ( struct llama_sampler * smpl , ggml_backend_buffer_type_t buft , uint32_t n_outputs_max_per_seq ) */
      backend_init: { offset: 48, type: "ptr" },
      /** void ( * backend_accept ) ( struct llama_sampler * smpl , struct ggml_context * ctx , struct ggml_cgraph * gf , struct ggml_tensor * selected_token ) */
      backend_accept: { offset: 56, type: "ptr" },
      /** void ( * backend_apply ) ( struct llama_sampler * smpl , struct ggml_context * ctx , struct ggml_cgraph * gf , struct llama_sampler_data * data ) */
      backend_apply: { offset: 64, type: "ptr" },
      /** void ( * backend_set_input ) ( struct llama_sampler * smpl ) */
      backend_set_input: { offset: 72, type: "ptr" },
      /** void ( * backend_reset ) ( struct llama_sampler * smpl ) */
      backend_reset: { offset: 80, type: "ptr" },
      /** void ( * copy_state ) ( const struct llama_sampler * src , struct llama_sampler * dst ) */
      copy_state: { offset: 88, type: "ptr" },
    },
  },
  llama_sampler: {
    size: 16,
    align: 8,
    fields: {
      /** struct llama_sampler_i * iface */
      iface: { offset: 0, type: "ptr" },
      /** llama_sampler_context_t ctx */
      ctx: { offset: 8, type: "ptr" },
    },
  },
  llama_sampler_data: {
    size: 32,
    align: 8,
    fields: {
      /** struct ggml_tensor * logits */
      logits: { offset: 0, type: "ptr" },
      /** struct ggml_tensor * probs */
      probs: { offset: 8, type: "ptr" },
      /** struct ggml_tensor * sampled */
      sampled: { offset: 16, type: "ptr" },
      /** struct ggml_tensor * candidates */
      candidates: { offset: 24, type: "ptr" },
    },
  },
  llama_perf_context_data: {
    size: 48,
    align: 8,
    fields: {
      /** double t_start_ms */
      t_start_ms: { offset: 0, type: "f64" },
      /** double t_load_ms */
      t_load_ms: { offset: 8, type: "f64" },
      /** double t_p_eval_ms */
      t_p_eval_ms: { offset: 16, type: "f64" },
      /** double t_eval_ms */
      t_eval_ms: { offset: 24, type: "f64" },
      /** int32_t n_p_eval */
      n_p_eval: { offset: 32, type: "i32" },
      /** int32_t n_eval */
      n_eval: { offset: 36, type: "i32" },
      /** int32_t n_reused */
      n_reused: { offset: 40, type: "i32" },
    },
  },
  llama_perf_sampler_data: {
    size: 16,
    align: 8,
    fields: {
      /** double t_sample_ms */
      t_sample_ms: { offset: 0, type: "f64" },
      /** int32_t n_sample */
      n_sample: { offset: 8, type: "i32" },
    },
  },
  llama_opt_params: {
    size: 48,
    align: 8,
    fields: {
      /** uint32_t n_ctx_train */
      n_ctx_train: { offset: 0, type: "u32" },
      /** llama_opt_param_filter param_filter */
      param_filter: { offset: 8, type: "ptr" },
      /** void * param_filter_ud */
      param_filter_ud: { offset: 16, type: "ptr" },
      /** ggml_opt_get_optimizer_params get_opt_pars */
      get_opt_pars: { offset: 24, type: "ptr" },
      /** void * get_opt_pars_ud */
      get_opt_pars_ud: { offset: 32, type: "ptr" },
      /** enum ggml_opt_optimizer_type optimizer_type */
      optimizer_type: { offset: 40, type: "i32" },
    },
  },
  ggml_threadpool_params: {
    size: 528,
    align: 4,
    fields: {
      /** bool cpumask [ GGML_MAX_N_THREADS ] */
      cpumask: { offset: 0, type: "bool", count: 512 },
      /** int n_threads */
      n_threads: { offset: 512, type: "i32" },
      /** enum ggml_sched_priority prio */
      prio: { offset: 516, type: "i32" },
      /** uint32_t poll */
      poll: { offset: 520, type: "u32" },
      /** bool strict_cpu */
      strict_cpu: { offset: 524, type: "bool" },
      /** bool paused */
      paused: { offset: 525, type: "bool" },
    },
  },
  ggml_backend_dev_caps: {
    size: 5,
    align: 1,
    fields: {
      /** bool async */
      async: { offset: 0, type: "bool" },
      /** bool host_buffer */
      host_buffer: { offset: 1, type: "bool" },
      /** bool buffer_from_host_ptr */
      buffer_from_host_ptr: { offset: 2, type: "bool" },
      /** bool events */
      events: { offset: 3, type: "bool" },
      /** bool mmap_support */
      mmap_support: { offset: 4, type: "bool" },
    },
  },
  ggml_backend_dev_props: {
    size: 56,
    align: 8,
    fields: {
      /** const char * name */
      name: { offset: 0, type: "ptr" },
      /** const char * description */
      description: { offset: 8, type: "ptr" },
      /** size_t memory_free */
      memory_free: { offset: 16, type: "usize" },
      /** size_t memory_total */
      memory_total: { offset: 24, type: "usize" },
      /** enum ggml_backend_dev_type type */
      type: { offset: 32, type: "i32" },
      /** const char * device_id */
      device_id: { offset: 40, type: "ptr" },
      /** struct ggml_backend_dev_caps caps */
      caps: { offset: 48, type: "struct ggml_backend_dev_caps" },
    },
  },
  ggml_backend_feature: {
    size: 16,
    align: 8,
    fields: {
      /** const char * name */
      name: { offset: 0, type: "ptr" },
      /** const char * value */
      value: { offset: 8, type: "ptr" },
    },
  },
} as const satisfies StructTable;
