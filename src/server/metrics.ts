import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Engine } from "../engine/engine.ts";
import type { RequestStats } from "../engine/request.ts";
import { addTierMetrics } from "./tier-metrics.ts";

const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Prometheus metrics of one app: llama-server's under `llamacpp:`, and ours under `cria:`. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #engine: Engine;
  readonly #requests: Counter<"path" | "status">;
  readonly #latency: Record<"queue" | "prompt" | "total", Histogram>;
  #promptSeconds = 0;
  #promptTokens = 0;
  #predictedSeconds = 0;
  #predictedTokens = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: "cria:http_requests_total",
      help: "Requests answered, by path and status.",
      labelNames: ["path", "status"],
      registers,
    });
    const histogram = (name: string, help: string) =>
      new Histogram({ name, help, buckets: seconds, registers });
    this.#latency = {
      queue: histogram("cria:queue_seconds", "Time from arrival to admission."),
      prompt: histogram("cria:time_to_first_token_seconds", "Time from arrival to the first token."),
      total: histogram("cria:generation_seconds", "Time from arrival to the last token."),
    };
  }

  answered(path: string, status: number): void {
    this.#requests.inc({ path, status: String(status) });
  }

  /** A generation ended. */
  generated({ queueMs, promptMs, predictedMs, computedLength, generatedLength }: RequestStats): void {
    this.#latency.queue.observe(queueMs / 1000);
    this.#latency.prompt.observe((queueMs + promptMs) / 1000);
    this.#latency.total.observe((queueMs + promptMs + predictedMs) / 1000);
    this.#promptSeconds += promptMs / 1000;
    this.#promptTokens += computedLength;
    this.#predictedSeconds += predictedMs / 1000;
    this.#predictedTokens += generatedLength;
  }

  /** All metrics in Prometheus' text format. */
  async text(): Promise<string> {
    const now = await this.#engine.snapshot();
    const registry = new Registry();
    const registers = [registry];
    const counter = (name: string, help: string, value: number) =>
      new Counter({ name, help, registers }).inc(value);
    const gauge = (name: string, help: string, value: number) =>
      new Gauge({ name, help, registers }).set(value);
    const rate = (count: number, time: number) => (time > 0 ? count / time : 0);
    counter("llamacpp:prompt_tokens_total", "Number of prompt tokens processed.", now.computedTokens);
    counter("llamacpp:prompt_seconds_total", "Prompt process time.", this.#promptSeconds);
    counter("llamacpp:tokens_predicted_total", "Number of generation tokens processed.", now.generatedTokens);
    counter("llamacpp:tokens_predicted_seconds_total", "Predict process time.", this.#predictedSeconds);
    counter("llamacpp:n_decode_total", "Total number of llama_decode() calls.", now.steps);
    gauge(
      "llamacpp:n_busy_slots_per_decode",
      "Average number of busy slots per llama_decode() call.",
      rate(now.generatedTokens, now.steps),
    );
    gauge(
      "llamacpp:prompt_tokens_seconds",
      "Average prompt throughput in tokens/s.",
      rate(this.#promptTokens, this.#promptSeconds),
    );
    gauge(
      "llamacpp:predicted_tokens_seconds",
      "Average generation throughput in tokens/s.",
      rate(this.#predictedTokens, this.#predictedSeconds),
    );
    gauge("llamacpp:requests_processing", "Number of requests processing.", now.running);
    gauge("llamacpp:requests_deferred", "Number of requests deferred.", now.waiting);
    gauge(
      "llamacpp:kv_cache_usage_ratio",
      "KV-cache usage. 1 means 100 percent usage.",
      rate(now.usedCells, now.cells),
    );
    gauge("llamacpp:kv_cache_tokens", "KV-cache tokens.", now.usedCells);
    counter("cria:prompt_tokens_cached_total", "Prompt tokens taken from the cache.", now.reusedTokens);
    counter("cria:evicted_tokens_total", "Tokens dropped from the cache.", now.evictedTokens);
    counter("cria:preempted_total", "Requests that gave way and were computed again.", now.preempted);
    counter("cria:requests_total", "Requests taken.", now.requests);
    counter("cria:requests_aborted_total", "Requests given up.", now.aborted);
    counter("cria:requests_failed_total", "Requests that failed.", now.failed);
    counter("cria:embeddings_total", "Texts embedded.", now.embeddings);
    counter("cria:step_seconds_total", "Time in llama_decode.", now.stepMs / 1000);
    gauge("cria:parked_prefixes", "Prefixes kept that no request uses.", now.parked);
    gauge("cria:shared_cells", "Cells that several sequences share.", now.sharedCells);
    if (now.tiers) addTierMetrics(registry, now.tiers);
    return (await registry.metrics()) + (await this.#registry.metrics());
  }
}
