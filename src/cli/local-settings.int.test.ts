import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { readLocalSettings } from "./local-settings.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rb-local-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const yaml = `RUNBOOKD_PORT: 9197
RUNBOOKD_DATA: data
RUNBOOKD_RUNBOOKS: ours
RUNBOOKD_PUBLIC_URL: https://runbookd.example.com
RUNBOOKD_WEBHOOK_TOKEN_FILE: /nowhere/token
`;

it("reads what runbookd.yml says, without its secrets", () => {
  writeFileSync(join(folder, "runbookd.yml"), yaml);
  expect(readLocalSettings({ env: {}, workingDirectory: folder })).toEqual({
    port: "9197",
    dataFolder: join(folder, "data"),
    runbooks: "ours",
    publicUrl: "https://runbookd.example.com",
  });
});

it("prefers the environment, in which an empty value is none", () => {
  writeFileSync(join(folder, "runbookd.yml"), yaml);
  const env = { RUNBOOKD_PORT: "9297", RUNBOOKD_DATA: "/var/lib/runbookd", RUNBOOKD_RUNBOOKS: "" };
  expect(readLocalSettings({ env, workingDirectory: folder })).toMatchObject({
    port: "9297",
    dataFolder: "/var/lib/runbookd",
    runbooks: "ours",
  });
});

it.each(["RUNBOOKD_PORT: []\n", "a list\n", "- RUNBOOKD_PORT: 1\n", "\u0000", ": ["])(
  "has the defaults beside a file that cannot be used: %j",
  (text) => {
    writeFileSync(join(folder, "runbookd.yml"), text);
    expect(readLocalSettings({ env: {}, workingDirectory: folder })).toEqual({
      port: "9097",
      dataFolder: join(folder, ".runbookd"),
      runbooks: "runbooks",
      publicUrl: undefined,
    });
  },
);
