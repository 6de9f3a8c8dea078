import { describe, expect, test } from "bun:test";
import { TemplateError } from "../../lib/errors.ts";
import { ChatTemplate, resolveChatTemplate } from "../../src/chat/index.ts";

const KEY = "tokenizer.chat_template";

describe("which template is chosen", () => {
  test("the explicit source before the model's", () => {
    const template = resolveChatTemplate({ explicit: "mine", metadata: { [KEY]: "theirs" } });
    expect([template.source, template.name]).toEqual(["mine", "explicit"]);
  });

  test("the named format before the model's", () => {
    expect(resolveChatTemplate({ named: "gemma", metadata: { [KEY]: "theirs" } }).name).toBe("gemma");
  });

  test("the model's, from a record or a map", () => {
    for (const metadata of [{ [KEY]: "theirs" }, new Map([[KEY, "theirs"]])]) {
      const template = resolveChatTemplate({ metadata });
      expect([template.source, template.name]).toEqual(["theirs", KEY]);
    }
  });

  test("ChatML where the model has none", () => {
    for (const metadata of [undefined, {}, new Map(), { [KEY]: "" }, { [KEY]: 3 }]) {
      expect(resolveChatTemplate({ metadata }).name).toBe("chatml");
    }
  });

  test("tokens are handed on", () => {
    const template = resolveChatTemplate({
      explicit: "{{ bos_token }}|{{ eos_token }}",
      bosToken: "<s>",
      eosToken: "</s>",
    });
    expect(template.render([{ role: "user", content: "x" }])).toBe("<s>|</s>");
  });
});

describe("what is refused", () => {
  test("an unknown name, with the known ones", () => {
    expect(() => resolveChatTemplate({ named: "gemini" })).toThrow(RangeError);
    expect(() => resolveChatTemplate({ named: "gemini" })).toThrow(
      /"gemini"; built-in chat templates: chatml, .*gemma/,
    );
    expect(() => resolveChatTemplate({ named: "constructor" })).toThrow(RangeError);
  });

  test("a name beside a source", () => {
    expect(() => resolveChatTemplate({ named: "gemma", explicit: "x" })).toThrow(TypeError);
  });

  test("a model's template that is broken: nothing is put in its place", () => {
    expect(() => resolveChatTemplate({ metadata: { [KEY]: "{% if %}" } })).toThrow(TemplateError);
    expect(() => resolveChatTemplate({ metadata: { [KEY]: "{% if %}" } })).toThrow(KEY);
  });

  test("a source that is not text", () => {
    expect(() => new ChatTemplate(7 as unknown as string)).toThrow(TypeError);
  });
});
