import type { Context, MiddlewareHandler } from "hono";
import type { z } from "zod";
import { HttpError } from "./errors.ts";

/** Levels of lists and objects that a body may have; a parser that recurses has an end. */
const deepest = 64;

/** Whether brackets nest further than {@link deepest}, without building what they hold. */
function nestsTooDeep(text: string): boolean {
  let depth = 0;
  let inText = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inText) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inText = false;
    } else if (code === 0x22) inText = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > deepest) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

/** What Bun's server can be told for one request; elsewhere, and in process, there is none. */
interface BunServer {
  timeout?(request: Request, seconds: number): void;
}

/** The body of a request as JSON, whatever its content type says. @throws HttpError */
export async function readJson(c: Context): Promise<unknown> {
  const bytes = await c.req.arrayBuffer();
  // Bun ends what is silent for long. Who sends half a request shall not stay, who waits for an answer shall.
  (c.env as BunServer | undefined)?.timeout?.(c.req.raw, 0);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpError("invalid_request_error", "the body is not valid UTF-8");
  }
  if (text.trim() === "") {
    throw new HttpError("invalid_request_error", "the body is empty; send a JSON object");
  }
  if (nestsTooDeep(text)) {
    throw new HttpError("invalid_request_error", `the body nests deeper than ${deepest} levels`);
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new HttpError("invalid_request_error", `the body is not valid JSON: ${(error as Error).message}`);
  }
}

function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`,
    "",
  );
}

type Issue = z.core.$ZodIssue;

/** The issue that is most to the point: of a union the member that the value came closest to. */
function pointed(issue: Issue): Issue {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return issue;
  const candidates = issue.errors.flatMap((issues) => (issues[0] ? [pointed(issues[0])] : []));
  const deepestPath = Math.max(...candidates.map(({ path }) => path.length));
  const best = candidates.filter(({ path }) => path.length === deepestPath);
  if (deepestPath === 0) return issue;
  return { ...best[0]!, path: [...issue.path, ...best[0]!.path] };
}

/** What is at a path of a value; undefined where there is nothing. */
function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

/** What an issue says, of a value that may be missing or of none of several types. */
function wording(issue: Issue, value: unknown): string {
  if (issue.code !== "custom" && valueAt(value, issue.path) === undefined) return "is missing";
  if (issue.code !== "invalid_union") return issue.message.replace(/^Invalid input: /, "");
  const expected = issue.errors.flatMap(([first]) =>
    first?.code === "invalid_type" ? [first.expected] : [],
  );
  return expected.length === 0 ? issue.message : `must be ${[...new Set(expected)].join(" or ")}`;
}

/** Checks a value against a schema. @throws HttpError naming the field. */
export function checked<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = pointed(result.error.issues[0]!);
  if (issue.code === "unrecognized_keys") {
    const name = pathOf([...issue.path, issue.keys[0]!]).slice(0, 100);
    throw new HttpError("invalid_request_error", `${name} is not a field that cria knows; leave it out`, {
      param: name,
    });
  }
  const field = pathOf(issue.path);
  const message = wording(issue, value);
  throw new HttpError(
    "invalid_request_error",
    field === "" ? `the body: ${message}` : `${field}: ${message}`,
    {
      param: field === "" ? null : field,
    },
  );
}

/** Reads and checks the body of a request; handlers get it with `c.req.valid("json")`. */
export function body<S extends z.ZodType>(
  schema: S,
): MiddlewareHandler<object, string, { in: { json: z.input<S> }; out: { json: z.output<S> } }> {
  return async (c, next) => {
    c.req.addValidatedData("json", checked(schema, await readJson(c)) as object);
    await next();
  };
}
