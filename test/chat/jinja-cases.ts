/** Templates and what Jinja makes of them, by construct; the variables are {@link variables}. */
export const variables = {
  name: "Ann",
  text: " some words\nand more ",
  numbers: [3, 1, 2],
  words: ["b", "A", "c"],
  nothing: null,
  yes: true,
  point: { x: 1, y: 2.5, items: "own" },
  people: [
    { name: "Bo", age: 30, tags: ["x"] },
    { name: "al", age: 25, tags: [] },
    { name: "Cy", age: 30, nick: null },
  ],
} as const;

type Case = readonly [source: string, expected: string];

export const cases: Readonly<Record<string, readonly Case[]>> = {
  "values print as in Python": [
    ["{{ yes }} {{ not yes }} {{ 1 }} {{ 1.0 }} {{ 2.5 }}", "True False 1 1.0 2.5"],
    ["{{ numbers }} {{ point }}", "[3, 1, 2] {'x': 1, 'y': 2.5, 'items': 'own'}"],
    ["{{ [none, true, 'it\\'s', \"a\\nb\", 'é'] }}", "[None, True, \"it's\", 'a\\nb', 'é']"],
    ["{{ (1, 2) }} {{ [] }} {{ {} }} {{ ['\"'] }}", "(1, 2) [] {} ['\"']"],
    ["{{ missing }}|{{ missing.deeper if missing else 'no' }}", "|no"],
    ["{{ 10 / 4 }} {{ 10 // 4 }} {{ 4 / 2 }} {{ 10.0 // 4 }}", "2.5 2 2.0 2.0"],
  ],
  "equality is by value": [
    [
      "{{ 1 == '1' }} {{ 1 == 1.0 }} {{ yes == 1 }} {{ none == false }} {{ '' == false }}",
      "False True True False False",
    ],
    ["{{ [1, [2]] == [1, [2]] }} {{ {'a': 1} == {'a': 1} }} {{ [1] != [2] }}", "True True True"],
    ["{{ missing == none }} {{ missing != 'x' }} {{ nothing == none }}", "False True True"],
    ["{{ people[0] == people[0] }} {{ people[0] == people[2] }}", "True False"],
  ],
  "in looks into strings, lists and dictionaries": [
    [
      "{{ 'm' in text }} {{ 1 in numbers }} {{ '1' in numbers }} {{ 'x' in point }} {{ 1 in point }}",
      "True True False True False",
    ],
    [
      "{{ 'x' in missing }} {{ 'x' not in missing }} {{ none in [none] }} {{ [1] in [[1]] }}",
      "False True True True",
    ],
  ],
  operators: [
    ["{{ -7 % 3 }} {{ 7 % -3 }} {{ -7 // 2 }} {{ 2 ** 10 }} {{ 2 ** -1 }}", "2 -2 -4 1024 0.5"],
    ["{{ 'ab' * 2 }} {{ 2 * 'ab' }} {{ [1] * 2 }} {{ 'a' ~ 1 ~ true ~ [1] }}", "abab abab [1, 1] a1True[1]"],
    ["{{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ 1 < 1.5 }} {{ 'b' >= 'abc' }}", "True True True True"],
    [
      "{{ '%s is %d, %.2f %5s|%-3s|%03d%%' % ('x', 3, 1.5, 'r', 'l', 7) }} {{ '%(a)s' % {'a': 1} }}",
      "x is 3, 1.50     r|l  |007% 1",
    ],
    ["{{ yes and 'b' }} {{ '' or 'c' }} {{ not [] }}", "b c True"],
    ["{{ 'a' if missing else 'b' }}{{ 'c' if missing }}", "b"],
  ],
  "string methods": [
    [
      "[{{ text.strip() }}] [{{ text.lstrip() }}] [{{ text.rstrip() }}]",
      "[some words\nand more] [some words\nand more ] [ some words\nand more]",
    ],
    ["{{ '\\n\\n a\\n'.strip('\\n') }}|{{ 'xxaxx'.lstrip('x') }}|{{ 'abcab'.rstrip('ba') }}", " a|axx|abc"],
    [
      "{{ 'a,b,c'.split(',') }} {{ 'a,b,c'.split(',', 1) }} {{ 'a,b,c'.rsplit(',', 1) }}",
      "['a', 'b', 'c'] ['a', 'b,c'] ['a,b', 'c']",
    ],
    [
      "{{ ' a  b c '.split() }} {{ ' a  b c '.split(none, 1) }} {{ 'a b  c'.rsplit(none, 1) }}",
      "['a', 'b', 'c'] ['a', 'b c '] ['a b', 'c']",
    ],
    [
      "{{ 'x</think>y'.split('</think>')[-1] }} {{ 'abc'[1] }} {{ 'abc'[-1] }} {{ 'abcd'[1:3] }} {{ 'abc'[::-1] }}",
      "y b c bc cba",
    ],
    [
      "{{ 'aXa'.lower() }} {{ 'a'.upper() }} {{ 'hELLO wORLD'.capitalize() }} {{ 'hELLO wORLD'.title() }}",
      "axa A Hello world Hello World",
    ],
    [
      "{{ 'abc'.startswith('ab') }} {{ 'abc'.endswith(('x', 'bc')) }} {{ 'abc'.startswith('') }}",
      "True True True",
    ],
    [
      "{{ 'aaa'.replace('a', 'b') }} {{ 'aaa'.replace('a', 'b', 2) }} {{ 'ab'.replace('', '-') }}",
      "bbb bba -a-b-",
    ],
    [
      "{{ '{} and {}'.format('a', 1) }} {{ '{1}{0}'.format(1, 2) }} {{ '{a}{{}}'.format(a=3) }}",
      "a and 1 21 3{}",
    ],
    [
      "{{ '{:>4}|{:<4}|{:^4}|{:04d}|{:.2f}|{:,}|{!r}'.format('a', 'b', 'c', 7, 1.005, 12345, 'q') }}",
      "   a|b   | c  |0007|1.00|12,345|'q'",
    ],
    [
      "{{ ', '.join(['a', 'b']) }} {{ 'a-b'.find('b') }} {{ 'abab'.rfind('b') }} {{ 'aba'.count('a') }} {{ 'a'.find('z') }}",
      "a, b 2 3 2 -1",
    ],
    [
      "{{ 'pre-x'.removeprefix('pre-') }} {{ 'x.py'.removesuffix('.py') }} {{ 'a=b=c'.partition('=') }}",
      "x x ('a', '=', 'b=c')",
    ],
    [
      "{{ '12'.isdigit() }} {{ 'a1'.isalnum() }} {{ 'ab'.isalpha() }} {{ 'AB'.isupper() }} {{ 'ab'.islower() }} {{ ' '.isspace() }}",
      "True True True True True True",
    ],
    [
      "{{ 'a\\nb\\n'.splitlines() }} {{ '7'.zfill(3) }} {{ 'a'.ljust(3) }}| {{ 'a'.rjust(3, '.') }}",
      "['a', 'b'] 007 a  | ..a",
    ],
  ],
  "list and dictionary methods": [
    ["{% set l = [1] %}{% set _ = l.append(2) %}{{ l }}{{ l.pop(0) }}{{ l }}{{ l.index(2) }}", "[1, 2]1[2]0"],
    [
      "{% set ns = namespace(l=[]) %}{% for n in numbers %}{% set _ = ns.l.append(n) %}{% endfor %}{{ ns.l.pop() }}{{ ns.l }}",
      "2[3, 1]",
    ],
    ["{{ point.get('x') }} {{ point.get('z') }} {{ point.get('z', 9) }} {{ point.get(none, 5) }}", "1  9 5"],
    [
      "{% for k, v in point.items() %}{{ k }}={{ v }};{% endfor %}{{ point.keys() | list }} {{ point.values() | list }}",
      "x=1;y=2.5;items=own;['x', 'y', 'items'] [1, 2.5, 'own']",
    ],
    [
      "{{ point['items'] }} {{ point.items is callable }} {{ point['keys'] is callable }} {{ point['z'] is defined }}",
      "own True True False",
    ],
  ],
  "keys of dictionaries": [
    [
      "{% set d = {0: 'a', 1.5: 'b', none: 'c', 'x': 'd'} %}{{ d[0] }}{{ d[1.5] }}{{ d[none] }}{{ d['x'] }}{{ d['0'] is defined }}",
      "abcdFalse",
    ],
    [
      "{% set d = {1: 'a', 2: 'b'} %}{{ d }} {{ d.get(2) }} {{ 2 in d }} {{ d | tojson }} {% for k, v in d.items() %}{{ k + 1 }}{% endfor %}",
      '{1: \'a\', 2: \'b\'} b True {"1": "a", "2": "b"} 23',
    ],
    [
      "{{ {true: 'a'}[1] }} {{ {'a': 1}[none] is defined }} {{ {10: 1, 9: 2} | dictsort }}",
      "a False [(9, 2), (10, 1)]",
    ],
  ],
  "filters of text": [
    [
      "[{{ text | trim }}] {{ 'xax' | trim('x') }} {{ 'a b' | title }} {{ 'aB' | upper }} {{ 'AB c' | capitalize }}",
      "[some words\nand more] a A B AB Ab c",
    ],
    [
      "{{ 'a\\nb\\n\\nc' | indent }}|{{ 'a\\nb' | indent(2, true) }}|{{ 'a\\nb' | indent('> ') }}",
      "a\n    b\n\n    c|  a\n  b|a\n> b",
    ],
    [
      "{{ 'aaa' | replace('a', 'b') }} {{ 5 | replace('5', '6') }} {{ 'one two' | wordcount }} {{ name | length }}",
      "bbb 6 2 3",
    ],
    [
      "{{ '<a & \"b\">' | e }} {{ 'x' | center(5) }}| {{ 'a long sentence here' | truncate(10, true, '..', 0) }}",
      "&lt;a &amp; &#34;b&#34;&gt;   x  | a long s..",
    ],
    [
      "{{ [1, 'a'] | string }} {{ yes | string | upper }} {{ 1.0 | string }} {{ '%s-%s' | format(1, 'b') }}",
      "[1, 'a'] TRUE 1.0 1-b",
    ],
    [
      "{{ missing | trim }}|{{ missing | upper }}|{{ missing | length }}|{{ missing | list }}|{{ missing | join(',') }}",
      "||0|[]|",
    ],
  ],
  "members by place": [
    [
      "{{ ('a', 'b')[::-1] }} {{ numbers[1:] }} {{ numbers[-1] }} {{ numbers.0 }} {{ {10: 'x'}.10 }} {{ numbers[9] is defined }}",
      "('b', 'a') [1, 2] 2 3 x False",
    ],
    [
      "{{ [[1, 'x'], [2, 'y']] | map(attribute=-1) | join }} {{ [[2], [1]] | sort(attribute=0) }} {{ 'a👋b'[1] }}{{ 'a👋b'[-1] }}",
      "xy [[1], [2]] 👋b",
    ],
    [
      "{% set l = [1] %}{% set _ = l.insert(0, 2) %}{{ l }} {{ 'trim' is filter }} {{ 'odd' is test }} {{ 'x' is filter }}",
      "[2, 1] True True False",
    ],
  ],
  "filters of numbers": [
    [
      "{{ '3' | int + 1 }} {{ 'x' | int }} {{ 'x' | int(7) }} {{ 3.9 | int }} {{ -3.9 | int }} {{ '3.7' | int }} {{ 'ff' | int(0, 16) }}",
      "4 0 7 3 -3 3 255",
    ],
    [
      "{{ '2.5' | float }} {{ 3 | float }} {{ 'x' | float(1.5) }} {{ -2 | abs }} {{ 2.567 | round(2) }} {{ 2.5 | round }} {{ 2.1 | round(0, 'ceil') }}",
      "2.5 3.0 1.5 2 2.57 2.0 3.0",
    ],
    ["{{ numbers | sum }} {{ people | sum('age') }} {{ numbers | min }} {{ numbers | max }}", "6 85 1 3"],
  ],
  "filters of lists": [
    [
      "{{ numbers | sort }} {{ words | sort }} {{ words | sort(true) }} {{ words | sort(case_sensitive=true) }}",
      "[1, 2, 3] ['A', 'b', 'c'] ['c', 'b', 'A'] ['A', 'b', 'c']",
    ],
    ["{{ people | sort(attribute='age,name') | map(attribute='name') | join(', ') }}", "al, Bo, Cy"],
    [
      "{{ people | map(attribute='nick', default='-') | list }} {{ words | map('upper') | join }}",
      "['-', '-', None] BAC",
    ],
    [
      "{{ people | selectattr('age', 'equalto', 30) | map(attribute='name') | list }} {{ people | selectattr('tags') | list | length }}",
      "['Bo', 'Cy'] 1",
    ],
    [
      "{{ people | rejectattr('nick', 'defined') | map(attribute='name') | list }} {{ people | selectattr('nick', 'none') | list | length }}",
      "['Bo', 'al'] 1",
    ],
    [
      "{{ people | selectattr('age', 'in', [25, 26]) | list | length }} {{ numbers | select('odd') | list }} {{ numbers | reject('gt', 2) | list }}",
      "1 [3, 1] [1, 2]",
    ],
    [
      "{{ people | map(attribute='tags.0', default='-') | list }} {{ ['', 'a', none] | select | list }}",
      "['x', '-', '-'] ['a']",
    ],
    [
      "{{ numbers | first }} {{ numbers | last }} {{ numbers | reverse | list }} {{ 'abc' | reverse }} {{ 'ab' | list }} {{ [1, 2, 1] | unique | list }}",
      "3 2 [2, 1, 3] cba ['a', 'b'] [1, 2]",
    ],
    [
      "{{ [1, 2, 3] | batch(2) | list }} {{ [1, 2, 3] | batch(2, 0) | list }} {{ [1, 2, 3] | slice(2) | list }}",
      "[[1, 2], [3]] [[1, 2], [3, 0]] [[1, 2], [3]]",
    ],
    [
      "{% for age, some in people | groupby('age') %}{{ age }}:{{ some | length }} {% endfor %}",
      "25:1 30:2 ",
    ],
    [
      "{{ point | dictsort }} {{ {'b': 1, 'A': 2} | dictsort }} {{ {'b': 1, 'a': 2} | dictsort(by='value', reverse=true) }}",
      "[('items', 'own'), ('x', 1), ('y', 2.5)] [('A', 2), ('b', 1)] [('a', 2), ('b', 1)]",
    ],
    [
      "{% for k, v in point | items %}{{ k }}{% endfor %}{{ point | length }}{{ point | list }}",
      "xyitems3['x', 'y', 'items']",
    ],
    [
      "{{ [1, none, 'a', true] | join('|') }} {{ people | join('/', attribute='name') }}",
      "1|None|a|True Bo/al/Cy",
    ],
    [
      "{{ missing | default('d') }} {{ '' | default('d') }} {{ '' | default('d', true) }} {{ nothing | d('d', boolean=true) }} {{ yes | d }}",
      "d  d d True",
    ],
  ],
  "tojson as Hugging Face has it": [
    [
      "{{ point | tojson }} {{ [1.0, none, true, 'é<\"'] | tojson }} {{ {} | tojson }}",
      '{"x": 1, "y": 2.5, "items": "own"} [1.0, null, true, "é<\\""] {}',
    ],
    [
      "{{ {'a': [1, {}]} | tojson(indent=2) }} {{ [] | tojson(indent=2) }}",
      '{\n  "a": [\n    1,\n    {}\n  ]\n} []',
    ],
    ["{{ {'b': 1, 'a': 'é'} | tojson(sort_keys=true, ensure_ascii=true) }}", '{"a": "\\u00e9", "b": 1}'],
    [
      "{{ {'a': [1, 2]} | tojson(separators=(',', ':')) }} {{ [1] | tojson(indent=0) }}",
      '{"a":[1,2]} [\n1\n]',
    ],
    ["{{ ('a', 1) | tojson }}", '["a", 1]'],
  ],
  "tests, with arguments and without": [
    [
      "{{ 4 is divisibleby(2) }} {{ 4 is divisibleby 3 }} {{ 4 is not divisibleby 3 }} {{ 3 is odd }} {{ 4 is even }}",
      "True False True True True",
    ],
    [
      "{{ 1 is in [1, 2] }} {{ 1 is in numbers }} {{ name is not in ['Bo'] }} {{ 'x' is in point }}",
      "True True True True",
    ],
    [
      "{{ 1 is eq 1 }} {{ 1 is equalto(1) }} {{ 1 is ne 2 }} {{ 2 is gt 1 }} {{ 2 is le(1) }} {{ 1 is lessthan 2 }}",
      "True True True True False True",
    ],
    [
      "{{ none is sameas none }} {{ yes is sameas true }} {{ 1 is sameas true }} {{ nothing is sameas nothing }}",
      "True True False True",
    ],
    [
      "{{ 1 is number }} {{ yes is number }} {{ 1.0 is float }} {{ 1 is integer }} {{ yes is integer }} {{ yes is boolean }}",
      "True True True True False True",
    ],
    [
      "{{ point is mapping }} {{ point is iterable }} {{ 'a' is iterable }} {{ 1 is iterable }} {{ numbers is sequence }} {{ missing is iterable }}",
      "True True True False True True",
    ],
    [
      "{{ 'A' is upper }} {{ 'a' is lower }} {{ '1' is upper }} {{ yes is true }} {{ 1 is true }} {{ none is false }}",
      "True True False True False False",
    ],
    [
      "{{ missing is undefined }} {{ missing is not defined }} {{ nothing is none }} {{ missing is none }} {{ nothing is defined }}",
      "True True True False True",
    ],
    [
      "{{ not name is in ['x'] and name is string }} {{ name is eq('Ann') and numbers | length is gt 2 }}",
      "True True",
    ],
    ["{{ point.x is eq people[0].age - 29 }} {{ 'is in' }} {{ 'ab' is eq 'a' 'b' }}", "-29 is in True"],
  ],
  loops: [
    [
      "{% for n in numbers %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.first }}{{ loop.last }}{{ loop.length }};{% endfor %}",
      "103TrueFalse3;212FalseFalse3;321FalseTrue3;",
    ],
    [
      "{% for n in numbers %}{{ loop.previtem | default('-') }}{{ n }}{{ loop.nextitem | default('-') }} {% endfor %}",
      "-31 312 12- ",
    ],
    [
      "{% for n in numbers %}{{ loop.cycle('a', 'b') }}{{ loop.depth }}{% for m in [1] %}{{ loop.depth }}{% endfor %}{% endfor %}",
      "a11b11a11",
    ],
    ["{% for n in numbers %}{{ n }}{% if n == 1 %}!{% break %}{% endif %},{% endfor %}", "3,1!"],
    ["{% for n in numbers %}{% if n == 1 %}?{% continue %}{% endif %}{{ n }}{% endfor %}", "3?2"],
    ["{% for n in numbers if n > 1 %}{{ n }}{{ loop.last }}{% else %}none{% endfor %}", "3False2True"],
    [
      "{% for n in [] %}x{% else %}none{% endfor %}{% for n in missing %}x{% else %}none{% endfor %}",
      "nonenone",
    ],
    [
      "{% for n in numbers %}{% continue %}{% else %}none{% endfor %}|{% for n in numbers %}{% break %}{% else %}none{% endfor %}",
      "none|none",
    ],
    [
      "{% for c in 'aé👋' %}{{ c }}.{% endfor %}{% for k in point %}{{ k }} {% endfor %}",
      "a.é.👋.x y items ",
    ],
    [
      "{% for i, (a, b) in [(1, (2, 3))] %}{{ i }}{{ a }}{{ b }}{% endfor %}{% for a, b in [[1, 2]] %}{{ a + b }}{% endfor %}",
      "1233",
    ],
    [
      "{% for n in numbers %}{% if seen is defined %}again{% endif %}{% set seen = 1 %}{% endfor %}{{ seen is defined }}",
      "False",
    ],
    ["{% set n = 5 %}{% for n in numbers %}{% set n = n + 1 %}{{ n }}{% endfor %}{{ n }}", "4235"],
    ["{% for i in range(3) %}{{ i }}{% endfor %}{% for i in range(5, 0, -2) %}{{ i }}{% endfor %}", "012531"],
  ],
  "blocks whose text becomes a value": [
    ["{% set x %}a{{ name }}{% endset %}{{ x | upper }}{{ x is string }}", "AANNTrue"],
    [
      "{% filter upper %}a{% if yes %}b{% endif %}{% endfilter %}{% filter replace('a', 'b') %}aa{% endfilter %}",
      "ABbb",
    ],
    [
      "{% for n in numbers %}{% set x %}lost{% if n == 1 %}{% break %}{% endif %}{% endset %}{{ n }}{% endfor %}",
      "3",
    ],
    ["{% generation %}a{% endgeneration %} b {%- generation -%} c {%- endgeneration %}", "a bc"],
  ],
  macros: [
    [
      "{% macro m(a, b='x') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 2) }} {{ m(b=3, a=4) }}",
      "1x 12 43",
    ],
    ["{% macro m() %}{{ n is defined }}{% endmacro %}{% for n in [1] %}{{ m() }}{% endfor %}", "False"],
    ["{% macro m() %}{{ x }}{% endmacro %}{% set x = 1 %}{{ m() }}{% set x = 2 %}{{ m() }}", "12"],
    ["{% macro f(n) %}{% if n %}{{ n }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}", "321"],
    ["{% macro m() %}{{ varargs | list }}{{ kwargs }}{% endmacro %}{{ m(1, 2, a=3) }}", "[1, 2]{'a': 3}"],
    [
      "{% macro box(t) %}[{{ t }}{{ caller() }}]{% endmacro %}{% call box('x') %}{{ name }}{% endcall %}",
      "[xAnn]",
    ],
    [
      "{% macro each(l) %}{% for i in l %}{{ caller(i) }}{% endfor %}{% endmacro %}{% call(i) each([1, 2]) %}<{{ i }}>{% endcall %}",
      "<1><2>",
    ],
    [
      "{% macro m(t) %}{% for x in t %}{{ x }}{% endfor %}{% endmacro %}{{ m(['a']) ~ m('bc') }}{{ (m(['q']) | trim) == 'q' }}",
      "abcTrue",
    ],
  ],
  namespaces: [
    [
      "{% set ns = namespace(n=0, l=[]) %}{% for x in numbers %}{% set ns.n = ns.n + x %}{% set ns.l = ns.l + [x] %}{% endfor %}{{ ns.n }}{{ ns.l }}",
      "6[3, 1, 2]",
    ],
    [
      "{% set ns = namespace({'a': 1}, items=2) %}{{ ns.a }}{{ ns.items }}{{ ns.none is defined }}",
      "12False",
    ],
  ],
  "white space": [
    ["{% if yes %}\n  a\n  {% endif %}\nb", "  a\nb"],
    ["a {%- if yes -%} b {%- endif -%} c", "abc"],
    ["x\n    {#- c -#}\n  y {{- '1' -}} z", "xy1z"],
    ["a\r\nb\r\n{% if yes %}\r\nc{% endif %}", "a\nb\nc"],
  ],
};
