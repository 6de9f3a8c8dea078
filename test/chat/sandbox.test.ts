import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TemplateError } from "../../lib/errors.ts";
import { ChatTemplate, type RenderOptions } from "../../src/chat/index.ts";

const LIMITS = { steps: 100_000, characters: 100_000 };

function render(source: string, options: RenderOptions = {}): string {
  return new ChatTemplate(source, { limits: LIMITS }).render([{ role: "user", content: "x" }], options);
}

/** `s` is a string of 65,536 letters. */
const LONG =
  "{% set ns = namespace(s='aaaaaaaa') %}{% for i in range(13) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}" +
  "{% set s = ns.s %}";

describe("work is bounded", () => {
  const stopped: Record<string, [source: string, reason: RegExp]> = {
    "an endless range": ["{% for i in range(10**12) %}{% endfor %}", /evaluation steps/],
    "an endless range backwards": ["{% for i in range(10**12, 0, -1) %}{% endfor %}", /evaluation steps/],
    "nested loops with nothing in them": [
      "{% for a in range(1000) %}{% for b in range(1000) %}{% endfor %}{% endfor %}",
      /evaluation steps/,
    ],
    "a filtered loop": ["{% for a in range(90000) if a > 5 %}{% endfor %}", /evaluation steps/],
    "a macro that calls itself": ["{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", /nests deeper/],
    "a macro that calls itself twice": [
      "{% macro m(n) %}{% if n %}{{ m(n - 1) ~ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
      /evaluation steps/,
    ],
    "a call block that calls itself": [
      "{% macro m() %}{% call m() %}{% endcall %}{% endmacro %}{{ m() }}",
      /nests deeper/,
    ],
    "a string that doubles": [
      "{% set n = namespace(s='ab') %}{% for i in range(99) %}{% set n.s = n.s + n.s %}{% endfor %}",
      /a string of more than 100000 characters/,
    ],
    "an array that doubles": [
      "{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = n.a + n.a %}{% endfor %}",
      /evaluation steps/,
    ],
    "an array that holds itself twice, forty times over": [
      `{% set a = [1] %}${"{% set a = [a, a] %}".repeat(40)}{{ a }}`,
      /prints more than/,
    ],
    "the same as JSON": [
      `{% set a = [1] %}${"{% set a = [a, a] %}".repeat(40)}{{ a | tojson | length }}`,
      /prints more than/,
    ],
    "the same, compared with another": [
      `{% set a = [1] %}${"{% set a = [a, a] %}".repeat(40)}{{ a == [[1], [1]] }}`,
      /prints more than/,
    ],
    "the same, looked for": [
      `{% set a = [1] %}${"{% set a = [a, a] %}".repeat(40)}{{ a in [[[1], [1]]] }}`,
      /prints more than/,
    ],
    ...Object.fromEntries(
      [
        "a | indent",
        "a | upper",
        "a | title",
        "a | e",
        "a | truncate",
        "a | wordcount",
        "a | string | length",
        "a is upper",
        "[1, 2] | join(a)",
        "[{}] | map(attribute=a)",
        "[{}] | sort(attribute=a)",
        "a | format",
        "'%s' % [a]",
        "'{}'.format(a)",
        "'a' ~ a",
        "'a' + a",
        "[a] | map('lower')",
        "[a] | select('upper')",
        "[a, 1] | unique",
        "[a, [[1]]] | unique",
        "[a] | join",
        "a | replace('a', 'b')",
      ].map((use): [string, [string, RegExp]] => [
        `the same in ${use}`,
        [
          `{% set a = [1] %}${"{% set a = [a, a] %}".repeat(40)}{{ ${use} }}`,
          /prints more than|a string of more/,
        ],
      ]),
    ),
    "digits that are no number": ["{{ ('1' * 90000 ~ 'x') | int }}{{ raise_exception('quick') }}", /quick/],
    "long texts through a filter": [
      `${LONG}{{ ([s] * 200) | map('upper') | list | length }}`,
      /evaluation steps/,
    ],
    "long texts through a test": [
      `${LONG}{{ ([s] * 200) | select('upper') | list | length }}`,
      /evaluation steps/,
    ],
    "long names of attributes": [
      `${LONG}{{ ([{}] * 200) | map(attribute=s) | list | length }}`,
      /evaluation steps/,
    ],
    "a list that holds itself": ["{% set a = [1] %}{% set _ = a.append(a) %}{{ a }}", /nests deeper/],
    "a list that grows while it is measured": [
      `${LONG}{% set a = [s] %}{{ a | length }}{% set b = [a] %}{{ b | string | length }}` +
        "{% set _ = a.append(s) %}{{ b | string | length }}",
      /prints more than/,
    ],
    "a list that grows without end": [
      "{% set a = [1] %}{% for i in range(99) %}{% set _ = a.extend(a) %}{% endfor %}",
      /evaluation steps/,
    ],
    "a string repeated": ["{{ 'ab' * 10**9 }}", /a string of more/],
    "a list repeated": ["{{ [1] * 10**9 }}", /evaluation steps/],
    "a list of nothing repeated": ["{{ [] * 10**9 }}", /evaluation steps/],
    "a wide field": ["{{ '{:>1000000000}'.format(1) }}", /a string of more/],
    "a wide directive": ["{{ '%1000000000s' % 'a' }}", /a string of more/],
    "wide padding": ["{{ 'a'.ljust(10**9) }}", /a string of more/],
    "many zeros": ["{{ 'a'.zfill(10**9) }}", /a string of more/],
    "much in the middle": ["{{ 'a' | center(10**9) }}", /a string of more/],
    "many columns": ["{{ [1] | slice(10**9) }}", /evaluation steps/],
    "a wide row": ["{{ [1] | batch(10**9, 'x') }}", /evaluation steps/],
    "joining by method": [`${LONG}{{ s.join([1, 2, 3]) }}`, /a string of more/],
    escapes: [`${LONG}{{ s.replace('a', '<') | e }}`, /a string of more/],
    "unique values that are many": ["{{ range(2000) | unique }}", /evaluation steps/],
    "a filter over many items": [
      "{{ range(90) | map('string') | map('center', 900) | join | length }}{{ range(9000) | map('center', 9000) }}",
      /evaluation steps/,
    ],
    "splitting a long text": [
      `${LONG}{% for i in range(9) %}{{ s.rsplit('a') | length }}{% endfor %}`,
      /evaluation steps/,
    ],
    "a namespace that holds itself": ["{% set n = namespace() %}{% set n.n = n %}{{ n }}", /nests deeper/],
    "wide JSON indentation": ["{{ messages | tojson(indent=10**9) }}", /a string of more/],
    "wide JSON separators": [
      `${LONG}{{ [1, 2, 3, 4] | tojson(separators=(s, s)) }}`,
      /more than 100000 characters/,
    ],
    "wide indentation": ["{{ 'a' | indent(10**9, true) }}", /a string of more/],
    "many indented lines": [
      `${LONG}{{ s.replace('a', '\\n') | indent(40, true, true) }}`,
      /a string of more/,
    ],
    "joining with a long separator": [`${LONG}{{ [1, 2, 3] | join(s) }}`, /a string of more/],
    "replacing by something longer": [`${LONG}{{ s.replace('a', 'bbbb') }}`, /a string of more/],
    "replacing nothing": [`${LONG}{{ s.replace('', 'bbbb') }}`, /a string of more/],
    "replacing by filter": [`${LONG}{{ s | replace('a', 'bbbb') }}`, /a string of more/],
    "replacing by filter block": [
      `${LONG}{% filter replace('a', 'bbbb') %}{{ s }}{% endfilter %}`,
      /a string of more/,
    ],
    "replacing by a method kept in a variable": [
      `${LONG}{% set f = s.replace %}{{ f('a', 'bbbb') }}`,
      /a string of more/,
    ],
    "replacing by a method kept in a dictionary": [
      `${LONG}{% set d = {'f': s['replace']} %}{{ d.f('a', 'bbbb') }}`,
      /a string of more/,
    ],
    "replacing by call block": [
      `${LONG}{% set f = s.replace %}{% call f('a', 'b') %}{% endcall %}`,
      /needs a macro/,
    ],
    "a slow search": [`${LONG}{{ (s[:9000] ~ 'b') in s }}`, /evaluation steps/],
    "much output": [`${LONG}{{ s }}{{ s }}`, /writes more than 100000 characters/],
    "much output of macros": [
      `${LONG}{% macro m() %}{{ s }}{% endmacro %}{{ m() }}{{ m() }}`,
      /more than 100000/,
    ],
    "unpacking a long array": [
      "{{ namespace(*range(90000)) }}{{ namespace(*range(90000)) }}",
      /evaluation steps/,
    ],
    "deep parentheses": [`{{ ${"(".repeat(100_000)}1 }}`, /./],
    "a deep expression": [`{{ ${"1 + ".repeat(5_000)}1 }}`, /nests deeper/],
    "a very long source": [" x".repeat(150_000), /source is longer than 262144/],
    "a long run of spaces": [`{{ 1 }}${" ".repeat(600)}`, /white space/],
  };

  for (const [name, [source, reason]] of Object.entries(stopped)) {
    test(name, () => {
      expect(() => render(source)).toThrow(TemplateError);
      expect(() => render(source)).toThrow(reason);
    });
  }

  test("limits grow with the chat: a long one renders with the defaults", () => {
    const template = new ChatTemplate(
      "{% for m in messages %}{{ m.role ~ m.content | trim ~ '\n' }}{% endfor %}",
    );
    const messages = Array.from({ length: 2000 }, () => ({
      role: "user" as const,
      content: "y".repeat(5000),
    }));
    expect(template.render(messages).length).toBe(2000 * 5005);
  });

  test("each render has its own budget", () => {
    const template = new ChatTemplate("{% for i in range(4000) %}{% endfor %}ok", { limits: LIMITS });
    for (let i = 0; i < 4; i++) expect(template.render([{ role: "user", content: "x" }])).toBe("ok");
  });
});

describe("nothing outside is reachable", () => {
  const names = [
    "constructor",
    "__proto__",
    "prototype",
    "__class__",
    "toString",
    "valueOf",
    "call",
    "bind",
    "value",
  ];
  const roots = [
    "''",
    "1",
    "true",
    "none",
    "[]",
    "{}",
    "messages",
    "messages[0]",
    "range",
    "''.upper",
    "{}.get",
  ];
  const globals = [
    "globalThis",
    "process",
    "Function",
    "Object",
    "require",
    "Bun",
    "Deno",
    "self",
    "this",
    "eval",
  ];

  test("members of JavaScript values are undefined", () => {
    for (const root of [...roots, "namespace()", "raise_exception", "loop", "cycler"]) {
      for (const name of names) {
        expect(render(`{{ (${root}).${name} is defined }}`)).toBe("False");
        if (!/^(loop|cycler)$/.test(root))
          expect(render(`{{ (${root})['${name}'] is defined }}`)).toBe("False");
      }
    }
  });

  test("globals are undefined", () => {
    for (const name of globals) expect(render(`{{ ${name} is defined }}`)).toBe("False");
  });

  test("functions do not show their source", () => {
    expect(render("{{ range }} {{ ''.upper ~ '' }} {{ [range, raise_exception] | join(',') }}")).toBe(
      "<function> <function> <function>,<function>",
    );
    expect(() => render("{{ [range] | tojson }}")).toThrow(TemplateError);
  });

  test("caller's data arrives as a copy without prototype", () => {
    const chatTemplateKwargs = JSON.parse('{"data": {"__proto__": {"polluted": "yes"}, "constructor": 3}}');
    expect(render("{{ data.polluted is defined }} {{ data['constructor'] }}", { chatTemplateKwargs })).toBe(
      "False 3",
    );
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
  });

  test("one render leaves nothing behind for the next", () => {
    const template = new ChatTemplate(
      "{{ seen is defined }}{% set seen = 1 %}{% set range = 2 %}{{ range }}",
    );
    for (let i = 0; i < 2; i++) expect(template.render([{ role: "user", content: "x" }])).toBe("False2");
  });
});

describe("text is inert", () => {
  const template = new ChatTemplate("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}");

  test("Jinja in messages is printed as it stands", () => {
    for (const content of [
      "{{ 7*7 }}",
      "{% raw %}",
      "{# c #}",
      "{%- endfor %}",
      "{{ raise_exception('x') }}",
      "-%}\n",
    ]) {
      expect(template.render([{ role: "user", content }])).toBe(`<user>${content}`);
    }
  });

  test("any text is printed as it stands", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary" }), { minLength: 1 }), (texts) => {
        const messages = texts.map((content) => ({ role: "user" as const, content }));
        expect(template.render(messages)).toBe(texts.map((text) => `<user>${text}`).join(""));
      }),
    );
  });
});

test("any source ends in text or in a TemplateError", () => {
  const fragments = fc.constantFrom(
    ..."{% for i in range(9) %}|{% endfor %}|{% if x %}|{% else %}|{% endif %}|{{ |}}|{% set a = |%}|messages|[a]|".split(
      "|",
    ),
    ..."+|~|'s'| | trim|(|)|.x|[0]|[1:]|{% macro m(a) %}|{% endmacro %}|{{ m(1) }}|{#|#}|-%}|{%-|not |is defined|\n".split(
      "|",
    ),
    "|",
  );
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 20 }), (parts) => {
      try {
        expect(typeof render(parts.join(""))).toBe("string");
      } catch (error) {
        expect(error).toBeInstanceOf(TemplateError);
      }
    }),
    { numRuns: 500 },
  );
});

test("what templates use and the library lacks", () => {
  expect(render("{% for a, b in [(1, 2), (3, 4)] %}{{ a + b }};{% endfor %}{{ (1, 'x') | tojson }}")).toBe(
    '3;7;[1, "x"]',
  );
  expect(render("{{ [3, 1, 2] | min }}{{ [3, 1, 2] | max }}")).toBe("13");
  expect(render("{% for t in tools %}{{ t }}{% else %}none{% endfor %}{{ nothing | length }}")).toBe("none0");
  expect(render("{{ tools | selectattr('type', 'equalto', 'x') | list | length }}")).toBe("0");
  expect(render("{{ [] | first is defined }}")).toBe("False");
});

describe("errors name the template", () => {
  const fails = (source: string, message: string) => {
    const action = () => new ChatTemplate(source, { name: "mine" }).render([{ role: "user", content: "x" }]);
    expect(action).toThrow(expect.objectContaining({ name: "TemplateError", code: "TEMPLATE" }));
    expect(action).toThrow(`chat template "mine" ${message}`);
  };

  test("and what went wrong", () => {
    fails("{{ raise_exception('No such role!') }}", "refused the messages: No such role!");
    fails("{% if %}", "cannot be parsed: ");
    fails("{% for m in messages %}", "cannot be parsed: it ends inside a tag or block that is open");
    fails("{{ foo.bar() }}", "failed: foo.bar is not a function (UndefinedValue)");
    fails("{{ 1 | nonsense }}", "failed: ");
    fails("{% break %}", "failed: a break or continue stands outside of a loop");
    fails("{{ strftime_now('%Y') }}", "failed: it asks for the date; pass `now`");
  });

  test("with the cause", () => {
    try {
      render("{{ raise_exception('why') }}");
      expect.unreachable();
    } catch (error) {
      expect(((error as Error).cause as Error).message).toBe("why");
    }
  });
});
