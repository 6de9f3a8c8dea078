import type { ChatTemplate } from "../chat/index.ts";
import type { Engine } from "../engine/engine.ts";
import type { AdapterScale } from "../engine/request.ts";
import type { AnsweringEngine, LlamaParts } from "../llama/answer.ts";
import { modelTemplate } from "../llama/model-template.ts";
import { modelName } from "../llama/response-head.ts";
import type { ChatCompletionParams, GenerationParams } from "../llama/types.ts";
import { HttpError } from "./errors.ts";
import { Metrics } from "./metrics.ts";
import { ObservedEngine, type Observers, type RequestNote } from "./observed-engine.ts";
import type { ServerOptions } from "./options.ts";
import { Slots } from "./slots.ts";

/** What the routes of one app have in common. */
export class Service {
  readonly engine: Engine;
  readonly options: ServerOptions;
  readonly template: ChatTemplate;
  readonly slots: Slots;
  readonly metrics: Metrics;
  /** Scales of requests that name none; undefined until somebody set them. */
  lora: readonly AdapterScale[] | undefined;
  /** Seconds since 1970. */
  readonly started = Math.floor(Date.now() / 1000);
  /** Set once no more requests are taken. */
  draining = false;
  readonly #observers: Observers;

  constructor(engine: Engine, options: ServerOptions) {
    this.engine = engine;
    this.options = options;
    this.template = modelTemplate(engine.model, options);
    this.slots = new Slots(options.parallel ?? 4, options.slotSavePath);
    this.metrics = new Metrics(engine);
    const { maxRequests = engine.maxRequests } = options;
    this.lora = options.lora;
    this.#observers = { slots: this.slots, metrics: this.metrics, maxRequests };
  }

  get modelName(): string {
    return this.options.alias ?? modelName(this.engine.model);
  }

  get keepAliveMs(): number {
    return this.options.keepAliveMs ?? 5000;
  }

  /** The engine for one request. */
  observed(note: RequestNote): ObservedEngine {
    return new ObservedEngine(this.engine, this.#observers, note);
  }

  parts(engine: AnsweringEngine): LlamaParts {
    return { engine, ended: () => {} };
  }

  /** Refuses more answers than could ever wait at once. @throws HttpError */
  checkCount(answers: number, param: string): void {
    const most = this.#observers.maxRequests;
    if (answers > most)
      throw new HttpError(
        "invalid_request_error",
        `${param}: ${answers} answers at once are more than the ${most} that this server takes`,
        {
          param,
        },
      );
  }

  /** A request's fields as the layers below take them: without nulls, over the server's own defaults. */
  params<T extends Record<string, unknown>>(fields: T, signal: AbortSignal): GenerationParams & Dense<T> {
    const given = Object.fromEntries(
      Object.entries(fields).filter(([, value]) => value !== undefined && value !== null),
    );
    const { defaults, contextShift } = this.options;
    this.#checkAdapters(given.lora as readonly AdapterScale[] | undefined);
    const lora = this.lora ? { lora: this.lora } : {};
    return {
      ...withoutShape(defaults, given),
      ...lora,
      ...(contextShift ? { context_shift: true } : {}),
      ...given,
      signal,
    } as unknown as GenerationParams & Dense<T>;
  }

  /** The same for a chat. */
  chatParams(fields: Record<string, unknown>, signal: AbortSignal): ChatCompletionParams {
    const { chatDefaults = {} } = this.options;
    const params = this.params(fields, signal) as unknown as ChatCompletionParams;
    const kwargs = { ...chatDefaults.chat_template_kwargs, ...params.chat_template_kwargs };
    const all: ChatCompletionParams = { model: this.modelName, ...chatDefaults, ...params };
    // As with llama-server, -1 leaves the budget to the server.
    if (params.reasoning_budget_tokens === -1)
      all.reasoning_budget_tokens = chatDefaults.reasoning_budget_tokens;
    if (Object.keys(kwargs).length > 0) all.chat_template_kwargs = kwargs;
    return all;
  }

  #checkAdapters(lora: readonly AdapterScale[] = []): void {
    const count = this.options.adapters?.length ?? 0;
    for (const [index, { id }] of lora.entries()) {
      const param = `lora[${index}].id`;
      const message = `${param}: there is no adapter ${id}; ${count} are loaded`;
      if (id >= count) throw new HttpError("invalid_request_error", message, { param });
      if (lora.findIndex((other) => other.id === id) < index)
        throw new HttpError("invalid_request_error", `${param}: adapter ${id} is named twice`, { param });
    }
  }
}

/** Defaults but for a shape of the answer that cannot stand beside what a request says. */
function withoutShape(
  defaults: GenerationParams | undefined,
  given: Readonly<Record<string, unknown>>,
): GenerationParams {
  const { grammar, json_schema, response_format, ...others } = defaults ?? {};
  if (["grammar", "json_schema", "response_format"].some((field) => field in given)) return others;
  const hasTools = [given.tools, given.functions].some((tools) => Array.isArray(tools) && tools.length > 0);
  return { ...others, json_schema, response_format, ...(!hasTools && { grammar }) };
}

/** Fields without null, which in a request stands for nothing. */
export type Dense<T> = { [K in keyof T]: Exclude<T[K], null> };
