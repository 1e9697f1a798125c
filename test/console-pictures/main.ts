/**
 * `npm run pictures [-- --only run_asks]`: writes each page of the console × width × scheme as a PNG into dist/pictures, for people to look at.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { findProgram } from "../../demo/find-program.ts";
import { consoleAnswers, emptyConsoleAnswers, stormyConsoleAnswers } from "../builders/console-answers.ts";
import { anAskingScene } from "../builders/console-scenes.ts";
import { startConsoleServer } from "../servers/console-server.ts";

const pages = {
  now: "/",
  runs: "/runs",
  run_asks: "/runs/run_asks",
  run_asks_step: "/runs/run_asks#step-7",
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

const { values } = parseArgs({
  options: { only: { type: "string" }, width: { type: "string" }, out: { type: "string", default: "dist/pictures" } },
});
const now = (anAskingScene().journal.at(-1)?.at ?? 0) + 222_000;
const widths = values.width === undefined ? [320, 390, 1440] : [Number(values.width)];

await using server = await startConsoleServer(consoleAnswers());
server.isLive = true;
const browser = await chromium.launch({
  executablePath: findProgram("chromium", "chromium-browser", "google-chrome"),
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
mkdirSync(values.out, { recursive: true });
for (const [name, path] of Object.entries(pages)) {
  if (values.only !== undefined && !values.only.split(",").includes(name)) continue;
  server.answers = name.endsWith("_empty") ? emptyConsoleAnswers() : name.endsWith("_storm") ? stormyConsoleAnswers() : consoleAnswers();
  const context = await browser.newContext({ reducedMotion: "reduce" });
  if (name !== "sign_in") await context.addCookies([{ name: "rb", value: "1", url: server.url }]);
  const page = await context.newPage();
  await page.clock.setFixedTime(now);
  for (const width of widths) {
    await page.setViewportSize({ width, height: width < 800 ? 844 : 900 });
    // Another address first: the same one with a fragment would not be loaded again, and would not move to its step.
    await page.goto("about:blank");
    await page.goto(`${server.url}${path}`);
    await page.waitForSelector("h1");
    await page.waitForFunction("!document.querySelector('[role=status]')");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(values.out, `${name}-${width}-${colorScheme}.png`), fullPage: !path.includes("#") });
    }
  }
  await context.close();
}
await browser.close();
