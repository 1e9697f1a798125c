/**
 * `npm run pictures [-- --only run_asks]`: writes each page of the console × width × scheme as a PNG into dist/pictures, for people to look at.
 * With `--small` it writes the pictures of docs/console: what fits on a screen, with few colors.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { consoleAnswers, emptyConsoleAnswers, stormyConsoleAnswers } from "../builders/console-answers.ts";
import { anAskingScene } from "../builders/console-scenes.ts";
import { startChromium } from "../servers/console-reader.ts";
import { startConsoleServer } from "../servers/console-server.ts";
import { shrinkPng } from "./shrink-png.ts";

const pages = {
  now: "/",
  runs: "/runs",
  run_asks: "/runs/run_asks",
  run_asks_step: "/runs/run_asks#step-7",
  run_asks_cut: "/runs/run_asks",
  run_doubt_step: "/runs/run_trouble#step-7",
  run_failed_step: "/runs/run_trouble#step-3",
  run_ended: "/runs/run_ended",
  run_trouble: "/runs/run_trouble",
  run_hostile: "/runs/run_hostile",
  run_queued: "/runs/run_queued",
  run_without_document: "/runs/run_without_document",
  run_missing: "/runs/none",
  runbooks: "/runbooks",
  runbook: "/runbooks/cost-incident-response",
  runbook_broken: "/runbooks/broken",
  question: "/questions/q_resume",
  approvals: "/approvals",
  approvals_answered: "/approvals?state=answered",
  alerts: "/alerts",
  now_empty: "/",
  now_storm: "/",
  alerts_empty: "/alerts",
  alerts_storm: "/alerts",
  runs_storm: "/runs",
  approvals_storm: "/approvals",
  doctor: "/doctor",
  sign_in: "/runs",
} as const;

type PageName = keyof typeof pages;
type Scheme = "light" | "dark";

/** Pictures of docs/console. */
const small: readonly (readonly [PageName, number, Scheme])[] = [
  ["now", 390, "light"],
  ["now_storm", 390, "dark"],
  ["now_empty", 390, "light"],
  ["run_asks", 390, "dark"],
  ["run_asks_step", 390, "light"],
  ["run_failed_step", 390, "light"],
  ["run_doubt_step", 390, "dark"],
  ["run_asks_cut", 390, "light"],
  ["question", 390, "light"],
  ["alerts", 390, "dark"],
  ["run_asks", 1440, "light"],
  ["runs_storm", 1440, "dark"],
  ["sign_in", 390, "light"],
];

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    width: { type: "string" },
    out: { type: "string", default: "dist/pictures" },
    small: { type: "boolean", default: false },
  },
});
const now = (anAskingScene().journal.at(-1)?.at ?? 0) + 222_000;
const widths = values.width === undefined ? [320, 390, 1440] : [Number(values.width)];

await using server = await startConsoleServer(consoleAnswers());
server.isLive = true;
const browser = await startChromium();
const out = values.small ? join(import.meta.dirname.replace(/(\/dist)?\/test\/console-pictures$/u, ""), "docs/console") : values.out;
mkdirSync(out, { recursive: true });
for (const [name, path] of Object.entries(pages)) {
  if (values.only !== undefined && !values.only.split(",").includes(name)) continue;
  const ofDocs = small.filter(([page]) => page === name);
  if (values.small && ofDocs.length === 0) continue;
  server.answers = name.endsWith("_empty") ? emptyConsoleAnswers() : name.endsWith("_storm") ? stormyConsoleAnswers() : consoleAnswers();
  server.isLive = !name.endsWith("_cut");
  const context = await browser.newContext({ reducedMotion: "reduce" });
  if (name !== "sign_in") await context.addCookies([{ name: "rb", value: "1", url: server.url }]);
  const page = await context.newPage();
  await page.clock.setFixedTime(now);
  for (const width of widths) {
    const schemes = (["light", "dark"] as const).filter(
      (scheme) => !values.small || ofDocs.some(([, itsWidth, itsScheme]) => itsWidth === width && itsScheme === scheme),
    );
    if (schemes.length === 0) continue;
    await page.setViewportSize({ width, height: width < 800 ? 844 : values.small ? 580 : 900 });
    // Another address first: the same one with a fragment would not be loaded again, and would not move to its step.
    await page.goto("about:blank");
    await page.goto(`${server.url}${path}`);
    await page.waitForSelector("h1");
    await page.waitForFunction("!document.querySelector('[role=status]')");
    if (!server.isLive && name !== "sign_in") await page.waitForSelector(".live.wait:has-text('Not live')");
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme });
      const picture = await page.screenshot({ fullPage: !values.small && !path.includes("#") });
      const file = `${name.replaceAll("_", "-")}-${width}-${colorScheme}.png`;
      writeFileSync(join(out, file), values.small ? shrinkPng(picture) : picture);
    }
  }
  await context.close();
}
await browser.close();
