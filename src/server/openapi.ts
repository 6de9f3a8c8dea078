import { Hono } from "hono";
import { z } from "zod";
import { docsPage } from "./docs-page.ts";
import * as schemas from "./schemas.ts";
import type { Service } from "./service.ts";

interface Endpoint {
  readonly method: "get" | "post";
  readonly path: string;
  readonly summary: string;
  readonly request?: z.ZodType;
  /** Whether it may answer with server-sent events. */
  readonly streams?: boolean;
}

export const endpoints: readonly Endpoint[] = [
  {
    method: "post",
    path: "/v1/chat/completions",
    summary: "Answers a chat",
    request: schemas.chatRequest,
    streams: true,
  },
  {
    method: "post",
    path: "/v1/chat/completions/input_tokens",
    summary: "Counts the tokens of a chat",
    request: schemas.templateRequest,
  },
  {
    method: "post",
    path: "/v1/completions",
    summary: "Continues text",
    request: schemas.completionRequest,
    streams: true,
  },
  { method: "post", path: "/v1/embeddings", summary: "Embeds text", request: schemas.embeddingRequest },
  { method: "get", path: "/v1/models", summary: "Lists the model" },
  { method: "get", path: "/v1/models/{id}", summary: "Tells of the model" },
  {
    method: "post",
    path: "/completion",
    summary: "Continues text, as llama-server does",
    request: schemas.nativeRequest,
    streams: true,
  },
  {
    method: "post",
    path: "/embedding",
    summary: "Embeds text, as llama-server does",
    request: schemas.nativeEmbeddingRequest,
  },
  { method: "post", path: "/tokenize", summary: "Tokens of a text", request: schemas.tokenizeRequest },
  { method: "post", path: "/detokenize", summary: "Text of tokens", request: schemas.detokenizeRequest },
  {
    method: "post",
    path: "/apply-template",
    summary: "The prompt of a chat",
    request: schemas.templateRequest,
  },
  { method: "get", path: "/health", summary: "Whether requests are taken" },
  { method: "get", path: "/props", summary: "Properties of the server and its model" },
  { method: "get", path: "/slots", summary: "What is computed now" },
  {
    method: "post",
    path: "/slots/{id}",
    summary: "Saves, restores or erases a slot (action)",
    request: schemas.slotRequest,
  },
  { method: "get", path: "/metrics", summary: "Metrics for Prometheus" },
  { method: "get", path: "/lora-adapters", summary: "Adapters and their scales" },
  {
    method: "post",
    path: "/lora-adapters",
    summary: "Sets the scales of adapters",
    request: schemas.loraRequest,
  },
];

/** Schema of a body, in place: zod would refer to it by its name. */
function bodySchema(request: z.ZodType): object {
  const {
    $schema: _,
    $defs = {},
    $ref,
    ...own
  } = z.toJSONSchema(request, { io: "input", unrepresentable: "any" });
  const { id, ...named } = ($ref === undefined ? {} : $defs[$ref.replace("#/$defs/", "")]) as { id?: string };
  return { ...own, ...named, ...(id === undefined ? {} : { title: id }) };
}

function operation({ path, summary, request, streams }: Endpoint) {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const schema = request && bodySchema(request);
  const content: Record<string, object> = { "application/json": { schema: {} } };
  if (streams) content["text/event-stream"] = { schema: { type: "string" } };
  const wrong = {
    description: "Refused",
    content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
  };
  return {
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(schema ? { requestBody: { required: true, content: { "application/json": { schema } } } } : {}),
    responses: { 200: { description: "Done", content }, "4XX": wrong, "5XX": wrong },
  };
}

const errorSchema = {
  type: "object",
  properties: {
    error: {
      type: "object",
      properties: {
        code: { type: "integer" },
        message: { type: "string" },
        type: { type: "string" },
        param: { type: ["string", "null"] },
      },
      required: ["code", "message", "type", "param"],
    },
  },
  required: ["error"],
};

/** The OpenAPI description of all endpoints. */
export function openapiDocument(title: string) {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    paths[endpoint.path] = { ...paths[endpoint.path], [endpoint.method]: operation(endpoint) };
  }
  return {
    openapi: "3.1.0",
    info: { title, version: "1", description: "OpenAI's API and llama-server's, served by cria." },
    paths,
    components: {
      schemas: { Error: errorSchema },
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
    },
  };
}

export function openapiRoutes(service: Service) {
  let document: ReturnType<typeof openapiDocument> | undefined;
  const known = () => {
    document ??= openapiDocument(`cria: ${service.modelName}`);
    return document;
  };
  return new Hono()
    .get("/openapi.json", (c) => c.json(known() as unknown as Record<string, unknown>))
    .get("/docs", (c) => c.html(docsPage(known())));
}
