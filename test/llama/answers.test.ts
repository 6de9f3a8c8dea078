import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { z } from "zod";
import type { ChatFunctionTool } from "../../src/chat/index.ts";
import { addDelta } from "../../src/llama/answer-pieces.ts";
import type { ChatCompletionChoice, ChatCompletionParams } from "../../src/llama/types.ts";
import { Llama } from "../../src/llama.ts";
import { scripted } from "../support/scripted.ts";

setDefaultTimeout(30_000);

/** ChatML with thoughts, and calls as Hermes has them. */
const thinking = `{% if tools %}<|im_start|>system
{{ tools | tojson }}<|im_end|>
{% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}{% if message.tool_calls %}{% for call in message.tool_calls %}
<tool_call>
{{ call.function | tojson }}
</tool_call>{% endfor %}{% endif %}<|im_end|>
{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
<think>
{% endif %}`;

const tools: ChatFunctionTool[] = ["get_weather", "get_time"].map((name) => ({
  type: "function",
  function: {
    name,
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
}));
const messages = [{ role: "user" as const, content: "What is the weather in Oslo?" }];
const call = '<tool_call>\n{"name": "get_weather", "arguments": {"city": "Oslo"}}\n</tool_call>';
const oslo = { name: "get_weather", arguments: '{"city": "Oslo"}' };

let llama: Llama;
let thinker: Llama;
beforeAll(async () => {
  const options = { contextLength: 1024, threads: 1, flashAttention: false } as const;
  llama = await Llama.load(undefined, options);
  thinker = await Llama.load(undefined, { ...options, chatTemplate: thinking });
});
afterAll(async () => {
  await llama.close();
  await thinker.close();
});

/** What comes of an answer: whole, and streamed, which must be the same. */
async function answerOf(
  model: Llama,
  text: string,
  params: Partial<ChatCompletionParams> = {},
): Promise<ChatCompletionChoice> {
  const all = () => ({
    messages,
    tools,
    temperature: 0,
    max_tokens: 200,
    ...params,
    logits_processors: scripted(model, text),
  });
  const { choices } = await model.createChatCompletion({ ...all(), stream: false });
  const message: ChatCompletionChoice["message"] = { role: "assistant", content: "", refusal: null };
  let reason: string | null = null;
  for await (const chunk of model.createChatCompletion({ ...all(), stream: true })) {
    addDelta(message, chunk.choices[0]!.delta);
    reason = chunk.choices[0]!.finish_reason;
  }
  const { parsed: _, ...whole } = choices[0]!.message;
  expect(reason).toBe(choices[0]!.finish_reason);
  expect({ ...message, tool_calls: callsOf(message), content: message.content || null }).toEqual({
    ...whole,
    tool_calls: callsOf(whole),
    content: whole.content || null,
  } as never);
  return choices[0]!;
}

const callsOf = ({ tool_calls: calls = [] }: ChatCompletionChoice["message"]) =>
  calls.map((one) => one.function);

describe("a word that begins calls", () => {
  test("does not count inside a thought", async () => {
    const { message, finish_reason } = await answerOf(
      thinker,
      "Should I write <tool_call> here? No.\n</think>\n\nFine.",
    );
    expect(message).toEqual({
      role: "assistant",
      content: "Fine.",
      refusal: null,
      reasoning_content: "Should I write <tool_call> here? No.",
    });
    expect(finish_reason).toBe("stop");
  });

  test("counts behind it", async () => {
    const { message, finish_reason } = await answerOf(thinker, `Hm <tool_call>.\n</think>\n\nSo: ${call}`);
    expect(message).toMatchObject({ content: "So:", reasoning_content: "Hm <tool_call>." });
    expect([callsOf(message), finish_reason]).toEqual([[oslo], "tool_calls"]);
    // Whatever the model would write, a call that is begun becomes one.
    const begun = await answerOf(thinker, "Hm.\n</think>\n\n<tool_call> is a word");
    expect(callsOf(begun.message)[0]!.name).toStartWith("get_");
  });

  test("is more than JSON with a name, where calls are plain JSON", async () => {
    for (const tool_format of ["llama3", "plain-json"]) {
      const anna = '{"name": "Anna", "age": 30}';
      const { message } = await answerOf(llama, anna, { tool_format });
      expect([message.content, message.tool_calls]).toEqual([anna, undefined]);
      const key = tool_format === "llama3" ? "parameters" : "arguments";
      const called = await answerOf(llama, `{"name": "get_time", "${key}": {"city": "Oslo"}}`, {
        tool_format,
      });
      expect(callsOf(called.message)).toEqual([{ ...oslo, name: "get_time" }]);
    }
  });

  test("a thought without end may end the answer", async () => {
    const { message, finish_reason } = await answerOf(thinker, "Hm, I do not know");
    expect(message).toMatchObject({ content: "", reasoning_content: "Hm, I do not know" });
    expect(finish_reason).toBe("stop");
  });
});

describe("what ends a call early", () => {
  test("a stop string within it is no reason to carry it out", async () => {
    const { message, finish_reason } = await answerOf(llama, call, { stop: ["slo"] });
    expect(finish_reason).toBe("stop");
    expect(callsOf(message)).toEqual([{ name: "get_weather", arguments: '{"city": "O' }]);
  });

  test("one behind its arguments changes nothing", async () => {
    const { message, finish_reason } = await answerOf(llama, call, { stop: ["</tool_call>"] });
    expect([callsOf(message), finish_reason]).toEqual([[oslo], "tool_calls"]);
  });

  test("max_tokens", async () => {
    for (let max_tokens = 1; max_tokens < 12; max_tokens++) {
      const { message, finish_reason } = await answerOf(llama, call, { max_tokens });
      expect(finish_reason).toBe("length");
      const [first] = callsOf(message);
      if (first) expect(oslo.arguments).toStartWith(first.arguments);
    }
  });

  test("a stop string within a thought", async () => {
    const { message, finish_reason } = await answerOf(thinker, "One two three.\n</think>\n\nFour.", {
      stop: "two",
    });
    expect(message).toMatchObject({ content: "", reasoning_content: "One" });
    expect(finish_reason).toBe("stop");
  });
});

describe("tools beside a shape", () => {
  const response_format = z.object({ city: z.string(), degrees: z.int() });
  const asJson = { type: "json_schema", json_schema: { schema: z.toJSONSchema(response_format) } } as const;
  const text = '{"city": "Oslo", "degrees": 21}';

  test("the answer is calls, of which nothing is parsed", async () => {
    const { message, finish_reason } = await answerOf(llama, call, { response_format });
    expect(finish_reason).toBe("tool_calls");
    expect(message).toMatchObject({ content: null, parsed: null });
    expect(callsOf(message)).toEqual([oslo]);
  });

  test("or content of the shape", async () => {
    for (const shape of [
      { response_format },
      { response_format: asJson },
      { json_schema: response_format },
    ]) {
      const { message, finish_reason } = await answerOf(llama, text, shape);
      expect([finish_reason, message.content, callsOf(message)]).toEqual(["stop", text, []]);
      if (!("response_format" in shape) || shape.response_format === response_format)
        expect(message.parsed).toEqual({ city: "Oslo", degrees: 21 });
    }
    const loose = await answerOf(llama, '{"any": [1]}', { response_format: { type: "json_object" } });
    expect(loose.message.content).toBe('{"any": [1]}');
  });

  test("or neither, which the grammar does not let through", async () => {
    const { message } = await answerOf(llama, "It is sunny.", { response_format: asJson, max_tokens: 60 });
    expect(message.content ?? message.tool_calls).not.toContain("sunny");
    expect(message.content?.startsWith("{") ?? callsOf(message).length > 0).toBe(true);
  });

  test("behind a thought", async () => {
    const thought = "It says <tool_call> and {.\n</think>\n\n";
    const said = await answerOf(thinker, thought + text, { response_format: asJson });
    expect(said.message).toMatchObject({ content: text, reasoning_content: "It says <tool_call> and {." });
    const called = await answerOf(thinker, thought + call, { response_format: asJson });
    expect(callsOf(called.message)).toEqual([oslo]);
  });

  test("content of the shape that looks like a call is content", async () => {
    const nested = { list: [{ name: "get_weather", arguments: { city: "Oslo" } }] };
    const schema = { type: "object", properties: { list: { type: "array", items: { type: "object" } } } };
    for (const tool_format of ["hermes", "llama3", "plain-json"]) {
      const { message } = await answerOf(llama, JSON.stringify(nested), { json_schema: schema, tool_format });
      expect([message.content, message.tool_calls]).toEqual([JSON.stringify(nested), undefined]);
    }
  });

  test("where there must be a call the shape says nothing, but is looked at", async () => {
    const { message } = await answerOf(llama, call, { response_format, tool_choice: "required" });
    expect(callsOf(message)).toEqual([oslo]);
    const wrong = answerOf(llama, call, { json_schema: { $ref: "#/no" }, tool_choice: "required" });
    await expect(wrong).rejects.toMatchObject({ field: "json_schema" });
    const grammar = answerOf(llama, call, { grammar: 'root ::= "x"' });
    await expect(grammar).rejects.toMatchObject({ field: "grammar" });
  });
});

test("an answer that goes on with a message is within its thought, or behind it", async () => {
  const goOn = (content: string) => ({
    messages: [...messages, { role: "assistant" as const, content }],
    add_generation_prompt: false,
    tools: [],
    response_format: { type: "json_object" } as const,
  });
  const within = await answerOf(thinker, 'more.\n</think>\n\n{"a": 1}', goOn("<think>\nSome and"));
  expect(within.message).toMatchObject({ content: '{"a": 1}', reasoning_content: "more." });
  const behind = await answerOf(thinker, '"a": 1}', {
    ...goOn("<think>\nSome.</think>{"),
    response_format: null,
    grammar: 'root ::= "\\"a\\": 1}"',
  });
  expect(behind.message).toMatchObject({ content: '"a": 1}' });
});

describe("formats of messages", () => {
  const harmony = { tool_format: "harmony", response_format: { type: "json_object" } } as const;
  const header = "<|channel|>final<|message|>";

  test("a shape stands behind the header, and thoughts before it", async () => {
    const thought = "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant";
    for (const before of ["", thought]) {
      const { message } = await answerOf(llama, `${before}${header}{"a": 1}`, { ...harmony, tools: [] });
      expect(message.content).toBe('{"a": 1}');
      expect(message.reasoning_content).toBe(before === "" ? undefined : "Hm.");
    }
  });

  test("calls or the shape", async () => {
    const call =
      '<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Oslo"}';
    expect(callsOf((await answerOf(llama, call, harmony)).message)).toEqual([oslo]);
    expect((await answerOf(llama, `${header}{"a": 1}`, harmony)).message.content).toBe('{"a": 1}');
  });

  test("a thought that has used up its tokens is closed, and the answer begun", async () => {
    const template =
      "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}" +
      "{% if add_generation_prompt %}<|im_start|>assistant\n<|channel|>analysis<|message|>{% endif %}";
    await using model = await Llama.load(undefined, {
      contextLength: 512,
      threads: 1,
      flashAttention: false,
      chatTemplate: template,
    });
    const { choices } = await model.createChatCompletion({
      messages: [{ role: "user", content: "What is the capital of France?" }],
      temperature: 0,
      // The model does not know such headers, and would end at once.
      ignore_eos: true,
      max_tokens: 80,
      reasoning_budget_tokens: 3,
      reasoning_budget_message: " Enough.",
    });
    const { message } = choices[0]!;
    expect(message.reasoning_content).toMatch(/^\S.* Enough\.$/);
    expect(message.content).toMatch(/^[^<|]+$/);
  });
});

describe("histories as clients write them", () => {
  const called = (id: string, name: string, text: string) => ({
    id,
    type: "function" as const,
    function: { name, arguments: text },
  });

  test("results in another order are told in that of the calls", () => {
    const history = (ids: string[]) => [
      ...messages,
      {
        role: "assistant" as const,
        content: null,
        tool_calls: [called("a", "get_weather", "{}"), called("b", "get_time", "{}")],
      },
      ...ids.map((id) => ({ role: "tool" as const, tool_call_id: id, content: `result of ${id}` })),
    ];
    const [ordered, other] = [
      ["a", "b"],
      ["b", "a"],
    ].map((ids) => llama.applyChatTemplate({ messages: history(ids), tools }));
    expect(other).toBe(ordered!);
    expect(ordered).toContain("result of a");
  });

  test("arguments that are no JSON, and empty ones, are shown as they were written", () => {
    for (const text of ['{"city": "Os', "", '"Oslo"', "[1]"]) {
      const tool_calls = [called("a", "get_weather", text)];
      const history = [...messages, { role: "assistant" as const, content: "", tool_calls }];
      const written = (model: Llama) =>
        /"name": "get_weather", "arguments": (.*)\}\n/.exec(
          model.applyChatTemplate({ messages: history }),
        )![1];
      // One template writes arguments as text, the other wants objects.
      expect(written(llama)).toBe(text || "{}");
      expect(written(thinker)).toBe(text === "" ? "{}" : JSON.stringify(text));
    }
  });

  test("calls are told to a template that knows none, with functions or without", async () => {
    await using model = await Llama.load(undefined, {
      contextLength: 512,
      threads: 1,
      chatTemplateName: "gemma",
    });
    const history = [
      ...messages,
      { role: "assistant" as const, content: null, tool_calls: [called("a", "get_weather", "{}")] },
      { role: "tool" as const, tool_call_id: "a", content: "sunny" },
    ];
    for (const given of [{}, { tools, tool_choice: "none" as const }]) {
      const prompt = model.applyChatTemplate({ messages: history, ...given });
      expect(prompt).toContain("Result of get_weather:\nsunny");
      expect(prompt).not.toContain("You can call");
    }
  });

  test("several calls are made only where the template could write them again", async () => {
    const single = thinking.replace(
      "{% if message.tool_calls %}",
      "{% if message.tool_calls and message.tool_calls | length == 1 %}",
    );
    await using model = await Llama.load(undefined, { contextLength: 512, threads: 1, chatTemplate: single });
    const two = `No.\n</think>\n\n${call}\n${call}`;
    expect(callsOf((await answerOf(thinker, two)).message)).toEqual([oslo, oslo]);
    expect(callsOf((await answerOf(model, two)).message)).toEqual([oslo]);
  });

  test("thoughts of earlier answers are told under the name that the template knows", () => {
    const template =
      "{% for message in messages %}[{{ message.role }}{% if message.thinking %} thinks {{ message.thinking }}{% endif %}" +
      "{% if message.tool_calls %} calls {{ message.tool_calls[0].function | tojson }}{% endif %}: {{ message.content }}]{% endfor %}";
    const tool_calls = [called("a", "get_weather", "{}")];
    const history = [
      ...messages,
      { role: "assistant" as const, content: "Wait.", reasoning_content: "hm", tool_calls },
      { role: "tool" as const, tool_call_id: "a", content: "sunny" },
      { role: "assistant" as const, content: "It is.", reasoning_content: "so" },
    ];
    const prompt = new Llama(llama.engine, { chatTemplate: template }).applyChatTemplate({
      messages: history,
    });
    expect(prompt).toContain('[assistant thinks hm calls {"name": "get_weather"');
    expect(prompt).toContain("Wait.");
    expect(prompt).toEndWith("[assistant thinks so: It is.]");
  });

  test("no effort is no thought", () => {
    const template = "{{ enable_thinking }} {{ reasoning_effort }} {{ messages[0].content }}";
    const written = (params: object) =>
      new Llama(llama.engine, { chatTemplate: template }).applyChatTemplate({ messages, ...params });
    expect(written({ reasoning_effort: "none" })).toStartWith("False ");
    expect(written({ reasoning_effort: "low", chat_template_kwargs: { enable_thinking: true } })).toStartWith(
      "True low",
    );
  });
});

test("a tool without parameters, or with an empty list of them, is called with none", async () => {
  for (const parameters of [undefined, {}, { type: "object", properties: {} }]) {
    const now: ChatFunctionTool = {
      type: "function",
      function: { name: "now", ...(parameters && { parameters }) },
    };
    const { message } = await answerOf(llama, '<tool_call>\n{"name": "now", "arguments": {}}\n</tool_call>', {
      tools: [now],
    });
    expect(callsOf(message)).toEqual([{ name: "now", arguments: "{}" }]);
  }
  const now: ChatFunctionTool = {
    type: "function",
    function: { name: "now", parameters: { type: "object", properties: {} } },
  };
  const { message } = await answerOf(llama, '<tool_call>\n{"name": "now", "arguments": {"zone": 1}}', {
    tools: [now],
  });
  expect(callsOf(message)).toEqual([{ name: "now", arguments: "{}" }]);
});

test("parameters behind a reference are those that it points to", async () => {
  const parameters = {
    $ref: "#/definitions/place",
    definitions: { place: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } },
  };
  const tool: ChatFunctionTool = { type: "function", function: { name: "get_weather", parameters } };
  const text =
    "<tool_call>\n<function=get_weather>\n<parameter=city>\n7\n</parameter>\n</function>\n</tool_call>";
  const { message } = await answerOf(llama, text, { tools: [tool], tool_format: "qwen3-coder" });
  expect(callsOf(message)).toEqual([{ name: "get_weather", arguments: '{"city": "7"}' }]);
});
