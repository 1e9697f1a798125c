import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createAskingRun } from "../../test/builders/an-asking-run.ts";
import { type Browser, startBrowser } from "../../test/servers/browser.ts";
import { holdRedis } from "../../test/servers/hold-redis.ts";
import { type HttpHarness, startHttp } from "../../test/servers/http-harness.ts";
import { createSystemClock } from "../core/clock.ts";
import { parseRecord } from "../core/journal.ts";
import { runKeys } from "../platform/redis/run-keys.ts";
import { createQuestionLinks } from "./redis-question-links.ts";
import { createApprovalService } from "./redis-store.ts";
import { createApprovalRoutes } from "./routes.ts";

/** The page behind a mailed link over a real ledger, in a real browser. */
const held = holdRedis();
let http: HttpHarness;
let browser: Browser;
beforeAll(async () => {
  const desk = createApprovalService(held.redis, { enqueue: () => undefined }, createSystemClock());
  http = await startHttp({
    routes: createApprovalRoutes({ approvalService: desk, answeredQuestions: async () => undefined, clock: createSystemClock() }),
  });
  browser = await startBrowser();
});
afterAll(async () => {
  await browser[Symbol.asyncDispose]();
  await http[Symbol.asyncDispose]();
});

async function aLinkedRun(text = "Resume budget checkout?") {
  const run = await createAskingRun(held.redis, {
    text,
    of: 1,
    plan: {
      summary: "Open admission of budget checkout",
      targets: ["budget/checkout"],
      changes: [{ target: "budget/checkout", field: "gate", before: "paused", after: "open" }],
      reversible: true,
      data: null,
    },
  });
  const token = randomBytes(32).toString("base64url");
  await createQuestionLinks(held.redis, () => Date.now()).add(run.question, token);
  return { ...run, token, path: `/a/${run.question.id}` };
}

async function decisions(runId: string) {
  const texts = await held.redis.lrange(runKeys.journal(runId), 0, -1);
  return texts.flatMap(parseRecord).flatMap((entry) => (entry.kind === "answered" ? [entry.answer] : []));
}

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${http.url}${path}`, {
    method: "POST",
    headers: { authorization: "Bearer approver-token", "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

describe("opening a mailed link", () => {
  it("decides nothing, however often a scanner gets it (A03)", async () => {
    const run = await aLinkedRun();
    const replies = await Promise.all(
      Array.from({ length: 200 }, async (_, index) =>
        fetch(`${http.url}${run.path}`, { method: index % 2 === 0 ? "GET" : "HEAD" }).then(async (reply) => {
          await reply.text();
          return reply.status;
        }),
      ),
    );
    expect(new Set(replies)).toEqual(new Set([200]));
    expect(await decisions(run.runId)).toEqual([]);
  });

  it("decides nothing when a scanner runs the page's script and presses what it finds", async () => {
    const run = await aLinkedRun();
    const page = await browser.open(`${http.url}${run.path}#${run.token}`);
    for (const button of await page.locator("button").all()) await button.click({ force: true, timeout: 500 }).catch(() => undefined);
    await page.evaluate(
      "document.querySelectorAll('form').forEach((form) => form.requestSubmit && form.dispatchEvent(new Event('submit', { cancelable: true })))",
    );
    await page.waitForSelector("#status:has-text('valid token')");
    await page.close();
    expect(await decisions(run.runId)).toEqual([]);
  });

  it("tells nobody without a token what the question is, nor whether there is one", async () => {
    const run = await aLinkedRun();
    const [known, unknown] = await Promise.all([run.path, "/a/q_nobody"].map(async (path) => (await fetch(`${http.url}${path}`)).text()));
    expect(known).toBe(unknown);
    expect((await fetch(`${http.url}/api/approvals/${run.question.id}/question`)).status).toBe(401);
  });

  it("is answered so that no cache keeps it, no other page frames it, no inline script runs and no referrer leaves (B40)", async () => {
    const { headers } = await fetch(`${http.url}/a/q_1`);
    expect(headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(headers.get("x-frame-options")).toBe("DENY");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("referrer-policy")).toBe("no-referrer");
    expect(headers.get("x-robots-tag")).toBe("noindex, nofollow");
  });
});

describe("deciding through a mailed link", () => {
  it("is a person's work: token, question, answer, reason, button", async () => {
    const run = await aLinkedRun("Resume <img src=x onerror=alert(1)> checkout?");
    const page = await browser.open(`${http.url}${run.path}#${run.token}`);
    const requests: string[] = [];
    const disturbances: string[] = [];
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => disturbances.push(message.text()));
    page.on("dialog", (dialog) => disturbances.push(dialog.message()));
    expect(page.url()).toBe(`${http.url}${run.path}`);
    await page.fill("#token", "approver-token");
    await page.click("#sign-in button");
    await page.waitForSelector("#question:not([hidden])");
    const shown = await page.innerText("main");
    expect(shown).toContain("Resume <img src=x onerror=alert(1)> checkout?");
    expect(shown.replaceAll(/\s+/g, " ")).toContain('budget/checkout gate "paused" "open"');
    await page.check("input[value=approve]");
    await page.fill("#reason", "looked at the dashboard");
    const folder = process.env["RUNBOOKD_SCREENSHOTS"];
    if (folder !== undefined) await page.screenshot({ path: `${folder}/answer-page.png`, fullPage: true });
    await page.click("#decide button");
    await page.waitForSelector("#status:has-text('Answered: approve')");
    expect(await decisions(run.runId)).toMatchObject([{ answer: "approve", by: "a approver", reason: "looked at the dashboard" }]);
    expect(requests.filter((url) => url.includes(run.token))).toEqual([]);
    expect(disturbances).toEqual([]);
    expect(await page.evaluate("JSON.stringify({ ...localStorage, ...sessionStorage }) + document.cookie")).toBe("{}");
    await page.close();
  });

  it("shows by their codes the characters that turn or hide text, wherever a question holds them", async () => {
    const marks = ["\u202e", "\u2066", "\u200b", "\u00ad", "\u2028", "\u0007", "\u{e0041}", "\u3164"];
    const all = (name: string) => `${name}${marks.join("")}`;
    const run = await createAskingRun(held.redis, {
      text: all("text"),
      requester: all("requester"),
      answers: ["approve", all("reject")],
      plan: {
        summary: all("summary"),
        targets: [all("target")],
        changes: [{ target: all("changed"), field: all("field"), before: all("before"), after: { value: all("after") } }],
        reversible: true,
        data: { argv: [all("data")] },
      },
    });
    const page = await browser.open(`${http.url}/a/${run.question.id}`);
    await page.fill("#token", "approver-token");
    await page.click("#sign-in button");
    await page.waitForSelector("#question:not([hidden])");
    const shown = String(await page.evaluate("document.querySelector('main').textContent"));
    await page.close();
    expect(shown).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
    for (const name of ["text", "requester", "reject", "summary", "target", "changed", "field", "before", "after", "data"])
      expect(shown).toContain(`${name}\\u202e\\u2066\\u200b\\u00ad\\u2028`);
  });

  it("is refused with 405 for what only reads (B37)", async () => {
    const run = await aLinkedRun();
    for (const method of ["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]) {
      const reply = await fetch(`${http.url}/api/approvals/${run.question.id}/link`, {
        method,
        headers: { authorization: "Bearer approver-token" },
      });
      expect([method, reply.status]).toEqual([method, 405]);
    }
    for (const path of [run.path, "/a.js", "/a.css"]) expect((await post(path, {})).status).toBe(405);
    expect(await decisions(run.runId)).toEqual([]);
  });

  it("is refused from another site, another origin, a form, and without a person's token (B38)", async () => {
    const run = await aLinkedRun();
    const path = `/api/approvals/${run.question.id}/link`;
    const body = { link: run.token, answer: "approve", reason: "r", planSha: run.question.planSha };
    const text = JSON.stringify(body);
    const refused: readonly [number, Record<string, string>][] = [
      [403, { "sec-fetch-site": "cross-site" }],
      [403, { "sec-fetch-site": "same-site" }],
      [403, { "sec-fetch-site": "none" }],
      [403, { origin: "https://evil.example" }],
      [403, { origin: "null" }],
      [415, { "content-type": "text/plain" }],
      [415, { "content-type": "application/x-www-form-urlencoded" }],
      [401, { authorization: "Bearer wrong" }],
      [401, { authorization: `Bearer ${run.token}` }],
      [403, { authorization: "Bearer viewer-token" }],
      [403, { authorization: "Bearer workload-token" }],
    ];
    for (const [status, headers] of refused) expect([headers, (await post(path, text, headers)).status]).toEqual([headers, status]);
    expect(await decisions(run.runId)).toEqual([]);
    expect((await post(path, body, { origin: http.url, "sec-fetch-site": "same-origin" })).status).toBe(202);
    expect((await post(path, body)).status).toBe(409);
  });

  it("does not believe what a request says about itself in X-Forwarded headers (B41)", async () => {
    const run = await aLinkedRun();
    const body = { link: run.token, answer: "approve", reason: "r", planSha: run.question.planSha };
    const headers = {
      origin: "https://evil.example",
      "x-forwarded-host": "evil.example",
      "x-forwarded-proto": "https",
      "x-forwarded-for": "127.0.0.1",
    };
    expect((await post(`/api/approvals/${run.question.id}/link`, body, headers)).status).toBe(403);
    expect(await decisions(run.runId)).toEqual([]);
  });

  it("needs the link as well as the person, and says how many tries are left", async () => {
    const run = await aLinkedRun();
    const reply = await post(`/api/approvals/${run.question.id}/link`, {
      link: "guessed",
      answer: "approve",
      reason: "r",
      planSha: run.question.planSha,
    });
    expect(reply.status).toBe(403);
    expect(await reply.text()).toContain("4 more tries");
  });
});
