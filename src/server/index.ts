export { type App, createApp, drain } from "./app.ts";
export type { RequestEntry, ServerLog, ServerOptions } from "./options.ts";
