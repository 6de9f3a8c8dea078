import { basename } from "node:path";
import type { Model } from "../model.ts";

/** The name a model goes by where the caller gives none: its own, or its file's. */
export function modelName(model: Model): string {
  return model.metadata.get("general.name") ?? basename(model.path, ".gguf");
}

/** Fields that every response begins with. `created` is in seconds since 1970. */
export function responseHead(prefix: string, model: Model, name: string | undefined) {
  return {
    id: `${prefix}-${crypto.randomUUID().replaceAll("-", "")}`,
    created: Math.floor(Date.now() / 1000),
    model: name ?? modelName(model),
  };
}
