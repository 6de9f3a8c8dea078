import { html, raw } from "hono/html";
import type { openapiDocument } from "./openapi.ts";

type Schema = {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  enum?: unknown[];
  const?: unknown;
  items?: Schema;
};

/** A schema in a few words. */
function words(schema: Schema): string {
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const several = schema.anyOf ?? schema.oneOf;
  if (several) return [...new Set(several.map(words))].filter((word) => word !== "null").join(" | ");
  if (schema.items) return `list of ${words(schema.items)}`;
  return [schema.type ?? "any"].flat().join(" | ");
}

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  h2 { font-size: 1.1rem; margin: 2rem 0 0; } code { font: 0.9em ui-monospace, monospace; }
  .method { display: inline-block; min-width: 3.2rem; font-weight: 600; color: #0a6; text-transform: uppercase; }
  details { margin: 0.3rem 0; } td { padding: 0.1rem 1rem 0.1rem 0; vertical-align: top; } table { border-collapse: collapse; }
  @media (prefers-color-scheme: dark) { body { background: #161616; color: #ddd; } a { color: #8bf; } }
`;

function fields(schema: Schema) {
  const entries = Object.entries(schema.properties ?? {});
  if (entries.length === 0) return html`<p><code>${words(schema)}</code></p>`;
  const required = new Set(schema.required);
  return html`<details><summary>${entries.length} fields</summary><table>${entries.map(
    ([name, field]) =>
      html`<tr><td><code>${name}</code>${required.has(name) ? " (required)" : ""}</td><td><code>${words(field)}</code></td></tr>`,
  )}</table></details>`;
}

/** A page about all endpoints, without scripts. */
export function docsPage({ info, paths }: ReturnType<typeof openapiDocument>) {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, operation]) =>
        ({ path, method, ...operation }) as {
          path: string;
          method: string;
          summary: string;
          requestBody?: { content: { "application/json": { schema: Schema } } };
        },
    ),
  );
  return html`<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${info.title}</title>
<meta name="viewport" content="width=device-width"><style>${raw(style)}</style></head>
<body><h1>${info.title}</h1><p>${info.description} Machine-readable: <a href="openapi.json">openapi.json</a>.</p>
${operations.map(
  ({
    path,
    method,
    summary,
    requestBody,
  }) => html`<h2><span class="method">${method}</span> <code>${path}</code></h2>
<p>${summary}.</p>${requestBody ? fields(requestBody.content["application/json"].schema) : ""}`,
)}</body></html>`;
}
