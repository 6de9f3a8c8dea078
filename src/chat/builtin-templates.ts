const SYSTEM_BEFORE_USER = `
{%- set pending = namespace(text='') %}
{%- macro take() %}
    {%- if pending.text %}{{ pending.text + '\\n\\n' }}{% set pending.text = '' %}{% endif %}
{%- endmacro %}`;

/** Turns of `prefix role middle text suffix`, the shape most formats share. */
function headerFormat(
  prefix: string,
  middle: string,
  suffix: string,
  options: { trim?: boolean } = {},
): string {
  const text = options.trim ? "message.content | trim" : "message.content";
  return (
    `{% for message in messages %}{{ '${prefix}' + message.role + '${middle}' + (${text}) + '${suffix}' }}{% endfor %}` +
    `{% if add_generation_prompt %}{{ '${prefix}assistant${middle}' }}{% endif %}`
  );
}

/** Formats that differ in the words for the three roles. */
function turnFormat(turns: { system: string; user: string; assistant: string; prompt: string }): string {
  return (
    "{% for message in messages %}" +
    `{% if message.role == 'system' %}{{ ${turns.system} }}` +
    `{% elif message.role == 'user' %}{{ ${turns.user} }}` +
    `{% elif message.role == 'assistant' %}{{ ${turns.assistant} }}` +
    "{% else %}{{ raise_exception('this format has no role ' + message.role) }}{% endif %}" +
    `{% endfor %}{% if add_generation_prompt %}{{ '${turns.prompt}' }}{% endif %}`
  );
}

const GEMMA = `${SYSTEM_BEFORE_USER}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {%- set pending.text = pending.text + (message.content | trim) %}
    {%- elif message.role == 'user' %}
        {{- '<start_of_turn>user\\n' + take() + (message.content | trim) + '<end_of_turn>\\n' }}
    {%- elif message.role == 'assistant' %}
        {{- '<start_of_turn>model\\n' + (message.content | trim) + '<end_of_turn>\\n' }}
    {%- else %}
        {{- raise_exception('this format has no role ' + message.role) }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}`;

const LLAMA2 = `{{- '[INST] ' }}
{%- for message in messages %}
    {%- if not loop.first and loop.previtem.role == 'assistant' %}{{ '[INST] ' }}{% endif %}
    {%- if message.role == 'system' %}
        {{- '<<SYS>>\\n' + message.content + '\\n<</SYS>>\\n\\n' }}
    {%- elif message.role == 'user' %}
        {{- message.content + ' [/INST]' }}
    {%- elif message.role == 'assistant' %}
        {{- message.content + '</s>' }}
    {%- else %}
        {{- raise_exception('this format has no role ' + message.role) }}
    {%- endif %}
{%- endfor %}`;

const MISTRAL_V3 = `${SYSTEM_BEFORE_USER}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {%- set pending.text = pending.text + message.content %}
    {%- elif message.role == 'user' %}
        {{- '[INST] ' + take() + message.content + '[/INST]' }}
    {%- elif message.role == 'assistant' %}
        {{- ' ' + (message.content | trim) + '</s>' }}
    {%- else %}
        {{- raise_exception('this format has no role ' + message.role) }}
    {%- endif %}
{%- endfor %}`;

/**
 * Chat formats by the short names that llama.cpp gives them; none of them has tools, and none writes the
 * beginning-of-sequence token, which tokenizing adds.
 */
export const BUILTIN_TEMPLATES = {
  chatml: headerFormat("<|im_start|>", "\\n", "<|im_end|>\\n"),
  llama2: LLAMA2,
  llama3: headerFormat("<|start_header_id|>", "<|end_header_id|>\\n\\n", "<|eot_id|>", { trim: true }),
  "mistral-v3": MISTRAL_V3,
  "mistral-v7": turnFormat({
    system: "'[SYSTEM_PROMPT] ' + message.content + '[/SYSTEM_PROMPT]'",
    user: "'[INST] ' + message.content + '[/INST]'",
    assistant: "' ' + message.content + '</s>'",
    prompt: "",
  }),
  gemma: GEMMA,
  phi3: headerFormat("<|", "|>\\n", "<|end|>\\n"),
  phi4: headerFormat("<|im_start|>", "<|im_sep|>", "<|im_end|>"),
  zephyr: headerFormat("<|", "|>\\n", "<|endoftext|>\\n"),
  vicuna: turnFormat({
    system: "message.content + '\\n\\n'",
    user: "'USER: ' + message.content + '\\n'",
    assistant: "'ASSISTANT: ' + message.content + '</s>\\n'",
    prompt: "ASSISTANT:",
  }),
  deepseek2: turnFormat({
    system: "message.content + '\\n\\n'",
    user: "'User: ' + message.content + '\\n\\n'",
    assistant: "'Assistant: ' + message.content + '<｜end▁of▁sentence｜>'",
    prompt: "Assistant:",
  }),
  deepseek3: turnFormat({
    system: "message.content + '\\n\\n'",
    user: "'<｜User｜>' + message.content",
    assistant: "'<｜Assistant｜>' + message.content + '<｜end▁of▁sentence｜>'",
    prompt: "<｜Assistant｜>",
  }),
  "command-r": turnFormat({
    system: "'<|START_OF_TURN_TOKEN|><|SYSTEM_TOKEN|>' + (message.content | trim) + '<|END_OF_TURN_TOKEN|>'",
    user: "'<|START_OF_TURN_TOKEN|><|USER_TOKEN|>' + (message.content | trim) + '<|END_OF_TURN_TOKEN|>'",
    assistant:
      "'<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>' + (message.content | trim) + '<|END_OF_TURN_TOKEN|>'",
    prompt: "<|START_OF_TURN_TOKEN|><|CHATBOT_TOKEN|>",
  }),
} as const satisfies Readonly<Record<string, string>>;

export type BuiltinTemplateName = keyof typeof BUILTIN_TEMPLATES;
