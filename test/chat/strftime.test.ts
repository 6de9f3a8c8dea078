import { expect, test } from "bun:test";
import { strftime } from "../../src/chat/strftime.ts";

test("every directive", () => {
  const date = new Date(2026, 2, 5, 15, 4, 9);
  const expected: Record<string, string> = {
    "%Y": "2026",
    "%y": "26",
    "%m": "03",
    "%d": "05",
    "%e": " 5",
    "%b": "Mar",
    "%B": "March",
    "%a": "Thu",
    "%A": "Thursday",
    "%H": "15",
    "%I": "03",
    "%M": "04",
    "%S": "09",
    "%p": "PM",
    "%j": "064",
    "%F": "2026-03-05",
    "%T": "15:04:09",
    "%%": "%",
  };
  for (const [directive, text] of Object.entries(expected)) expect(strftime(date, directive)).toBe(text);
});

test("midnight, noon and the last day of a leap year", () => {
  expect(strftime(new Date(2024, 11, 31, 0, 0), "%I %p %j")).toBe("12 AM 366");
  expect(strftime(new Date(2024, 0, 1, 12, 0), "%I %p %j")).toBe("12 PM 001");
});

test("other text stays, unknown directives too", () => {
  expect(strftime(new Date(2026, 2, 5), "on %d. %B, 100% %Q %%Y")).toBe("on 05. March, 100% %Q %Y");
});
