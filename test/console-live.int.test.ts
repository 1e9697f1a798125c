import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { createSystemClock } from "../src/core/clock.ts";
import { createSystemRandom } from "../src/core/random.ts";
import { roles } from "../src/core/role.ts";
import { tokenFilePath } from "../src/platform/config/data-folder.ts";
import { createTokenFile, type TokenFile } from "../src/platform/http/token-file.ts";
import { startChromium } from "./servers/console-reader.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import { startTcpProxy, type TcpProxy } from "./servers/tcp-proxy.ts";
import { until } from "./servers/until.ts";

/** The page in Chromium over real servers, a worker and Redis: what it follows, answers and stops. */
const runbook = `---
target: thing/\${{ params.name }}
mode: auto
params:
  name: { type: string, description: "Each run has a target of its own." }
---
# Runbook: Two questions

## Scenario
Something is the matter.

## Procedure

1. **Wait a moment**: Nothing else.
   - Action: \`wait\`
     \`\`\`yaml
     for: 10ms
     \`\`\`
2. **Look at it**: A person does this.
3. **Look again**: A person does this too.
`;

let redis: RedisServer;
let folder: ProductFolder;
let first: RunningProduct;
let second: RunningProduct;
let proxy: TcpProxy;
let browser: Browser;
let tokenFile: TokenFile;
/** By role, or by the name of a person. */
const tokens = new Map<string, string>();

const portOf = ({ url }: RunningProduct) => Number(new URL(url).port);

beforeAll(async () => {
  redis = await startRedisServer();
  folder = await aProductFolder({ "two-questions.md": runbook });
  tokenFile = createTokenFile(tokenFilePath(folder.path), { clock: createSystemClock(), random: createSystemRandom() });
  for (const role of roles) tokens.set(role, (await tokenFile.create(`a-${role}`, role)) ?? "");
  proxy = await startTcpProxy();
  const env = { REDIS_URL: `unix://${redis.socketPath}`, RUNBOOKD_PUBLIC_URL: `http://127.0.0.1:${proxy.port}` };
  first = await startProduct(folder.path, { env });
  second = await startProduct(folder.path, { env, worker: false });
  proxy.target = portOf(first);
  browser = await startChromium();
}, 60_000);

afterAll(async () => {
  await browser.close();
  await proxy[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

async function ask(method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${second.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.get("admin")}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return response.json();
}

interface Asked {
  readonly runId: string;
  readonly questionId: string;
}

/** A run that waits for its first question. */
async function anAskingRun(): Promise<Asked> {
  const started = await ask("POST", "/api/runs", { runbook: "two-questions", params: { name: randomUUID() } });
  const runId = String(Object(started)["runId"]);
  const questionId = await until("the run asks", async () => openQuestion(runId));
  return { runId, questionId };
}

async function openQuestion(runId: string, not?: string): Promise<string | undefined> {
  const { items } = Object(await ask("GET", "/api/approvals"));
  const question = items.find((item: { question: { id: string; runId: string } }) => item.question.runId === runId)?.question;
  return question?.id === not ? undefined : question?.id;
}

async function signedIn(who: string, path: string, context?: BrowserContext): Promise<Page> {
  const page = await (context ?? (await browser.newContext({ viewport: { width: 1200, height: 900 } }))).newPage();
  await page.goto(`http://127.0.0.1:${proxy.port}${path}`);
  if (context === undefined) {
    await page.fill("#token", tokens.get(who) ?? "");
    await page.click("button[type=submit]");
  }
  page.setDefaultTimeout(15_000);
  await page.waitForSelector(".live.good");
  return page;
}

const answersIn = async (runId: string) => {
  const { journal } = Object(await ask("GET", `/api/runs/${runId}`));
  return journal.filter(({ kind }: { kind: string }) => kind === "answered");
};

describe("the page of a run", () => {
  it("follows a run whose question is answered elsewhere, keeps the place of the reader, and tells who hears it", async () => {
    const { runId, questionId } = await anAskingRun();
    const page = await signedIn("viewer", `/runs/${runId}`);
    await page.waitForSelector("#step-2.asks");
    await page.evaluate(
      "document.getElementById('step-2').scrollIntoView(); window.topBefore = document.getElementById('step-2').getBoundingClientRect().top",
    );
    expect(await page.locator(".answers").count()).toBe(0);
    await ask("POST", `/api/approvals/${questionId}`, { answer: "done", reason: "it was" });
    await page.waitForSelector("#step-3.asks");
    await page.waitForFunction("/Step|answered/.test(document.getElementById('news').textContent)");
    expect(await page.evaluate("Math.abs(document.getElementById('step-2').getBoundingClientRect().top - window.topBefore) < 60")).toBe(
      true,
    );
    await page.context().close();
  });

  it("is cut when its server dies, says so, and continues on another one without a gap", async () => {
    const { runId, questionId } = await anAskingRun();
    const page = await signedIn("viewer", `/runs/${runId}`);
    await page.waitForSelector("#step-2.asks");
    proxy.target = undefined;
    proxy.cut();
    await page.waitForSelector(".live.wait:has-text('Not live since')");
    await page.waitForSelector("[role=alert]:has-text('As of')");
    expect(await page.locator("#step-2.asks").count()).toBe(1);
    await ask("POST", `/api/approvals/${questionId}`, { answer: "done", reason: "meanwhile" });
    proxy.target = portOf(second);
    await page.waitForSelector(".live.good");
    await page.waitForSelector("#step-3.asks");
    await page.waitForSelector("[role=alert]:has-text('As of')", { state: "detached" });
    proxy.target = portOf(first);
    await page.context().close();
  });

  it("takes an answer once from two taps and a second tab, and shows it in both", async () => {
    const { runId, questionId } = await anAskingRun();
    const page = await signedIn("operator", `/runs/${runId}`);
    const other = await signedIn("operator", `/questions/${questionId}`, page.context());
    await page.click("text=It is done");
    await page.waitForSelector(".fault:has-text('Say why')");
    await page.click(".chip >> nth=0");
    await other.fill("textarea", "from the other tab");
    // The second tab has no button any more when it hears of the answer first.
    await Promise.all([
      page.evaluate("const button = [...document.querySelectorAll('.answers button')][0]; button.click(); button.click(); button.click();"),
      other.evaluate("document.querySelector('.answers button')?.click()"),
    ]);
    await page.waitForSelector("#step-2 .question:has-text('answered')");
    await other.waitForSelector(".question:has-text('answered')");
    expect((await answersIn(runId)).length).toBe(1);
    await page.context().close();
  });

  it("sends an answer once whose reply is lost", async () => {
    const { runId } = await anAskingRun();
    const page = await signedIn("operator", `/runs/${runId}`);
    let sent = 0;
    await page.route("**/api/approvals/*", async (route) => {
      if (route.request().method() !== "POST") return route.continue();
      sent += 1;
      await route.fetch();
      await route.abort();
    });
    await page.fill("#step-2 textarea", "the reply is lost");
    await page.click("text=It is done");
    await page.waitForSelector("#step-2 .question:has-text('answered')");
    expect(sent).toBe(1);
    expect((await answersIn(runId)).length).toBe(1);
    await page.context().close();
  });

  it("keeps what was typed when the session ends, and comes back with it after signing in", async () => {
    const { runId } = await anAskingRun();
    const page = await signedIn("operator", `/runs/${runId}`);
    await page.fill("#step-2 textarea", "typed before the session ended");
    await page.context().clearCookies();
    await page.click("text=It is done");
    await page.waitForSelector("#token");
    await page.fill("#token", tokens.get("operator") ?? "");
    await page.click("button[type=submit]");
    await page.waitForSelector("#step-2 textarea");
    expect(await page.inputValue("#step-2 textarea")).toBe("typed before the session ended");
    await page.click("text=It is done");
    await page.waitForSelector("#step-2 .question:has-text('typed before the session ended')");
    await page.context().close();
  });

  it("sends nothing by a token that was revoked, and keeps what was typed for the next one of the same person", async () => {
    const { runId } = await anAskingRun();
    const revoked = (await tokenFile.create("leaver", "operator")) ?? "";
    tokens.set("leaver", revoked);
    const page = await signedIn("leaver", `/runs/${runId}`);
    await page.fill("#step-2 textarea", "typed before the token was revoked");
    await tokenFile.revoke("leaver");
    await page.click("text=It is done").catch(() => undefined);
    await page.waitForSelector("#token");
    expect((await answersIn(runId)).length).toBe(0);
    await page.fill("#token", revoked);
    await page.click("button[type=submit]");
    await page.waitForSelector(".fault:not(:empty)");
    await page.fill("#token", (await tokenFile.create("leaver", "operator")) ?? "");
    await page.click("button[type=submit]");
    await page.waitForSelector("#step-2 textarea");
    expect(await page.inputValue("#step-2 textarea")).toBe("typed before the token was revoked");
    await page.context().close();
  });

  it("says that Redis is away, keeps what was typed, and sends it when Redis is back", async () => {
    const { runId } = await anAskingRun();
    const page = await signedIn("operator", `/runs/${runId}`);
    await page.fill("#step-2 textarea", "typed without Redis");
    redis.pause();
    await page.waitForSelector(".live.wait", { timeout: 20_000 });
    await page.click("text=It is done");
    await page.waitForSelector("#step-2 .fault:not(:empty)", { timeout: 25_000 });
    expect(await page.inputValue("#step-2 textarea")).toBe("typed without Redis");
    redis.resume();
    await page.waitForSelector(".live.good", { timeout: 20_000 });
    // What the product says of its store takes until the next judgement.
    await until("the answer is taken", async () => {
      if ((await page.locator("#step-2 .answers button").count()) > 0)
        await page
          .locator("#step-2 .answers button")
          .first()
          .click({ timeout: 2000 })
          .catch(() => undefined);
      return (await page.locator("#step-2 .question:has-text('typed without Redis')").count()) > 0;
    });
    expect((await answersIn(runId)).length).toBe(1);
    await page.context().close();
  }, 60_000);

  it("aborts in two taps, and freezes in two taps what only an admin lifts", async () => {
    const { runId } = await anAskingRun();
    const page = await signedIn("operator", `/runs/${runId}`);
    await page.click(".stops >> text=Freeze");
    await page.click(".stop >> text=Freeze thing/");
    await page.waitForSelector(".banner:has-text('is frozen by a-operator')");
    expect(await page.locator("text=Lift the freeze").count()).toBe(0);
    await page.click(".stops >> text=Abort");
    await page.click("text=Abort this run");
    await page.waitForSelector(".pill:has-text('Aborted')");
    await page.context().close();
    const admin = await signedIn("admin", `/runs/${runId}`);
    await admin.click("text=Lift the freeze");
    await admin.click("text=Lift it: the runs");
    await admin.waitForSelector(".banner:has-text('is frozen')", { state: "detached" });
    await admin.context().close();
  });

  it("ends the feed of a session that signs out in another tab", async () => {
    const page = await signedIn("viewer", "/runs");
    const other = await signedIn("viewer", "/", page.context());
    await other.click("text=Sign out");
    await other.waitForSelector("#token");
    await ask("PUT", "/api/freeze", { scope: "runbook:none", reason: "a hint for the open feed" });
    await page.waitForSelector("#token");
    expect(await page.innerText("h1")).toBe("Sign in");
    await ask("DELETE", "/api/freeze?scope=runbook%3Anone");
    await page.context().close();
  });
});
