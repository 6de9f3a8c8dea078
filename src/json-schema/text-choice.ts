import { choice, type Expression, sequence, text } from "./expression.ts";
import type { RuleSet } from "./rule-set.ts";

/** Common beginnings written into one another before a rule of its own is begun. */
const inlineDepth = 16;
/** Common beginnings inside one another; what goes deeper is written as it is. */
const sharedDepth = 400;

/** One of many texts, common beginnings written once, so that few are open at a time. */
export function textChoice(texts: readonly string[], rules: RuleSet): Expression {
  return branch(
    [...new Set(texts)].map((one) => Array.from(one)),
    rules,
    0,
    0,
  );
}

function branch(
  texts: readonly (readonly string[])[],
  rules: RuleSet,
  from: number,
  depth: number,
): Expression {
  if (texts.length === 1 || depth > sharedDepth) {
    return choice(...texts.map((one) => text(one.slice(from).join(""))));
  }
  const groups = new Map<string | undefined, (readonly string[])[]>();
  for (const one of texts) {
    const group = groups.get(one[from]);
    if (group) group.push(one);
    else groups.set(one[from], [one]);
  }
  const options = [...groups].map(([first, group]) => {
    if (first === undefined) return sequence();
    let end = from + 1;
    while (group.every((one) => one[end] !== undefined && one[end] === group[0]![end])) end++;
    const common = text(group[0]!.slice(from, end).join(""));
    if (group.length === 1) return common;
    const rest = branch(group, rules, end, depth + 1);
    return sequence(common, depth % inlineDepth < inlineDepth - 1 ? rest : rules.named("text", rest));
  });
  return choice(...options);
}
