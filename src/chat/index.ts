export { BUILTIN_TEMPLATES, type BuiltinTemplateName } from "./builtin-templates.ts";
export type { TemplateCapabilities } from "./capabilities.ts";
export { ChatTemplate } from "./chat-template.ts";
export {
  type ResolveChatTemplateOptions,
  resolveChatTemplate,
  type TemplateMetadata,
} from "./resolve-chat-template.ts";
export type * from "./types.ts";
