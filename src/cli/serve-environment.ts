import type { EventEmitter } from "node:events";
import type { Command } from "commander";

/** llama-server's environment variables, by the flag that each stands for. */
const variables: Readonly<Record<string, string>> = {
  model: "LLAMA_ARG_MODEL",
  "ctx-size": "LLAMA_ARG_CTX_SIZE",
  "batch-size": "LLAMA_ARG_BATCH",
  "ubatch-size": "LLAMA_ARG_UBATCH",
  threads: "LLAMA_ARG_THREADS",
  "threads-batch": "LLAMA_ARG_THREADS_BATCH",
  "gpu-layers": "LLAMA_ARG_N_GPU_LAYERS",
  "flash-attn": "LLAMA_ARG_FLASH_ATTN",
  "cache-type-k": "LLAMA_ARG_CACHE_TYPE_K",
  "cache-type-v": "LLAMA_ARG_CACHE_TYPE_V",
  device: "LLAMA_ARG_DEVICE",
  "split-mode": "LLAMA_ARG_SPLIT_MODE",
  "tensor-split": "LLAMA_ARG_TENSOR_SPLIT",
  "main-gpu": "LLAMA_ARG_MAIN_GPU",
  "kv-offload": "LLAMA_ARG_KV_OFFLOAD",
  mmap: "LLAMA_ARG_MMAP",
  mlock: "LLAMA_ARG_MLOCK",
  "rope-freq-base": "LLAMA_ARG_ROPE_FREQ_BASE",
  "rope-freq-scale": "LLAMA_ARG_ROPE_FREQ_SCALE",
  "chat-template": "LLAMA_ARG_CHAT_TEMPLATE",
  "chat-template-file": "LLAMA_ARG_CHAT_TEMPLATE_FILE",
  "chat-template-kwargs": "LLAMA_ARG_CHAT_TEMPLATE_KWARGS",
  "reasoning-format": "LLAMA_ARG_THINK",
  reasoning: "LLAMA_ARG_REASONING",
  "reasoning-effort": "LLAMA_ARG_REASONING_EFFORT",
  "reasoning-budget": "LLAMA_ARG_THINK_BUDGET",
  "reasoning-budget-message": "LLAMA_ARG_THINK_BUDGET_MESSAGE",
  predict: "LLAMA_ARG_N_PREDICT",
  host: "LLAMA_ARG_HOST",
  port: "LLAMA_ARG_PORT",
  parallel: "LLAMA_ARG_N_PARALLEL",
  alias: "LLAMA_ARG_ALIAS",
  "api-key": "LLAMA_API_KEY",
  "api-prefix": "LLAMA_ARG_API_PREFIX",
  pooling: "LLAMA_ARG_POOLING",
  embeddings: "LLAMA_ARG_EMBEDDINGS",
  metrics: "LLAMA_ARG_ENDPOINT_METRICS",
  slots: "LLAMA_ARG_ENDPOINT_SLOTS",
  "ssl-key-file": "LLAMA_ARG_SSL_KEY_FILE",
  "ssl-cert-file": "LLAMA_ARG_SSL_CERT_FILE",
  timeout: "LLAMA_ARG_TIMEOUT",
  "context-shift": "LLAMA_ARG_CONTEXT_SHIFT",
  "cache-prompt": "LLAMA_ARG_CACHE_PROMPT",
  "cache-ram": "LLAMA_ARG_CACHE_RAM",
  jinja: "LLAMA_ARG_JINJA",
  "log-file": "LLAMA_LOG_FILE",
  "log-verbosity": "LLAMA_LOG_VERBOSITY",
  "log-colors": "LLAMA_LOG_COLORS",
};

const no = new Set(["0", "off", "false", "disabled"]);

/**
 * Has flags that were not given take the values of llama-server's environment variables. Of a flag without a value
 * 0, off, false and disabled mean that it is off.
 */
export function readEnvironment(command: Command): void {
  const environment = process.env;
  for (const option of command.options) {
    const name = option.long?.replace(/^--(no-)?/, "") ?? "";
    const variable = variables[name];
    if (!variable) continue;
    const value = environment[variable];
    if (value === undefined) continue;
    if (!option.required && no.has(value.toLowerCase()) !== option.negate) continue;
    option.env(variable);
    // Commander listens for variables only where they are named before the flag is added.
    command.on(`optionEnv:${option.name()}`, () => {
      (command as unknown as EventEmitter).emit(`option:${option.name()}`, option.required ? value : null);
    });
  }
}
