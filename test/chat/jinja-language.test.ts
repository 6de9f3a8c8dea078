import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TemplateError } from "../../lib/errors.ts";
import { ChatTemplate } from "../../src/chat/index.ts";
import { cases, variables } from "./jinja-cases.ts";

function render(source: string, chatTemplateKwargs: Record<string, unknown> = variables): string {
  return new ChatTemplate(source).render([{ role: "user", content: "x" }], { chatTemplateKwargs });
}

describe("the language that templates are written in", () => {
  for (const [construct, list] of Object.entries(cases)) {
    test(construct, () => {
      for (const [source, expected] of list) expect([source, render(source)]).toEqual([source, expected]);
    });
  }
});

test("nothing and none add nothing to text, which templates rely on where Jinja fails or writes a word", () => {
  expect(render("{{ none }}{{ nothing }}{{ missing }}|")).toBe("|");
  expect(render("{{ 'a' + nothing }}{{ missing + 'b' }}{{ 'c' ~ none }}{{ 'd' + 1 }}")).toBe("abcd1");
  expect(render("{{ missing.deeper.still is defined }}{{ none.x is defined }}")).toBe("FalseFalse");
});

test("wrong operations are the template's errors", () => {
  const wrong: [source: string, message: RegExp][] = [
    ["{{ 1 + none }}", /an integer \+ none cannot be computed/],
    ["{{ missing - 1 }}", /undefined - an integer cannot be computed/],
    ["{{ 1 / 0 }}", /division by zero/],
    ["{{ 'a' < 1 }}", /a string and an integer have no order/],
    ["{{ 1 in 2 }}", /nothing can be in an integer/],
    ["{% for x in 5 %}{% endfor %}", /an integer has no items/],
    ["{% for a, b in [1] %}{% endfor %}", /an integer cannot be taken apart into 2 variables/],
    ["{% for a, b in [[1]] %}{% endfor %}", /1 items cannot be taken apart into 2 variables/],
    ["{{ 'a' | nonsense }}", /there is no filter "nonsense"/],
    ["{{ 'a' is nonsense }}", /there is no test "nonsense"/],
    ["{{ 'a' is nonsense(1) }}", /there is no test "nonsense"/],
    ["{{ [1] | map('nonsense') }}", /there is no filter "nonsense"/],
    ["{{ [].pop() }}", /pop finds no item -1/],
    ["{{ (1, 2).append(3) }}", /a tuple cannot be changed/],
    ["{{ ''.split('') }}", /a separator that is not empty/],
    ["{{ '%d' % 'x' }}", /a string has no format "d"/],
    ["{{ '{}'.format() }}", /a format asks for "0", which was not given/],
    ["{{ 'a'.nonsense() }}", /is not a function/],
    ["{{ 'a'.find('b') | abs }}{{ 'a'.index('b') }}", /index did not find the text/],
  ];
  for (const [source, message] of wrong) {
    expect(() => render(source)).toThrow(TemplateError);
    expect(() => render(source)).toThrow(message);
  }
});

test("a value survives being printed as JSON, whatever it is", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const data = JSON.parse(JSON.stringify(value));
      expect(JSON.parse(render("{{ data | tojson }}", { data }))).toEqual(data);
      expect(JSON.parse(render("{{ data | tojson(indent=3, ensure_ascii=true) }}", { data }))).toEqual(data);
    }),
  );
});

test("text methods agree with JavaScript's where the two languages do", () => {
  fc.assert(
    fc.property(fc.string(), fc.string({ minLength: 1, maxLength: 2 }), (text, part) => {
      const kwargs = { text, part };
      expect(render("{{ text.split(part) | tojson }}", kwargs)).toBe(
        JSON.stringify(text.split(part)).replaceAll('","', '", "'),
      );
      expect(render("{{ text.replace(part, '-') }}", kwargs)).toBe(text.replaceAll(part, "-"));
      expect(render("{{ part.join(text.split(part)) }}", kwargs)).toBe(text);
      expect(render("{{ part in text }}", kwargs)).toBe(text.includes(part) ? "True" : "False");
      expect(render("{{ text == part }}", kwargs)).toBe(text === part ? "True" : "False");
    }),
  );
});
