// Tokenises long texts, so that the calling thread goes on meanwhile.
import { parentPort, workerData } from "node:worker_threads";
import { loadLibrary, releaseBackends } from "../../ffi/index.ts";
import { Model } from "../model.ts";
import { endThread } from "./end-thread.ts";
import { errorToJson } from "./protocol.ts";
import type { TextQuestion, TextWorkerData } from "./text-thread.ts";

const { path, pointer, model: options } = workerData as TextWorkerData;
const port = parentPort!;
const model = Model.borrow(await loadLibrary(options), { path, pointer }, options);

/** Characters per token that no usual text has. */
const manyCharacters = 16;
let longestPiece = 0;

/**
 * How many tokens a text has at the least. What cannot fit is not worth tokenising: libllama's time for it grows with the
 * square of its control tokens. A tokenizer that drops characters, such as white space, tells nothing.
 */
function leastTokens(text: string, most: number): number {
  const { vocab } = model;
  if (text.length <= manyCharacters * most || (vocab.type !== "bpe" && vocab.type !== "spm")) return 0;
  if (longestPiece === 0) {
    for (let token = 0; token < vocab.size; token++)
      longestPiece = Math.max(longestPiece, vocab.pieceBytes(token, { special: true }).length);
  }
  return Math.ceil(text.length / longestPiece);
}

port.on("message", async (question: TextQuestion | "close") => {
  if (question === "close") {
    model.dispose();
    await releaseBackends();
    port.postMessage("closed");
    endThread(port);
    return;
  }
  const { id, text, most, addSpecial, parseSpecial } = question;
  try {
    const least = leastTokens(text, most);
    if (least > most) {
      port.postMessage({ id, least });
      return;
    }
    const tokens = model.vocab.tokenize(text, { addSpecial, parseSpecial }).slice();
    port.postMessage({ id, tokens }, [tokens.buffer]);
  } catch (error) {
    port.postMessage({ id, error: errorToJson(error) });
  }
});
