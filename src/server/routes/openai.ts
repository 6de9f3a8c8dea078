import { Hono } from "hono";
import { chatAtOnce, streamChat } from "../../llama/chat-completion.ts";
import { completeAtOnce, promptList, streamCompletion } from "../../llama/completion.ts";
import { createEmbedding } from "../../llama/embedding.ts";
import { chatPrompt } from "../../llama/render-chat.ts";
import type { CompletionParams, EmbeddingParams } from "../../llama/types.ts";
import { body } from "../body.ts";
import { HttpError } from "../errors.ts";
import { chatRequest, completionRequest, embeddingRequest, templateRequest } from "../schemas.ts";
import type { Service } from "../service.ts";
import { eventStream } from "../sse.ts";

/** A model as OpenAI's API lists it, with llama-server's `meta`. */
export function modelEntry(service: Service) {
  const { model, contextLength } = service.engine;
  return {
    id: service.modelName,
    object: "model" as const,
    created: service.started,
    owned_by: "cria",
    meta: {
      vocab_type: model.vocab.type,
      n_vocab: model.vocab.size,
      n_ctx: contextLength,
      n_ctx_train: model.trainContextLength,
      n_embd: model.embeddingLength,
      n_params: model.parameterCount,
      size: model.sizeBytes,
    },
  };
}

/** OpenAI's endpoints, without their prefix. */
export function openaiRoutes(service: Service) {
  const { keepAliveMs } = service;
  return new Hono()
    .post("/chat/completions", body(chatRequest), async (c) => {
      const fields = c.req.valid("json");
      const { signal } = c.req.raw;
      const params = (signal: AbortSignal) => service.chatParams(fields, signal);
      service.checkCount(fields.n ?? 1, "n");
      const engine = service.observed({ kind: "chat", params: fields, slot: fields.id_slot ?? undefined });
      const parts = service.parts(engine);
      if (!fields.stream) return c.json(await chatAtOnce(parts, service.template, params(signal)));
      return await eventStream((gone) => streamChat(parts, service.template, params(gone)), {
        signal,
        keepAliveMs,
        done: true,
      });
    })
    .post("/chat/completions/input_tokens", body(templateRequest), async (c) => {
      const params = service.chatParams(c.req.valid("json"), c.req.raw.signal);
      const { prompt } = chatPrompt(service.engine.model.vocab, service.template, params);
      const { length } = await service.engine.tokenize(prompt);
      return c.json({ object: "response.input_tokens" as const, input_tokens: length });
    })
    .post("/completions", body(completionRequest), async (c) => {
      const fields = c.req.valid("json");
      const { signal } = c.req.raw;
      const params = (signal: AbortSignal): CompletionParams =>
        ({ model: service.modelName, max_tokens: 16, ...service.params(fields, signal) }) as never;
      service.checkCount(promptList(fields.prompt as never, "prompt").length * (fields.n ?? 1), "prompt");
      const engine = service.observed({
        kind: "completion",
        params: fields,
        slot: fields.id_slot ?? undefined,
      });
      const parts = service.parts(engine);
      if (!fields.stream) return c.json(await completeAtOnce(parts, params(signal)));
      return await eventStream((gone) => streamCompletion(parts, params(gone)), {
        signal,
        keepAliveMs,
        done: true,
      });
    })
    .post("/embeddings", body(embeddingRequest), async (c) => {
      const fields = c.req.valid("json");
      const params = { model: service.modelName, ...service.params(fields, c.req.raw.signal) };
      const engine = service.observed({ kind: "completion", params: {}, slot: undefined });
      return c.json(await createEmbedding(engine, params as unknown as EmbeddingParams));
    })
    .get("/models", (c) => {
      const entry = modelEntry(service);
      return c.json({ object: "list" as const, data: [entry] });
    })
    .get("/models/:id{.+}", (c) => {
      const id = c.req.param("id");
      if (id !== service.modelName)
        throw new HttpError("not_found_error", `there is no model ${JSON.stringify(id.slice(0, 100))} here`, {
          param: "model",
        });
      return c.json(modelEntry(service));
    });
}
