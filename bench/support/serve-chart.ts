/** One figure of all servers, in their order; NaN where it is missing. */
export interface Bars {
  readonly scenario: string;
  readonly name: string;
  readonly unit: string;
  readonly better: "more" | "less";
  readonly values: readonly number[];
}

const [width, left, right, barHeight, gap] = [860, 330, 120, 14, 12];
const colours = ["#0a8f6c", "#8a8f98", "#b08a3e", "#7a6fb0", "#a0606a"];

const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

export const shown = (value: number) =>
  Number.isNaN(value)
    ? "-"
    : value >= 100
      ? value.toFixed(0)
      : value >= 10
        ? value.toFixed(1)
        : value.toFixed(2);

/**
 * A bar chart by hand. With several servers the longest bar of a figure has the full width; a server alone has bars that
 * compare with those of the same unit in the same scenario.
 */
export function barChart(caption: string, servers: readonly string[], figures: readonly Bars[]): string {
  const most = (values: readonly number[]) => Math.max(0, ...values.filter((value) => !Number.isNaN(value)));
  const scaleOf = ({ unit, scenario, values }: Bars) =>
    servers.length > 1
      ? most(values)
      : most(
          figures
            .filter((other) => other.unit === unit && other.scenario === scenario)
            .flatMap((other) => other.values),
        );
  const lines: string[] = [];
  let y = 64;
  for (const figure of figures) {
    const scale = scaleOf(figure);
    const middle = y + (servers.length * barHeight) / 2 + 4;
    const hint = figure.better === "more" ? "more is better" : "less is better";
    lines.push(
      `<text x="${left - 10}" y="${middle}" text-anchor="end"><title>${hint}</title>${escaped(`${figure.scenario}: ${figure.name}`)}</text>`,
    );
    for (const [index, value] of figure.values.entries()) {
      const length = scale > 0 && value > 0 ? Math.max(1, (value / scale) * (width - left - right)) : 0;
      const at = y + index * barHeight;
      const colour = colours[index % colours.length];
      lines.push(
        `<rect x="${left}" y="${at}" width="${length.toFixed(1)}" height="${barHeight - 2}" fill="${colour}"/>`,
        `<text x="${(left + length + 6).toFixed(1)}" y="${at + 10}" class="value">${shown(value)} ${escaped(figure.unit)}</text>`,
      );
    }
    y += servers.length * barHeight + gap;
  }
  const legend = servers.map(
    (name, index) =>
      `<rect x="${left + index * 150}" y="36" width="10" height="10" fill="${colours[index % colours.length]}"/>` +
      `<text x="${left + index * 150 + 15}" y="45">${escaped(name)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y + 8}" font-family="system-ui, sans-serif" font-size="12">
<title>Figures of bun run bench serve</title>
<style>
  text { fill: #222; } .value { font-size: 11px; fill: #555; } .paper { fill: #fff; }
  @media (prefers-color-scheme: dark) { text { fill: #ddd; } .value { fill: #aaa; } .paper { fill: #161616; } }
</style>
<rect class="paper" width="${width}" height="${y + 8}"/>
<text x="12" y="22" font-weight="600">${escaped(caption)}</text>
${[...legend, ...lines].join("\n")}
</svg>
`;
}
