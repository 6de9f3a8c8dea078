// Makes grammars of schemas and tools, so that the calling thread goes on meanwhile.
import { parentPort } from "node:worker_threads";
import { errorToJson } from "../engine/protocol.ts";
import { answerQuestion, type ShapeQuestion } from "./shape-question.ts";
import type { ShapeReply } from "./shape-thread.ts";

const port = parentPort!;

port.on("message", ({ id, question }: { id: number; question: ShapeQuestion }) => {
  let reply: ShapeReply;
  try {
    reply = { id, parts: answerQuestion(question).parts };
  } catch (error) {
    reply = { id, error: errorToJson(error) };
  }
  port.postMessage(reply);
});
