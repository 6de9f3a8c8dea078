// Tokenises long texts, so that the calling thread goes on meanwhile.
import { parentPort, workerData } from "node:worker_threads";
import { loadLibrary, releaseBackends } from "../../ffi/index.ts";
import { Model } from "../model.ts";
import { errorToJson } from "./protocol.ts";
import type { TextQuestion, TextWorkerData } from "./text-thread.ts";

const { path, pointer, model: options } = workerData as TextWorkerData;
const port = parentPort!;
const model = Model.borrow(await loadLibrary(options), { path, pointer }, options);

port.on("message", async (question: TextQuestion | "close") => {
  if (question === "close") {
    model.dispose();
    await releaseBackends();
    port.postMessage("closed");
    port.close();
    return;
  }
  const { id, text, addSpecial, parseSpecial } = question;
  try {
    const tokens = model.vocab.tokenize(text, { addSpecial, parseSpecial }).slice();
    port.postMessage({ id, tokens }, [tokens.buffer]);
  } catch (error) {
    port.postMessage({ id, error: errorToJson(error) });
  }
});
