import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { answersOfRuns, type ShippedRun, shippedRuns } from "./builders/shipped-runs.ts";
import { accessibilityFaults, overflowFaults, startChromium } from "./servers/console-reader.ts";
import { type ConsoleServer, startConsoleServer } from "./servers/console-server.ts";

/**
 * The page with each shipped runbook, and with a run of it that the engine made in a rehearsal: what people must be able to see and do with every one.
 * Coverage, statistics, replay, money and the administration have no pages yet.
 */
let runs: ReadonlyMap<string, ShippedRun>;
let server: ConsoleServer;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  const all = await shippedRuns();
  runs = new Map(all.map((run) => [run.runbook.id, run]));
  server = await startConsoleServer(answersOfRuns(all));
  server.isLive = true;
  server.role = "admin";
  browser = await startChromium();
  context = await browser.newContext({ viewport: { width: 390, height: 844 }, reducedMotion: "reduce" });
  await context.addCookies([{ name: "rb", value: "1", url: server.url }]);
  page = await context.newPage();
}, 120_000);

afterAll(async () => {
  await browser.close();
  await server[Symbol.asyncDispose]();
});

async function open(path: string, at: number): Promise<void> {
  await page.clock.setFixedTime(at);
  await page.goto("about:blank");
  await page.goto(`${server.url}${path}`);
  await page.waitForSelector("h1");
  await page.waitForFunction("!document.querySelector('[role=status]')");
}

const shipped = [
  "batch-operations",
  "cache-optimization",
  "cost-incident-response",
  "model-migration",
  "security-incident",
  "ticket-recovery",
  "watchdog",
];

/** Those whose rehearsals ask no person for anything. */
const askNothing = ["watchdog"];

it("has a run of every shipped runbook", () => {
  expect([...runs.keys()].toSorted()).toEqual(shipped);
  expect(shipped.filter((id) => runs.get(id)?.asking === undefined)).toEqual(askNothing);
});

describe.each(shipped)("%s", (id) => {
  const run = (): ShippedRun => {
    const shippedRun = runs.get(id);
    if (shippedRun === undefined) throw new Error(`There is no run of ${id}.`);
    return shippedRun;
  };
  const endOf = ({ whole }: ShippedRun) => whole.journal.at(-1)?.at ?? 0;

  it("opens at the step that a link names, and shows what it did, is doing and will do on one page", async () => {
    const { runbook, whole } = run();
    const last = runbook.steps.at(-1);
    await open(`/runs/${whole.summary.id}#step-${last?.number}`, endOf(run()));
    await page.waitForFunction(`document.getElementById("step-${last?.number}").getBoundingClientRect().top < innerHeight`);
    expect(await page.locator(".step header a").allInnerTexts()).toEqual(runbook.steps.map(({ number, name }) => `${number}. ${name}`));
    const states = await page.locator(".step .word").allInnerTexts();
    expect(states.filter((state) => state !== "")).toHaveLength(runbook.steps.length);
    // No step that the journal mentions is drawn as if it had not begun.
    const begun = new Set(whole.journal.flatMap((entry) => (entry.kind === "intent" ? [entry.step] : [])));
    const asBegun = runbook.steps.filter((_, index) => !["to come", "not begun", "passed over"].includes(states[index] ?? ""));
    const ofSteps = [...begun].filter((step) => !step.startsWith("post_action_"));
    expect(asBegun.map((step) => step.id)).toEqual(expect.arrayContaining(ofSteps));
    const atTheEnd = await page.locator(".document > .checks > li > .check").count();
    expect(atTheEnd).toBeGreaterThanOrEqual(begun.size - ofSteps.length);
    const tracked = new Set(whole.journal.flatMap((entry) => (entry.kind === "sampled" ? Object.keys(entry.values) : [])));
    const stakes = tracked.size === 0 ? "" : (await page.innerText(".stakes")).toLowerCase();
    for (const name of [...tracked].slice(0, 3)) expect(stakes).toContain(name.replaceAll("_", " "));
  });

  it("asks in the step, with the plan and what silence does, has buttons that say what they do, and stops in two taps", async () => {
    const { asking } = run();
    if (asking === undefined) return;
    const { question, record } = asking;
    await open(`/runs/${record.summary.id}`, question.askedAt + 1000);
    const form = page.locator(".step .question.open");
    expect(await form.innerText()).toMatch(/time limit|can be answered until/);
    expect(await form.locator(".answers button").count()).toBe(question.answers.length);
    expect(await form.locator(".answers button:has-text('Answer \"')").count()).toBe(0);
    const arrows = await form.locator(".changes .arrow").count();
    expect(arrows).toBeGreaterThanOrEqual(Math.min(1, question.plan?.changes.length ?? 0));
    expect(await page.title()).toMatch(/^Waits for a person: /);
    for (const name of ["Abort", "Freeze"]) {
      await page.click(`.stops >> text=${name}`);
      expect(await page.locator(".stop .danger").count()).toBeGreaterThan(0);
    }
    expect(await overflowFaults(page)).toEqual([]);
  });

  it("says why nothing ran for it, and shows the document as it is read and as it was understood", async () => {
    const { runbook } = run();
    await open(`/alerts?runbook=${id}`, 2000);
    expect(await page.innerText("main")).toContain("its cooldown lasts until");
    await page.click(`a:has-text("Runbook ${id}")`);
    await page.waitForSelector(".rail");
    await page.waitForSelector(".step");
    expect(await page.locator(".step header a").allInnerTexts()).toEqual(runbook.steps.map(({ number, name }) => `${number}. ${name}`));
    const about = await page.innerText(".rail");
    expect(about).toContain(runbook.mode);
    for (const { source } of runbook.triggers) expect(about).toContain(source);
    expect([...(await overflowFaults(page)), ...(await accessibilityFaults(page, "text"))]).toEqual([]);
  });
});
