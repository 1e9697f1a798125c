import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser, Page } from "playwright-core";
import type { Question } from "../packages/sdk/src/wire/questions.ts";
import { consoleAnswers, emptyConsoleAnswers, stormyConsoleAnswers } from "./builders/console-answers.ts";
import { anAskingScene } from "./builders/console-scenes.ts";
import { accessibilityFaults, overflowFaults, startChromium } from "./servers/console-reader.ts";
import { type ConsoleServer, consoleBuild, readManifest, startConsoleServer } from "./servers/console-server.ts";

/** The question of the scene. */
function anOpenQuestion() {
  const asked = anAskingScene().journal.at(-1);
  if (asked?.kind !== "asked" || asked.question.plan === undefined) throw new Error("The scene asks nothing.");
  return { question: asked.question, plan: asked.question.plan };
}

/** The question of the scene with another plan. */
function aChangedQuestion(): Question {
  const { question, plan } = anOpenQuestion();
  const changes = plan.changes.map((change) => (change.field === "gate" ? { ...change, after: "half open" } : change));
  return { ...question, planSha: "d".repeat(64), plan: { ...plan, changes } };
}

const kilobyte = 1000;
const now = (anAskingScene().journal.at(-1)?.at ?? 0) + 222_000;

describe("the size of the page", () => {
  const shell = readFileSync(join(consoleBuild, "shell.html"));
  const gzipBytes = new Map(readManifest().files.map(({ path, gzipBytes: size }) => [path, size]));
  const scripts = [...gzipBytes].filter(([path]) => path.endsWith(".js"));

  /** A script and all that it imports, directly or not; imports on demand are not among them. */
  function withImports(path: string, sum = new Set<string>()): ReadonlySet<string> {
    if (sum.has(path)) return sum;
    sum.add(path);
    const text = readFileSync(join(consoleBuild, path.replace("/console/", "")), "utf8");
    for (const [, file = ""] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) withImports(`/console/${file}`, sum);
    return sum;
  }

  it("is at most 40 kB of script in gzip for any first page, and 100 kB for all", () => {
    const entry = scripts.find(([path]) => path.includes("/main-"))?.[0] ?? "";
    const pages = scripts.map(([path]) => path).filter((path) => path.includes("-page-"));
    expect(pages.length).toBeGreaterThan(4);
    for (const page of pages) {
      const files = new Set([...withImports(entry), ...withImports(page)]);
      expect([...files].reduce((sum, path) => sum + (gzipBytes.get(path) ?? Number.NaN), 0)).toBeLessThanOrEqual(40 * kilobyte);
    }
    expect(scripts.reduce((sum, [, size]) => sum + size, 0)).toBeLessThanOrEqual(100 * kilobyte);
  });

  it("is at most 10 kB of style and 2 kB of shell", () => {
    const styles = [...gzipBytes].filter(([path]) => path.endsWith(".css"));
    expect(styles).toHaveLength(1);
    expect(styles[0]?.[1]).toBeLessThanOrEqual(10 * kilobyte);
    expect(gzipSync(shell).length).toBeLessThanOrEqual(2 * kilobyte);
  });

  it("names in its shell only files of the build, and holds no inline script or style", () => {
    const text = shell.toString("utf8");
    const named = [...text.matchAll(/(?:href|src)="([^"]+)"/g)].map(([, path]) => path);
    expect(named.filter((path) => path === undefined || !gzipBytes.has(path))).toEqual([]);
    expect(text).not.toMatch(/<style|<script(?![^>]* src=)|\sstyle=|\son\w+=/);
  });
});

describe("the page in a browser", () => {
  let browser: Browser;
  let server: ConsoleServer;
  beforeAll(async () => {
    server = await startConsoleServer(consoleAnswers());
    browser = await startChromium();
  });
  afterAll(async () => {
    await browser.close();
    await server[Symbol.asyncDispose]();
  });

  interface VisitOptions {
    readonly width?: number;
    readonly scheme?: "light" | "dark";
    readonly isSignedIn?: boolean;
    readonly role?: ConsoleServer["role"];
  }

  interface Visit extends AsyncDisposable {
    readonly page: Page;
    /** Messages of the console, faults of scripts, and requests to other origins. */
    readonly disturbances: readonly string[];
  }

  async function visit(path: string, options: VisitOptions = {}): Promise<Visit> {
    const { width = 1440, scheme = "light", isSignedIn = true, role = "approver" } = options;
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme, reducedMotion: "reduce" });
    server.role = role;
    if (isSignedIn) await context.addCookies([{ name: "rb", value: "1", url: server.url }]);
    const page = await context.newPage();
    const disturbances: string[] = [];
    // The answers that a page asks for may be problems; the browser reports each of them as a failed resource.
    page.on("console", (message) => {
      if (!/^Failed to load resource: the server responded with a status of (401|403|404|503)/.test(message.text()))
        disturbances.push(message.text());
    });
    page.on("pageerror", (error) => disturbances.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) disturbances.push(request.url());
    });
    await page.clock.setFixedTime(now);
    await page.goto(`${server.url}${path}`);
    await page.waitForSelector("h1");
    await page.waitForFunction("!document.querySelector('[role=status]')");
    return { page, disturbances, [Symbol.asyncDispose]: async () => context.close() };
  }

  const paths = [
    "/",
    "/runs",
    "/runs?state=ended",
    "/runs/run_asks",
    "/runs/run_ended",
    "/runs/run_trouble",
    "/runs/run_hostile",
    "/runs/run_queued",
    "/runs/run_without_document",
    "/runs/none",
    "/runbooks",
    "/runbooks/cost-incident-response",
    "/runbooks/broken",
    "/questions/q_resume",
    "/approvals",
    "/approvals?state=answered",
    "/alerts",
    "/alerts?decision=refused&since=24h",
    "/doctor",
    "/elsewhere",
  ];

  // axe takes a second or two: all of it looks at the telephone in the dark, and what another view can break at the desk in the light.
  const views = [
    { width: 320, colorScheme: "light", rules: undefined },
    { width: 390, colorScheme: "dark", rules: "all" },
    { width: 1440, colorScheme: "light", rules: "view" },
  ] as const;

  /** One page for many addresses, which costs a tenth of a new browser context for each. */
  describe.each(["signed in", "signed out"] as const)("for a person who is %s", (who) => {
    let visited: Visit;
    beforeAll(async () => {
      visited = await visit("/elsewhere", { isSignedIn: who === "signed in" });
    });
    afterAll(async () => visited[Symbol.asyncDispose]());

    async function faultsAt(
      path: string,
      rulesOf: (view: (typeof views)[number]) => (typeof views)[number]["rules"],
    ): Promise<readonly string[]> {
      const { page, disturbances } = visited;
      const before = disturbances.length;
      await page.goto("about:blank");
      await page.goto(`${server.url}${path}`);
      await page.waitForSelector("h1");
      await page.waitForFunction("!document.querySelector('[role=status]')");
      await page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })");
      const faults: string[] = [];
      for (const view of views) {
        const { width, colorScheme } = view;
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme });
        const rules = rulesOf(view);
        const some = [...(await overflowFaults(page)), ...(rules === undefined ? [] : await accessibilityFaults(page, rules))];
        faults.push(...some.map((fault) => `${path}, ${width} px, ${colorScheme}: ${fault}`));
      }
      return [...faults, ...disturbances.slice(before)];
    }

    it.each(who === "signed in" ? paths : ["/runs"])(
      "%s is accessible and quiet at 390 px dark and 1440 px light, and nothing is wider than the screen from 320 px on",
      async (path) => {
        expect(await faultsAt(path, ({ rules }) => rules)).toEqual([]);
      },
      60_000,
    );

    it.each(
      who === "signed in"
        ? ([
            ["an empty installation", emptyConsoleAnswers],
            ["a storm, fifty rows, a freeze and checks that are not well", stormyConsoleAnswers],
          ] as const)
        : ([["an empty installation", emptyConsoleAnswers]] as const),
    )(
      "%s is readable and quiet on every list, and nothing is wider than the screen",
      async (_, answers) => {
        const previous = server.answers;
        server.answers = answers();
        try {
          const faults: string[] = [];
          for (const path of ["/", "/runs", "/alerts", "/approvals"])
            faults.push(...(await faultsAt(path, ({ rules }) => (rules === undefined ? undefined : "view"))));
          expect(faults).toEqual([]);
        } finally {
          server.answers = previous;
        }
      },
      60_000,
    );
  });

  it("keeps filters and pages in the address, where the back button leads to the one before", async () => {
    await using visited = await visit("/alerts");
    const { page } = visited;
    const searchOf = () => new URL(page.url()).search;
    await page.selectOption("select >> nth=0", "refused");
    await page.waitForFunction("location.search === '?decision=refused'");
    await page.fill("input >> nth=0", "LLMBudgetExceeded");
    await page.press("input >> nth=0", "Enter");
    await page.waitForFunction("location.search.includes('alert=')");
    expect(searchOf()).toBe("?decision=refused&alert=LLMBudgetExceeded");
    await page.goBack();
    await page.waitForFunction("location.search === '?decision=refused'");
    expect(await page.locator("select >> nth=0").inputValue()).toBe("refused");
    await page.goto(`${server.url}/runs?state=ended`);
    await page.click("text=Older");
    await page.waitForFunction("location.search === '?state=ended&cursor=next'");
    await page.goBack();
    await page.waitForFunction("location.search === '?state=ended'");
  });

  it("says why an alert started nothing and what would change it, as text", async () => {
    await using visited = await visit("/alerts");
    const { page } = visited;
    const text = (await page.innerText("main")).replaceAll(/\s+/g, " ");
    expect(text).toContain("Add a trigger for CheckoutLatencyHigh to a runbook");
    expect(text).toContain("its cooldown lasts until");
    expect(text).toContain("by ben: the provider changes its cache today.");
    expect(text).toContain('<img src=x onerror="document.title=1">');
    expect(await page.locator("main img").count()).toBe(0);
  });

  it("puts one question for a storm first, with the number of targets and the time in UTC and the reader's zone", async () => {
    const previous = server.answers;
    server.answers = stormyConsoleAnswers();
    try {
      await using visited = await visit("/");
      const text = (await visited.page.innerText("main")).replaceAll(/\s+/g, " ");
      // The server of this test has no feed, which the page says before everything else.
      expect(text).toMatch(
        /^Not live since [\d:]+ UTC, trying again 1 question waits for a person runbook:cache-optimization is frozen by ben/,
      );
      expect(text).toContain("budget/team-0, budget/team-1, budget/team-2 and 37 more · LLMBudgetBurnFast");
      expect(text).toContain("40 targets wait");
      expect(text).toContain("A run has waited 4 min for a worker.");
    } finally {
      server.answers = previous;
    }
  });

  it("asks for a token, shows the page that was opened afterwards, and signs out", async () => {
    await using visited = await visit("/runs/run_asks#step-7", { isSignedIn: false });
    const { page } = visited;
    expect(await page.innerText("h1")).toBe("Sign in");
    await page.fill("#token", "wrong");
    await page.click("button[type=submit]");
    await page.waitForSelector("#fault:has-text('does not accept this token')");
    await page.fill("#token", "viewer-token");
    await page.click("button[type=submit]");
    await page.waitForSelector("#step-7");
    expect(new URL(page.url()).hash).toBe("#step-7");
    expect(await page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }])")).toBe("[{},{}]");
    await page.click("text=Sign out");
    await page.waitForSelector("#token");
  });

  it("opens at the step that the address names, where the question and its plan are", async () => {
    await using visited = await visit("/runs/run_asks#step-7", { width: 390 });
    const { page } = visited;
    expect(await page.title()).toMatch(/^Waits for a person: /);
    await page.waitForFunction("Math.abs(document.getElementById('step-7').getBoundingClientRect().top) < 100");
    // The bar that leads to the question is gone while the question is on the screen.
    await page.waitForSelector(".duty.in-view", { state: "attached" });
    const step = (await page.innerText("#step-7")).replaceAll(/\s+/g, " ");
    expect(step).toContain("Open budget checkout again with 1, then 3, then 6 tickets at once?");
    expect(step).toContain("gate was paused → becomes open");
    expect(step).toContain("Without an approval until then nothing of this plan is done");
  });

  it("shows what an attacker wrote as text", async () => {
    await using visited = await visit("/runs/run_hostile");
    const { page } = visited;
    expect(await page.innerText("aside")).toContain('<img src=x onerror="document.title=1"> javascript:alert(1) \\u202egnp.exe');
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.locator('a[href^="javascript:"]').count()).toBe(0);
  });

  it("keeps what it has read while the server does not answer, and says since when", async () => {
    await using visited = await visit("/runs/run_asks");
    const { page } = visited;
    await page.route("**/api/**", async (route) => route.abort());
    await page.waitForSelector("[role=alert]:has-text('The server does not answer.')", { timeout: 15_000 });
    expect(await page.innerText("[role=alert]")).toMatch(/^As of \d\d:\d\d:\d\d UTC\./);
    expect(await page.locator("#step-7").count()).toBe(1);
    await page.unroute("**/api/**");
    await page.waitForSelector(".banner[role=alert]", { state: "detached", timeout: 15_000 });
  });

  it("shows what changed in a plan that changed while it was read, sends nothing, and keeps what was typed", async () => {
    await using visited = await visit("/questions/q_resume", { width: 390 });
    const { page } = visited;
    const before = server.answers;
    const question = aChangedQuestion();
    await page.fill("textarea", "I read the first plan");
    server.answers = new Map([
      ...before,
      ["/api/approvals/q_resume/question", { body: { question, consents: [], missing: 1 } }] as const,
      ["POST /api/approvals/q_resume", { status: 409, detail: "The plan is another one now.", problem: "plan-changed" }] as const,
    ]);
    await page.click("text=Approve this plan");
    await page.waitForSelector(".changed");
    expect(await page.innerText(".changed")).toMatch(
      /The plan changed while you read it\. Nothing was sent\.[^]*gate of budget\/checkout: paused → half open, when you read it/i,
    );
    expect(await page.inputValue("textarea")).toBe("I read the first plan");
    expect(await page.locator(".answers [aria-disabled=true]").count()).toBe(2);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.click("text=I have read the new plan");
    await page.waitForSelector(".changed", { state: "detached" });
    const request = page.waitForRequest((one) => one.method() === "POST");
    await page.click("text=Approve this plan");
    expect(JSON.parse((await request).postData() ?? "")).toMatchObject({ planSha: question.planSha, reason: "I read the first plan" });
    server.answers = before;
  });

  it("has no button for one who may only read, and none to approve for one who started the run", async () => {
    await using reader = await visit("/runs/run_asks", { role: "viewer" });
    expect(await reader.page.locator(".answers button, .stops button").count()).toBe(0);
    expect(await reader.page.innerText("#step-7")).toContain("Your role viewer may read this question.");
  });

  it.each(["Abort", "Freeze"])("opens what %s does with one press, accessible and within 320 px", async (name) => {
    await using visited = await visit("/runs/run_asks", { width: 320, role: "operator" });
    const { page } = visited;
    await page.click(`.stops >> text=${name}`);
    await page.waitForSelector(".stop");
    expect([...(await overflowFaults(page)), ...(await accessibilityFaults(page))]).toEqual([]);
    expect(await page.evaluate("document.activeElement.className")).toContain("danger");
  });

  it("names who approved already and how many are missing, and takes no answer after the time is over", async () => {
    const previous = server.answers;
    const { question } = anOpenQuestion();
    const consents = [{ by: "ben", reason: "the limits bound it", at: question.askedAt + 1000 }];
    const two = { question: { ...question, of: 2 }, consents, missing: 1 };
    const late = { question: { ...question, id: "q_late", expiresAt: now - 1000 }, consents: [], missing: 1 };
    server.answers = new Map([
      ...previous,
      ["/api/approvals/q_resume/question", { body: two }] as const,
      ["/api/approvals/q_late/question", { body: late }] as const,
    ]);
    try {
      await using visited = await visit("/questions/q_resume", { width: 390 });
      const { page } = visited;
      await page.waitForSelector("text=1 more person must approve.");
      const text = await page.innerText("main");
      expect(text).toContain("ben approved: the limits bound it");
      expect(text).toContain("2 different people with the role approver must approve; one rejection decides.");
      expect(text).toContain("budget/checkout · LLMBudgetBurnFast");
      await page.goto(`${server.url}/questions/q_late`);
      await page.waitForSelector("text=The time to answer ended at");
      expect(await page.locator(".answers button, textarea").count()).toBe(0);
    } finally {
      server.answers = previous;
    }
  });

  it("answers by keys: they go to the reason and then to the button, send nothing, and can be switched off", async () => {
    await using visited = await visit("/runs/run_asks");
    const { page } = visited;
    const sent: string[] = [];
    page.on("request", (request) => void (request.method() === "POST" && sent.push(request.url())));
    const focused = () => page.evaluate<string>("document.activeElement.innerText || document.activeElement.tagName");
    await page.keyboard.press("j");
    expect(await focused()).toBe("7. Resume operations with limits");
    await page.keyboard.press("a");
    expect(await focused()).toBe("TEXTAREA");
    await page.keyboard.type("a and r are letters here");
    await page.keyboard.press("Tab");
    await page.keyboard.press("r");
    expect(await focused()).toBe("Reject, change nothing");
    await page.keyboard.press("a");
    expect(await focused()).toBe("Approve this plan");
    expect(await page.inputValue("#step-7 textarea")).toBe("a and r are letters here");
    await page.keyboard.press("?");
    await page.waitForSelector("dialog[open]");
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.uncheck("dialog input");
    await page.keyboard.press("Escape");
    await page.waitForSelector("dialog[open]", { state: "detached" });
    for (const key of ["g", "r"]) await page.keyboard.press(key);
    expect(new URL(page.url()).pathname).toBe("/runs/run_asks");
    await page.click("text=Keys");
    await page.check("dialog input");
    await page.keyboard.press("Escape");
    for (const key of ["g", "r"]) await page.keyboard.press(key);
    await page.waitForSelector("h1:has-text('Runs')");
    expect(sent).toEqual([]);
  });

  it("unfolds the texts of done steps on a telephone", async () => {
    await using visited = await visit("/runs/run_asks", { width: 390 });
    const { page } = visited;
    expect(await page.isVisible("#step-1 .prose")).toBe(false);
    await page.check("text=Text of the steps that are done");
    expect(await page.isVisible("#step-1 .prose")).toBe(true);
  });

  it("changes pages without loading the shell again, and by keyboard alone", async () => {
    await using visited = await visit("/runs");
    const { page } = visited;
    await page.evaluate("window.isSame = true");
    await page.focus('nav a[href="/runbooks"]');
    await page.keyboard.press("Enter");
    await page.waitForSelector("h1:has-text('Runbooks')");
    await page.goBack();
    await page.waitForSelector("h1:has-text('Runs')");
    expect(await page.evaluate("window.isSame")).toBe(true);
  });
});
