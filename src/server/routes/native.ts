import { Hono } from "hono";
import { allOrNone } from "../../llama/all-or-none.ts";
import { promptList } from "../../llama/completion.ts";
import { inTurn } from "../../llama/embedding.ts";
import { renderChat } from "../../llama/render-chat.ts";
import type { Vocab } from "../../vocab.ts";
import { body } from "../body.ts";
import { HttpError } from "../errors.ts";
import {
  detokenizeRequest,
  nativeEmbeddingRequest,
  nativeRequest,
  templateRequest,
  tokenizeRequest,
} from "../schemas.ts";
import type { Service } from "../service.ts";
import { eventStream } from "../sse.ts";
import { NativeAnswer, type NativeParams, nativePrompts, predictLength } from "./native-completion.ts";

type Piece = string | number[];

/** The piece of a token: text, or its bytes where they are none. */
function pieceOf(vocab: Vocab, token: number): Piece {
  const bytes = vocab.pieceBytes(token, { special: true });
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Array.from(bytes);
  }
}

/** Chunks of several answers, one answer after the other. */
async function* chunksInTurn(answers: readonly NativeAnswer[]): AsyncGenerator<object, void> {
  for (const answer of answers) yield* answer.chunks();
}

/** Scales an embedding as llama-server's `embd_normalize` says: -1 not, 0 by its largest number, else by the p-norm. */
function normalised(values: Float32Array, norm: number): number[] {
  if (norm < 0) return Array.from(values);
  let size: number;
  if (norm === 0) size = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 32_760;
  else size = values.reduce((sum, value) => sum + Math.abs(value) ** norm, 0) ** (1 / norm);
  return Array.from(values, (value) => (size > 0 ? value / size : 0));
}

/** llama-server's own endpoints. */
export function nativeRoutes(service: Service) {
  const { keepAliveMs } = service;
  const { vocab } = service.engine.model;
  const complete = new Hono().post("/", body(nativeRequest), async (c) => {
    const { prompt, n_predict, max_tokens, id_slot, ...fields } = c.req.valid("json");
    const { signal } = c.req.raw;
    const prompts = await nativePrompts(service.engine, prompt);
    service.checkCount(prompts.length, "prompt");
    const answers = (signal: AbortSignal) =>
      prompts.map((one, index) => {
        const params: NativeParams = {
          model: service.modelName,
          ...(service.params(fields, signal) as unknown as NativeParams),
          max_tokens: predictLength(n_predict ?? undefined, max_tokens ?? undefined),
        };
        const engine = service.observed({ kind: "completion", params: fields, slot: id_slot ?? undefined });
        return new NativeAnswer(engine, one, { params, index });
      });
    if (fields.stream)
      return await eventStream((gone) => chunksInTurn(answers(gone)), { signal, keepAliveMs, done: false });
    const wholes = await allOrNone(signal, (signal) =>
      Promise.all(answers(signal).map((answer) => answer.whole())),
    );
    return c.json((wholes.length === 1 ? wholes[0] : wholes) as Record<string, unknown>);
  });
  const embed = new Hono().post("/", body(nativeEmbeddingRequest), async (c) => {
    const { content, input, embd_normalize = 2 } = c.req.valid("json");
    const given = (content ?? input)!;
    const inputs = promptList(given as never, "content");
    const engine = service.observed({ kind: "completion", params: {}, slot: undefined });
    const timeoutMs = service.options.defaults?.timeout_ms;
    const results = await inTurn(inputs, c.req.raw.signal, (input, signal) =>
      engine.embed({ input, timeoutMs, signal }),
    );
    return c.json(
      results.map(({ values, pooling }, index) => ({
        index,
        embedding: [normalised(values, pooling === "rank" ? -1 : embd_normalize)],
      })),
    );
  });
  return new Hono()
    .route("/completion", complete)
    .route("/completions", complete)
    .route("/embedding", embed)
    .route("/embeddings", embed)
    .post("/tokenize", body(tokenizeRequest), async (c) => {
      const { content, add_special, parse_special, with_pieces } = c.req.valid("json");
      const parts = typeof content === "string" ? [content] : content;
      const lists = parts.map((part, index) =>
        typeof part === "number"
          ? [vocab.checkToken(part, `content[${index}]`)]
          : service.engine.tokenize(part, {
              addSpecial: (add_special ?? false) && index === 0,
              parseSpecial: parse_special ?? true,
            }),
      );
      const ids = (await Promise.all(lists)).flatMap((list) => Array.from(list));
      const tokens = with_pieces ? ids.map((id) => ({ id, piece: pieceOf(vocab, id) })) : ids;
      return c.json({ tokens });
    })
    .post("/detokenize", body(detokenizeRequest), (c) => {
      const { tokens } = c.req.valid("json");
      for (const [index, token] of tokens.entries()) vocab.checkToken(token, `tokens[${index}]`);
      return c.json({ content: vocab.detokenize(tokens, { special: true }) });
    })
    .post("/apply-template", body(templateRequest), (c) => {
      const params = service.chatParams(c.req.valid("json"), c.req.raw.signal);
      return c.json({ prompt: renderChat(service.template, params).prompt });
    })
    .post("/infill", () => {
      throw new HttpError("not_supported_error", "infill is not served; use suffix of /v1/completions");
    });
}
