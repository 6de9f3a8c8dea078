import { type ChatTemplate, resolveChatTemplate } from "../chat/index.ts";
import type { Model } from "../model.ts";

export interface TemplateChoice {
  /** Jinja source to use instead of the model's own chat template. */
  chatTemplate?: string | undefined;
  /** Short name of a built-in chat template. */
  chatTemplateName?: string | undefined;
}

/** The chat template for a model: the one that was chosen, else its own. @throws TemplateError for a bad one. */
export function modelTemplate(
  { vocab, metadata }: Model,
  { chatTemplate, chatTemplateName }: TemplateChoice,
): ChatTemplate {
  return resolveChatTemplate({
    explicit: chatTemplate,
    named: chatTemplateName,
    metadata,
    bosToken: vocab.specialText(vocab.bos),
    eosToken: vocab.specialText(vocab.eos),
  });
}
