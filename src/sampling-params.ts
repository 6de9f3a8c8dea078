import type { Model } from "./model.ts";
import { Sampler, SamplerChain } from "./sampler.ts";

export interface SamplingParams {
  seed?: number | null | undefined;
  temperature?: number | null | undefined;
  top_k?: number | undefined;
  top_p?: number | null | undefined;
  min_p?: number | undefined;
  grammar?: string | undefined;
}

export function createSampler(
  model: Model,
  params: SamplingParams,
  _options: { contextLength: number },
): SamplerChain {
  const { native } = model;
  const { c } = native;
  const chain = new SamplerChain(native, model);
  const add = (pointer: ReturnType<typeof c.llama_sampler_init_greedy>) =>
    chain.add(new Sampler(native, pointer));
  const temperature = params.temperature ?? 0.8;
  if (temperature === 0) return add(c.llama_sampler_init_greedy());
  add(c.llama_sampler_init_top_k(params.top_k ?? 40));
  add(c.llama_sampler_init_top_p(params.top_p ?? 0.95, 1));
  add(c.llama_sampler_init_min_p(params.min_p ?? 0.05, 1));
  add(c.llama_sampler_init_temp(temperature));
  return add(c.llama_sampler_init_dist(params.seed ?? 0xffffffff));
}
