import { RequestError } from "../../lib/errors.ts";
import { isPlainObject, refuse } from "../chat/json-copy.ts";
import { requireFunctionName } from "./function-name.ts";

/** The calls that results may still come for. */
interface Pending {
  readonly ids: Set<string>;
  /** Of the older spelling, which has no ids. */
  name: string | undefined;
}

/**
 * Checks the tool calls of a chat so far, and that each result has its call: in the assistant's message right before the results.
 * Anything else about the messages is checked where they are rendered. Arguments need not be JSON: they are what a model wrote.
 *
 * @throws RequestError whose `field` is the path of the first wrong value, such as `messages[2].tool_call_id`.
 */
export function checkToolHistory(messages: unknown): void {
  if (!Array.isArray(messages)) return;
  let pending: Pending = { ids: new Set(), name: undefined };
  for (const [index, message] of messages.entries()) {
    if (!isPlainObject(message)) continue;
    const field = `messages[${index}]`;
    if (message.role === "tool") checkResult(message.tool_call_id, pending, `${field}.tool_call_id`);
    else if (message.role === "function") checkOldResult(message.name, pending, `${field}.name`);
    else pending = checkCalls(message, field);
  }
}

function checkCalls(message: Record<string, unknown>, field: string): Pending {
  const pending: Pending = { ids: new Set(), name: undefined };
  const { tool_calls: calls, function_call: old } = message;
  if (Array.isArray(calls)) {
    for (const [index, call] of calls.entries()) {
      const at = `${field}.tool_calls[${index}]`;
      if (!isPlainObject(call) || !isPlainObject(call.function)) continue;
      if (typeof call.id !== "string" || call.id === "")
        refuse(`${at}.id`, call.id, "a string that is not empty");
      if (pending.ids.has(call.id)) {
        throw new RequestError(
          `${at}.id is ${JSON.stringify(call.id)}, as that of a call before; make it unique`,
          `${at}.id`,
        );
      }
      pending.ids.add(call.id);
      checkCall(call.function, `${at}.function`);
    }
  }
  if (isPlainObject(old)) {
    checkCall(old, `${field}.function_call`);
    pending.name = old.name as string;
  }
  return pending;
}

function checkCall(call: Record<string, unknown>, field: string): void {
  requireFunctionName(call.name, `${field}.name`);
  const { arguments: given } = call;
  // Some clients pass an object.
  if (typeof given !== "string" && !isPlainObject(given))
    refuse(`${field}.arguments`, given, "a string of JSON, or an object");
}

function checkResult(id: unknown, pending: Pending, field: string): void {
  if (typeof id !== "string") refuse(field, id, "the id of a tool call");
  if (pending.ids.delete(id)) return;
  const ids = [...pending.ids].map((known) => JSON.stringify(known)).join(", ");
  throw new RequestError(
    `${field} is ${JSON.stringify(id)}, for which there is no call in the assistant's message before` +
      (ids === "" ? "" : `; open are: ${ids}`),
    field,
  );
}

function checkOldResult(name: unknown, pending: Pending, field: string): void {
  requireFunctionName(name, field);
  if (pending.name === undefined || pending.name !== name) {
    throw new RequestError(
      `${field} is ${JSON.stringify(name)}, which the message before does not call`,
      field,
    );
  }
  pending.name = undefined;
}

/** The messages with results in the order of their calls: templates that write no ids have nothing else to tell them by. */
export function withResultsInOrder<M>(messages: readonly M[]): M[] {
  const ordered: M[] = [];
  let order = new Map<unknown, number>();
  let results: M[] = [];
  const place = (message: M) => order.get(fieldsOf(message).tool_call_id) ?? order.size;
  const flush = () => {
    ordered.push(...results.sort((one, other) => place(one) - place(other)));
    results = [];
  };
  for (const message of messages) {
    const { role, tool_calls: calls } = fieldsOf(message);
    if (role === "tool") {
      results.push(message);
      continue;
    }
    flush();
    ordered.push(message);
    const ids = Array.isArray(calls) ? calls.map((call: { id?: unknown }) => call?.id) : [];
    order = new Map(ids.map((id, index) => [id, index]));
  }
  flush();
  return ordered;
}

function fieldsOf(message: unknown): Record<string, unknown> {
  return isPlainObject(message) ? message : {};
}
