import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { readConfig } from "./read-config.ts";

let workingDirectory: string;

beforeEach(() => {
  workingDirectory = mkdtempSync(join(tmpdir(), "runbookd-config-"));
});
afterEach(() => rmSync(workingDirectory, { recursive: true }));

it("refuses a runbookd.yml that is not UTF-8, with the place of the first byte that is wrong", () => {
  writeFileSync(join(workingDirectory, "runbookd.yml"), Buffer.from("RUNBOOKD_PORT: 1\nMAIL_FROM: ren\u00e9@example.com\n", "latin1"));
  const loaded = readConfig({ env: {}, workingDirectory });
  expect(loaded).toMatchObject({ ok: false, faults: [{ key: "runbookd.yml", problem: expect.stringContaining("line 2, column 15") }] });
});

it("refuses a secret that is not UTF-8 instead of using another one", () => {
  writeFileSync(join(workingDirectory, "token"), Buffer.from("caf\u00e9-caf\u00e9-caf\u00e9-caf\u00e9-1234", "latin1"));
  const loaded = readConfig({ env: { RUNBOOKD_WEBHOOK_TOKEN_FILE: "token" }, workingDirectory });
  expect(loaded).toMatchObject({ ok: false, faults: [{ key: "RUNBOOKD_WEBHOOK_TOKEN_FILE" }] });
});
