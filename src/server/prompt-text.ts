import type { Service } from "./service.ts";

/** What a chat template wrote as it is tokenised: a BOS that the template writes itself must not come twice. */
export function promptText({ engine, template: { bosToken } }: Service, text: string): string {
  const hasBos = engine.model.vocab.addBos && bosToken !== "" && text.startsWith(bosToken);
  return hasBos ? text.slice(bosToken.length) : text;
}
