import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { findProgram } from "../../demo/find-program.ts";

/** What a person found who opened the console by a sign-in link, followed a run and approved each plan that it asked about. */
export interface ConsoleVisit {
  /** Heading of the page that the link led to. */
  readonly firstHeading: string;
  /** What each question that was approved asks for, in order. */
  readonly approved: readonly string[];
  /** States of the steps when the run had ended, by the step's number. */
  readonly states: readonly string[];
  /** States that the page showed while the run went on. */
  readonly shownStates: ReadonlySet<string>;
  /** The head of the page when the run had ended. */
  readonly ending: string;
  /** What happened, as the page lists it. */
  readonly events: string;
  /** How often the page was loaded after the run was opened. */
  readonly reloads: number;
  /** Messages of the browser's console, faults of scripts, violations of the policy and requests to other origins. */
  readonly disturbances: readonly string[];
  /** What axe found, and content that is wider than the screen. */
  readonly faults: readonly string[];
}

const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const runs = {
  all: { runOnly: tags },
  /** What the text of a page can break; its colors cost most of the time and are the same for every text. */
  text: { runOnly: tags, rules: { "color-contrast": { enabled: false } } },
  /** What depends on the colors and the width of a view; the rest is the same in each. */
  view: { runOnly: { type: "rule", values: ["color-contrast", "target-size", "scrollable-region-focusable", "region"] } },
} as const;
const views = [
  { width: 320, colorScheme: "dark" },
  { width: 390, colorScheme: "light" },
  { width: 1440, colorScheme: "dark" },
] as const;

/** Debian's Chromium, as the tests start it. */
export async function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: findProgram("chromium", "chromium-browser", "google-chrome"),
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
}

/** Violations of accessibility on the page as it is: of all rules, or of those that another text or another view of the same page can break. */
export async function accessibilityFaults(page: Page, rules: keyof typeof runs = "all"): Promise<readonly string[]> {
  if ((await page.evaluate<string>("typeof axe")) === "undefined") await page.evaluate(axe.source);
  const result = await page.evaluate<{
    violations: readonly { id: string; nodes: readonly { html: string; failureSummary?: string }[] }[];
  }>(`axe.run(document, ${JSON.stringify(runs[rules])})`);
  return result.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html.slice(0, 200)} ${nodes[0]?.failureSummary ?? ""}`);
}

/** One sentence when the content is wider than the screen. */
export async function overflowFaults(page: Page): Promise<readonly string[]> {
  const [content, view] = await page.evaluate<[number, number]>("[document.documentElement.scrollWidth, innerWidth]");
  return content > view ? [`the content is ${content} wide in a view of ${view}`] : [];
}

/**
 * Opens the link, waits for the first run of `runbook`, opens it from the first page, and approves in the page each plan that it asks about until it
 * has ended. Rejects when nothing happens for `idleMs`, and when `signal` is aborted.
 */
export async function followInConsole(
  link: string,
  { runbook, idleMs, signal }: { readonly runbook: string; readonly idleMs: number; readonly signal: AbortSignal },
): Promise<ConsoleVisit> {
  const browser = await startChromium();
  const close = () => void browser.close();
  signal.addEventListener("abort", close, { once: true });
  try {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, reducedMotion: "reduce" });
    const page = await context.newPage();
    page.setDefaultTimeout(idleMs);
    const origin = new URL(link).origin;
    const disturbances = disturbancesOf(page, origin);
    await page.goto(link);
    await page.click("button[type=submit]");
    await page.waitForSelector(".live.good");
    const firstHeading = await page.innerText("h1");
    await page.click(`a[href^="/runs/"]:has-text("${runbook}")`);
    await page.waitForSelector("#step-1");
    let reloads = 0;
    page.on("load", () => {
      reloads += 1;
    });
    const approved: string[] = [];
    const shownStates = new Set<string>();
    while (!(await hasEnded(page, shownStates))) {
      signal.throwIfAborted();
      await approveOpenQuestion(page, approved);
    }
    const faults: string[] = [];
    await page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })");
    for (const { width, colorScheme } of views) {
      await page.setViewportSize({ width, height: 900 });
      await page.emulateMedia({ colorScheme });
      const some = [...(await overflowFaults(page)), ...(width === 320 ? [] : await accessibilityFaults(page))];
      faults.push(...some.map((fault) => `${width} px, ${colorScheme}: ${fault}`));
    }
    const states = await page.locator(".step .word").allInnerTexts();
    const ending = await page.innerText(".run-head");
    const events = await page.innerText(".rail");
    return { firstHeading, approved, states, shownStates, ending, events, reloads, disturbances, faults };
  } finally {
    signal.removeEventListener("abort", close);
    await browser.close();
  }
}

const ended = ".run-head .pill:not(:has-text('Waiting')):not(:has-text('Running')):not(:has-text('Queued')):not(:has-text('Waits for'))";
const button = ".question.open .answers button.primary:not([aria-disabled=true])";

/** Waits until the run has ended or a question is open. */
async function hasEnded(page: Page, shownStates: Set<string>): Promise<boolean> {
  await page.waitForSelector(`${ended}, ${button}`);
  for (const word of await page.locator(".step .word").allInnerTexts()) shownStates.add(word);
  return (await page.locator(ended).count()) > 0;
}

async function approveOpenQuestion(page: Page, approved: string[]): Promise<void> {
  const question = page.locator(".question.open").first();
  const id = await question.getAttribute("aria-labelledby");
  const text = await question.locator(".text").innerText();
  // One tap on a reason from the evidence, one on the button that says what it does.
  await question.locator(".chip").first().click();
  await question.locator("button:has-text('Approve this plan')").click();
  approved.push(text);
  const answered = `.question:not(.open)[aria-labelledby="${id}"]`;
  await page.waitForSelector(`${answered}, .changed button`);
  if ((await page.locator(".changed button").count()) === 0) return;
  // The plan changed between the two taps.
  await page.click(".changed button");
  await question.locator("button:has-text('Approve this plan')").click();
  await page.waitForSelector(answered);
}

/** What the browser complains of while this page is open. */
function disturbancesOf(page: Page, origin: string): readonly string[] {
  const disturbances: string[] = [];
  // Before someone is signed in the page asks who is, and the browser reports each 401 as a failed resource.
  page.on("console", (message) => {
    if (!message.text().startsWith("Failed to load resource: the server responded with a status of 401")) disturbances.push(message.text());
  });
  page.on("pageerror", (error) => disturbances.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(`${origin}/`)) disturbances.push(request.url());
  });
  return disturbances;
}
