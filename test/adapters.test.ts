import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DisposedError, ModelLoadError } from "../lib/errors.ts";
import { ControlVector } from "../src/control-vector.ts";
import { embeddedModelPath } from "../src/embedded-model.ts";
import type { Model } from "../src/model.ts";
import { writeGguf } from "./fixtures/gguf-writer.ts";
import {
  chatTokens,
  continueGreedily,
  feed,
  freshContinuation,
  loadFixture,
  loadTinyModel,
  smallContext,
} from "./support/tiny-model.ts";

const lora = embeddedModelPath().replace("tiny-chat-f16", "tiny-chat-pirate-lora");
const folder = mkdtempSync(join(tmpdir(), "cria-adapters-"));
let model: Model;
let prompt: Int32Array;
beforeAll(async () => {
  model = await loadTinyModel();
  prompt = chatTokens(model, "What is the capital of France?");
});
afterAll(() => {
  model.dispose();
  rmSync(folder, { recursive: true, force: true });
});

/** The answer of a context that begins anew. */
function answer(context: ReturnType<typeof smallContext>): number[] {
  context.memory.clear();
  feed(context, prompt);
  return continueGreedily(context, 12, { position: prompt.length });
}

describe("LoRA adapters", () => {
  test("change the answer while they are set, by their scale", () => {
    using adapter = model.loadAdapter(lora);
    using context = smallContext(model);
    const plain = freshContinuation(model, prompt, 12);
    expect(answer(context)).toEqual(plain);
    context.setAdapters([{ adapter }]);
    const pirate = answer(context);
    expect(pirate).not.toEqual(plain);
    expect(context.adapters).toEqual([{ adapter, scale: 1 }]);
    context.setAdapters([{ adapter, scale: 0 }]);
    expect(answer(context)).toEqual(plain);
    context.setAdapters([{ adapter, scale: 1 }]);
    expect(answer(context)).toEqual(pirate);
    context.setAdapters([]);
    expect(answer(context)).toEqual(plain);
  });

  test("stay alive as long as a context uses them", () => {
    using context = smallContext(model);
    const adapter = model.loadAdapter(lora);
    context.setAdapters([{ adapter }]);
    const pirate = answer(context);
    adapter.dispose();
    expect(() => adapter.metadata).toThrow(DisposedError);
    expect(answer(context)).toEqual(pirate);
    expect(() => context.setAdapters([{ adapter }])).toThrow(DisposedError);
  });

  test("tell what their file says", () => {
    using adapter = model.loadAdapter(lora);
    expect(adapter.metadata.get("general.type")).toBe("adapter");
    expect(adapter.metadata.get("adapter.type")).toBe("lora");
    expect([...adapter.invocationTokens]).toEqual([]);
  });

  test("that do not fit are refused", async () => {
    const cut = join(folder, "cut.gguf");
    copyFileSync(lora, cut);
    truncateSync(cut, 5000);
    for (const [path, message] of [
      [join(folder, "none.gguf"), /none\.gguf/],
      [embeddedModelPath(), /adapter/],
      [cut, /cut\.gguf/],
    ] as const) {
      expect(() => model.loadAdapter(path)).toThrow(ModelLoadError);
      expect(() => model.loadAdapter(path)).toThrow(message);
    }
    using other = await loadFixture("llama");
    expect(() => other.loadAdapter(lora)).toThrow(ModelLoadError);
    using adapter = model.loadAdapter(lora);
    using context = smallContext(other);
    expect(() => context.setAdapters([{ adapter }])).toThrow(/adapters\[0\] belongs to another model/);
    using own = smallContext(model);
    expect(() => own.setAdapters([{ adapter, scale: Number.NaN }])).toThrow(/adapters\[0\]\.scale/);
    expect(() => model.loadAdapter("")).toThrow(TypeError);
  });
});

describe("control vectors", () => {
  const layers = { layerStart: 1, layerEnd: 3 };
  const vector = (value: number) =>
    new ControlVector({ data: new Float32Array(3 * model.embeddingLength).fill(value), ...layers });

  test("of zeros change nothing, others the logits, and taking one off brings them back", () => {
    using context = smallContext(model);
    const logits = () => {
      context.memory.clear();
      feed(context, prompt);
      return context.logits().slice();
    };
    const plain = logits();
    context.setControlVector(vector(0));
    expect(logits()).toEqual(plain);
    context.setControlVector(vector(0.5));
    expect(logits()).not.toEqual(plain);
    context.setControlVector(undefined);
    expect(logits()).toEqual(plain);
  });

  test("are read from files, scaled, with zeros for layers that are left out", () => {
    const width = model.embeddingLength;
    const path = join(folder, "vector.gguf");
    writeVector(path, [
      ["direction.1", width, 1],
      ["direction.3", width, 2],
    ]);
    const read = ControlVector.fromFile(path, { scale: 0.5 });
    expect([read.layerStart, read.layerEnd, read.data.length]).toEqual([1, 3, 3 * width]);
    expect([read.data[0], read.data[width], read.data[2 * width]]).toEqual([0.5, 0, 1]);
    using context = smallContext(model);
    context.setControlVector(read);
    feed(context, prompt);
  });

  test("that are none are refused by name", () => {
    const width = model.embeddingLength;
    const cases: [name: string, tensors: [string, number, number][], message: RegExp][] = [
      ["other", [["weights", width, 1]], /weights is no direction/],
      [
        "uneven",
        [
          ["direction.1", width, 1],
          ["direction.2", 2 * width, 1],
        ],
        /direction\.2 has/,
      ],
      ["far", [["direction.9999", width, 1]], /direction\.9999/],
    ];
    for (const [name, tensors, message] of cases) {
      const path = join(folder, `${name}.gguf`);
      writeVector(path, tensors);
      expect(() => ControlVector.fromFile(path)).toThrow(message);
    }
    writeFileSync(join(folder, "text.gguf"), "hello");
    expect(() => ControlVector.fromFile(join(folder, "text.gguf"))).toThrow(ModelLoadError);
    expect(() => ControlVector.fromFile("")).toThrow(TypeError);
    const data = new Float32Array(width);
    expect(() => new ControlVector({ data: new Float32Array(0), ...layers })).toThrow(/data is empty/);
    expect(() => new ControlVector({ data: data.map(() => Number.NaN), ...layers })).toThrow(/data\[0\]/);
    expect(() => new ControlVector({ data, layerStart: 0, layerEnd: 1 })).toThrow(/layerStart/);
    expect(() => new ControlVector({ data, layerStart: 2, layerEnd: 1 })).toThrow(/layerEnd/);
    expect(() => new ControlVector({ data: [] as never, ...layers })).toThrow(/Float32Array/);
    using context = smallContext(model);
    expect(() => context.setControlVector(new ControlVector({ data: data.subarray(1), ...layers }))).toThrow(
      RangeError,
    );
  });
});

/** Writes a file of directions: name, width and the value of all their elements. */
function writeVector(path: string, tensors: readonly [name: string, width: number, value: number][]): void {
  writeGguf(
    path,
    [{ key: "general.architecture", type: "string", value: "controlvector" }],
    tensors.map(([name, width, value]) => ({
      name,
      shape: [width],
      type: "F32" as const,
      fill: { constant: value },
    })),
    1,
  );
}
