import type { ToolFormat } from "../format.ts";

/** Tags of DeepSeek since V3.2, which differ in the name of the outermost. */
function dsml(name: string, outer: string): ToolFormat {
  return {
    name,
    templates: [["｜DSML｜", outer]],
    thought: { open: "<think>", close: "</think>" },
    calls: [
      {
        open: [`<｜DSML｜${outer}>\n`],
        call: [
          '<｜DSML｜invoke name="',
          { step: "name" },
          '">\n',
          {
            step: "parameters",
            open: '<｜DSML｜parameter name="',
            middle: ['" string="'],
            typed: { string: 'true">', other: 'false">' },
            close: "</｜DSML｜parameter>\n",
            end: "</｜DSML｜invoke>",
          },
        ],
        between: "\n",
        close: [`\n</｜DSML｜${outer}>`],
      },
    ],
  };
}

export const deepseekV32 = dsml("deepseek-v3.2", "function_calls");
export const deepseekV4 = dsml("deepseek-v4", "tool_calls");
