import { expect, setDefaultTimeout, test } from "bun:test";
import { cria } from "../support/cli.ts";

setDefaultTimeout(30_000);

const backend = (process.env.CRIA_FFI ?? "bun") === "bun" ? "bun:ffi" : "koffi";

test("says what is used, as text and as JSON", async () => {
  const [json, text] = await Promise.all([cria(["doctor", "--json"]), cria(["doctor"])]);
  const report = JSON.parse(json.stdout);
  expect([json.code, json.stderr, report.problems]).toEqual([0, "", []]);
  expect(report.devices.length).toBeGreaterThan(0);
  expect(report.devices.map(({ type }: { type: string }) => type)).toContain("CPU");
  expect(report.version).toContain("0.5.0");
  expect(report.ffi).toBe(backend);
  expect([text.code, text.stderr]).toEqual([0, ""]);
  expect(text.stdout).toContain(`\nlibrary    ${report.library}\n`);
  expect(text.stdout).toContain(`\nffi        ${backend}\n`);
  expect(text.stdout).toEndWith("\nverdict    all well\n");
});

test("says what is wrong and how to mend it", async () => {
  const env = { CRIA_LIBRARY_PATH: "/nowhere" };
  const [text, json, run] = await Promise.all([
    cria(["doctor"], { env }),
    cria(["doctor", "--json"], { env }),
    cria(["run", "-p", "x"], { env }),
  ]);
  expect([text.code, text.stderr]).toEqual([1, ""]);
  expect(text.stdout).toMatch(
    /^PROBLEM.*\/nowhere: no such file or folder.*npm install.*CRIA_LIBRARY_PATH/ms,
  );
  expect(text.stdout).not.toContain("all well");
  expect([json.code, JSON.parse(json.stdout).problems.length]).toEqual([1, 1]);
  // Other commands fail for the same reason and point at this one.
  expect([run.code, run.stdout]).toEqual([1, ""]);
  expect(run.stderr).toMatch(/\/nowhere.*`cria doctor`/s);
});
