import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";

const root = join(import.meta.dirname, "..");

/** Each line reaches for the machine's time or randomness in another way. */
const violations = [
  "export const now = Date.now();",
  "export const later = Date.now;",
  'export const named = Date["now"]();',
  "export const { now: taken } = Date;",
  "export const began = performance.now();",
  "export const ticks = process.hrtime.bigint();",
  "export const up = process.uptime();",
  "export const once = setTimeout(() => undefined, 1);",
  "export const again = setInterval(() => undefined, 1);",
  "export const soon = setImmediate(() => undefined);",
  "export const global = globalThis.setTimeout(() => undefined, 1);",
  "export const cut = AbortSignal.timeout(5);",
  "export const drawn = Math.random();",
  "export const jitter = [1].map(Math.random);",
  "export const id = crypto.randomUUID();",
  "export const bytes = crypto.getRandomValues(new Uint8Array(4));",
  'export { setTimeout as sleep } from "node:timers/promises";',
  'export { setInterval as repeat } from "node:timers";',
  'export { performance as watch } from "node:perf_hooks";',
  'export { hrtime } from "node:process";',
  'export { randomBytes } from "node:crypto";',
  'import { randomUUID } from "node:crypto";',
  'import * as everything from "node:crypto";',
  'export const loaded = import("node:timers/promises");',
];
const places = ["src/runs/seeded.ts", "workers/seeded.ts", "packages/sdk/src/seeded.ts", "src/runs/seeded.test.ts"] as const;

describe("the lint rules", () => {
  let folder: string;
  let reported: ReadonlySet<string>;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "runbookd-lint-"));
    await copyFile(join(root, ".oxlintrc.json"), join(folder, ".oxlintrc.json"));
    for (const place of places) {
      await mkdir(dirname(join(folder, place)), { recursive: true });
      await writeFile(join(folder, place), `${violations.join("\n")}\n`);
    }
    const { stdout } = spawnSync(join(root, "node_modules/.bin/oxlint"), ["--format", "unix", "."], { cwd: folder, encoding: "utf8" });
    const found = stdout.matchAll(/^(\S+?):(\d+):\d+: .*eslint\(no-restricted-(?:globals|properties|imports)\)/gm);
    reported = new Set([...found].map(([, file, line]) => `${file}:${line}`));
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  it.each(violations.map((text, index) => ({ text, line: index + 1 })))("report `$text`", ({ line }) => {
    expect(places.filter((place) => reported.has(`${place}:${line}`))).toEqual(places.filter((place) => !place.endsWith(".test.ts")));
  });
});

/** A date without an argument is the machine's time; no rule of the linter can say so. */
const hiddenNow = /\bnew Date\b(?!\s*\()|\bnew Date\s*\(\s*\)|(?<!new )(?<![\w.])Date\s*\(|\bglobalThis\s*\.\s*Date\b/;

it.each(["new Date()", "new Date( )", "new Date;", "Date()", "globalThis.Date.now()"])("`%s` asks for the time", (text) => {
  expect(`const at = ${text}`).toMatch(hiddenNow);
});

it.each(["new Date(at)", "new Date(clock.now()).toISOString()", "Date.parse(text)", "Date.UTC(2026, 0)", "new Intl.DateTimeFormat()"])(
  "`%s` does not",
  (text) => {
    expect(`const at = ${text}`).not.toMatch(hiddenNow);
  },
);

it("no product file makes a date from the machine's time", () => {
  const product = ["src", "workers", ...readdirSync(join(root, "packages")).map((name) => `packages/${name}/src`)]
    .filter((below) => existsSync(join(root, below)))
    .flatMap((below) => readdirSync(join(root, below), { recursive: true, encoding: "utf8" }).map((file) => join(below, file)))
    .filter((file) => /\.tsx?$/.test(file) && !/\.test\.tsx?$/.test(file));
  expect(product.length).toBeGreaterThan(300);
  expect(product.filter((file) => hiddenNow.test(readFileSync(join(root, file), "utf8")))).toEqual([]);
});
