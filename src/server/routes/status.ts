import { basename } from "node:path";
import { Hono } from "hono";
import { pinnedVersion } from "../../../ffi/index.ts";
import { samplingDefaults } from "../../sampling-params.ts";
import { body, checked, readJson } from "../body.ts";
import { HttpError } from "../errors.ts";
import { loraRequest, slotRequest } from "../schemas.ts";
import type { Service } from "../service.ts";

/** What of a request's fields is no text: words are nobody's business but their writer's. */
function settings(params: Readonly<Record<string, unknown>>) {
  const isPlain = (value: unknown) => typeof value === "number" || typeof value === "boolean";
  return Object.fromEntries(Object.entries(params).filter(([, value]) => isPlain(value)));
}

/** What tells of the server and its state. */
export function statusRoutes(service: Service) {
  const { engine, options, slots } = service;
  const { vocab } = engine.model;
  const health = () => {
    if (service.draining) throw new HttpError("unavailable_error", "the server is shutting down");
    return { status: "ok" as const };
  };
  const adapters = () =>
    (options.adapters ?? []).map(({ path, scale = 1 }, id) => ({
      id,
      // Where it lies is nobody's business.
      path: basename(path),
      scale: service.lora ? (service.lora.find((entry) => entry.id === id)?.scale ?? 0) : scale,
    }));
  return new Hono()
    .get("/health", (c) => c.json(health()))
    .get("/v1/health", (c) => c.json(health()))
    .get("/props", (c) =>
      c.json({
        default_generation_settings: {
          params: { ...samplingDefaults, ...settings({ ...options.defaults }) },
          n_ctx: engine.contextLength,
        },
        total_slots: slots.all.length,
        model_alias: service.modelName,
        model_path: basename(engine.model.path),
        chat_template: service.template.source,
        modalities: { vision: false, audio: false },
        bos_token: vocab.specialText(vocab.bos),
        eos_token: vocab.specialText(vocab.eos),
        build_info: `cria on llama.cpp ${pinnedVersion}`,
        is_sleeping: false,
      }),
    )
    .post("/props", () => {
      throw new HttpError("not_supported_error", "properties cannot be changed while the server runs");
    })
    .get("/slots", (c) => {
      if (options.slots === false)
        throw new HttpError(
          "not_supported_error",
          "this server does not tell of its slots; start it without --no-slots",
        );
      if (c.req.query("fail_on_no_slot") !== undefined && slots.idleCount === 0)
        throw new HttpError("unavailable_error", "no slot available");
      return c.json(
        slots.all.map(({ id, task, work, tokens }) => ({
          id,
          id_task: task,
          n_ctx: engine.contextLength,
          speculative: false,
          is_processing: work !== undefined,
          n_prompt_tokens: work ? work.tokens().length - work.generated : tokens.length,
          params: work ? settings(work.params) : {},
          next_token: { has_next_token: work !== undefined, n_decoded: work?.generated ?? 0 },
        })),
      );
    })
    .post("/slots/:id", async (c) => {
      const slot = slots.slot(c.req.param("id"));
      const action = c.req.query("action");
      if (action === "erase") return c.json(await slots.erase(engine, slot));
      if (action !== "save" && action !== "restore") {
        throw new HttpError("invalid_request_error", "action must be save, restore or erase", {
          param: "action",
        });
      }
      const { filename } = checked(slotRequest, await readJson(c));
      if (action === "save")
        return c.json(await slots.save(engine, slot, filename, { adapters: service.lora }));
      return c.json(await slots.restore(engine, slot, filename, { adapters: service.lora }));
    })
    .get("/metrics", async (c) => {
      if (!options.metrics)
        throw new HttpError("not_supported_error", "this server tells no metrics; start it with --metrics");
      return c.text(await service.metrics.text(), 200, {
        "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
      });
    })
    .get("/lora-adapters", (c) => c.json(adapters()))
    .post("/lora-adapters", body(loraRequest), (c) => {
      if (options.loraChanges === false)
        throw new HttpError("not_supported_error", "this server's adapters cannot be changed");
      const scales = c.req.valid("json");
      const count = options.adapters?.length ?? 0;
      for (const [index, { id }] of scales.entries()) {
        const param = `[${index}].id`;
        if (id >= count) throw new HttpError("invalid_request_error", `there is no adapter ${id}`, { param });
        if (scales.findIndex((other) => other.id === id) < index)
          throw new HttpError("invalid_request_error", `adapter ${id} is named twice`, { param });
      }
      service.lora = scales;
      return c.json({ success: true });
    });
}
