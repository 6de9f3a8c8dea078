import { BUILTIN_TEMPLATES, type BuiltinTemplateName } from "./builtin-templates.ts";
import { ChatTemplate } from "./chat-template.ts";
import { describe } from "./json-copy.ts";
import type { RenderLimits } from "./types.ts";

/** Metadata of a GGUF file, by key. */
export type TemplateMetadata = ReadonlyMap<string, unknown> | Readonly<Record<string, unknown>>;

export interface ResolveChatTemplateOptions {
  /** Jinja source that the caller chose. */
  explicit?: string | undefined;
  /** Short name of a built-in format. */
  named?: BuiltinTemplateName | (string & {}) | undefined;
  /** The model's metadata, whose `tokenizer.chat_template` is used. */
  metadata?: TemplateMetadata | undefined;
  bosToken?: string | undefined;
  eosToken?: string | undefined;
  limits?: Partial<RenderLimits> | undefined;
}

const METADATA_KEY = "tokenizer.chat_template";

/**
 * Chooses a chat template: the explicit source, else the named built-in, else the model's own, else ChatML.
 *
 * @throws RangeError when `named` is unknown; TypeError when both `explicit` and `named` are given.
 * @throws TemplateError when the chosen source is not a template; it is not passed over in silence.
 */
export function resolveChatTemplate(options: ResolveChatTemplateOptions = {}): ChatTemplate {
  const { explicit, named, metadata, bosToken = "", eosToken = "", limits = {} } = options;
  const create = (source: string, name: string) =>
    new ChatTemplate(source, { bosToken, eosToken, name, limits });
  if (explicit !== undefined && named !== undefined) {
    throw new TypeError("explicit and named are both given; leave one of them out");
  }
  if (explicit !== undefined) return create(explicit, "explicit");
  if (named !== undefined) return create(builtinSource(named), named);
  const own = readMetadata(metadata, METADATA_KEY);
  if (typeof own === "string" && own.trim() !== "") return create(own, METADATA_KEY);
  return create(BUILTIN_TEMPLATES.chatml, "chatml");
}

function builtinSource(name: string): string {
  if (Object.hasOwn(BUILTIN_TEMPLATES, name)) return BUILTIN_TEMPLATES[name as BuiltinTemplateName];
  const names = Object.keys(BUILTIN_TEMPLATES).join(", ");
  throw new RangeError(`named is ${describe(name)}; built-in chat templates: ${names}`);
}

function readMetadata(metadata: TemplateMetadata | undefined, key: string): unknown {
  if (metadata === undefined) return undefined;
  return metadata instanceof Map ? metadata.get(key) : (metadata as Readonly<Record<string, unknown>>)[key];
}
