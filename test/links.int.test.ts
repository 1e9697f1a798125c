import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { z } from "zod";
import { type Block, documentTreeSchema } from "../packages/sdk/src/wire/document-tree.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { createSystemRandom } from "../src/core/random.ts";
import { tokenFilePath } from "../src/platform/config/data-folder.ts";
import { createTokenFile } from "../src/platform/http/token-file.ts";
import { readAlertRules } from "../src/runbooks/rules/alert-rules.ts";
import { type NotificationReceiver, startPagerDutyReceiver, startSlackReceiver } from "./servers/notification-receivers.ts";
import { routingKey } from "./servers/notification-targets.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";
import { type SmtpSink, startSmtpSink } from "./servers/smtp-sink.ts";
import { until } from "./servers/until.ts";

/** Follows every link of every rule, mail and notification over a real server, and finds a page that shows what the link is about. */
const publicUrl = "http://localhost:9097";
const root = join(import.meta.dirname, "..");
const runbook = `---
mode: auto
---
# Runbook: Asking

## Scenario
Something is the matter.

## Procedure

1. **Wait a moment**: Nothing else.
   - Action: \`wait\`
     \`\`\`yaml
     for: 10ms
     \`\`\`

2. **Look at it**: A person does this.

## Verification
- A person looks.

## Post-Action
- Action: \`send-report\`
`;

let redis: RedisServer;
let folder: ProductFolder;
let build: string;
let sink: SmtpSink;
let slack: NotificationReceiver;
let pagerDuty: NotificationReceiver;
let product: RunningProduct;
let token: string;

beforeAll(async () => {
  redis = await startRedisServer();
  const names = (await readdir(join(root, "runbooks"))).filter((name) => name.endsWith(".md") && name !== "README.md");
  const shipped = await Promise.all(names.map(async (name) => [name, await readFile(join(root, "runbooks", name), "utf8")] as const));
  folder = await aProductFolder({ ...Object.fromEntries(shipped), "asking.md": runbook });
  build = await mkdtemp(join(tmpdir(), "rb-console-"));
  await writeFile(join(build, "shell.html"), "<!doctype html><title>console</title>");
  await writeFile(join(build, "manifest.json"), JSON.stringify({ shell: "shell.html", files: [] }));
  [sink, slack, pagerDuty] = await Promise.all([startSmtpSink(), startSlackReceiver(), startPagerDutyReceiver()]);
  const file = createTokenFile(tokenFilePath(folder.path), { clock: createSystemClock(), random: createSystemRandom() });
  token = (await file.create("ann", "admin")) ?? "";
  product = await startProduct(folder.path, {
    env: {
      REDIS_URL: `unix://${redis.socketPath}`,
      RUNBOOKD_PUBLIC_URL: publicUrl,
      SMTP_URL: sink.url,
      MAIL_FROM: "runbookd@example.org",
    },
    yaml: `notify_groups:
  default:
    mail: [team@example.org]
    slack: [{ name: ops, url: "${slack.url}" }]
    pagerduty: [{ name: primary, routing_key_file: /key, url: "${pagerDuty.url}" }]
`,
    files: { "/key": routingKey },
    consoleFolder: build,
  });
});

afterAll(async () => {
  for (const one of [product, redis, sink, slack, pagerDuty, folder]) await one[Symbol.asyncDispose]();
  await rm(build, { recursive: true });
});

async function api(method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/json" }) };
  const response = await fetch(`${product.url}${path}`, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) });
  expect([path, response.ok]).toEqual([path, true]);
  return response.json();
}

const stepsOf = (blocks: readonly Block[]) => blocks.flatMap((block) => (block.type === "step" ? [block.number] : []));

/** Opens the link as a browser without a session does, and reads what its page will show. */
async function follow(link: string): Promise<void> {
  expect(link.startsWith(`${publicUrl}/`)).toBe(true);
  const { pathname, hash } = new URL(link);
  const page = await fetch(`${product.url}${pathname}`, { headers: { accept: "text/html" } });
  expect([link, page.status, page.headers.get("content-type")]).toEqual([link, 200, "text/html; charset=utf-8"]);
  if (!/^\/(?:runs|runbooks)\//u.test(pathname)) return;
  const { children } = documentTreeSchema.parse(await api("GET", `/api${pathname}/document`));
  const step = /^#step-(\d+)$/u.exec(hash)?.[1];
  expect(["none", ...stepsOf(children).map(String)]).toContain(step ?? "none");
}

const linksIn = (text: string) => [...text.matchAll(/http:\/\/localhost:9097[^\s"'<>)\]\\]*/gu)].map(([link]) => link);

describe("an alert rule", () => {
  it("leads to the page of its runbook, or to what the doctor says of it", async () => {
    const names = await readdir(join(root, "alerts/rules"));
    const files = await Promise.all(
      names.map(async (name) => ({ file: name, source: await readFile(join(root, "alerts/rules", name), "utf8") })),
    );
    const { rules } = readAlertRules(files);
    expect(rules.length).toBeGreaterThan(25);
    for (const { name, labels, annotations } of rules) {
      const link = annotations["runbook_url"] ?? "";
      await follow(link);
      const { pathname, hash } = new URL(link);
      const { runbook: id = "" } = labels;
      // An alert that starts nothing may still lead to the document that people follow by hand.
      const accepted = id === "none" ? `/(?:doctor#${name}|runbooks/[a-z0-9-]+)` : `/runbooks/${id}`;
      expect([name, pathname + hash]).toEqual([name, expect.stringMatching(new RegExp(`^${accepted}$`, "u"))]);
    }
  });
});

describe("a run", () => {
  it("is one tap away from every mail and notification about it, at the step that asks", async () => {
    const { runId } = z.looseObject({ runId: z.string() }).parse(await api("POST", "/api/runs", { runbook: "asking" }));
    const questions = z.looseObject({
      items: z.array(z.looseObject({ question: z.looseObject({ id: z.string(), answers: z.array(z.string()) }) })),
    });
    const { question } = await until("a person is asked", async () => questions.parse(await api("GET", "/api/approvals")).items[0]);
    await until("everyone was asked", async () => sink.mails.length > 0 && slack.received.length > 0 && pagerDuty.received.length > 0);
    const asked = [sink.mails[0]?.text ?? "", JSON.stringify(slack.received[0]?.body), JSON.stringify(pagerDuty.received[0]?.body)];
    for (const text of asked) {
      expect(linksIn(text)).toContain(`${publicUrl}/runs/${runId}#step-2`);
      for (const link of linksIn(text)) await follow(link);
    }
    expect(linksIn(asked[0] ?? "").some((link) => link.startsWith(`${publicUrl}/a/${question.id}#`))).toBe(true);
    await api("POST", `/api/approvals/${question.id}`, { answer: question.answers[0], reason: "a test" });
    // PagerDuty gets no review.
    await until("the review was sent", async () => sink.mails.length > 1 && slack.received.length > 1);
    const reviewed = [`${sink.mails[1]?.text ?? ""} ${String(sink.mails[1]?.html)}`, JSON.stringify(slack.received[1]?.body)];
    for (const text of reviewed) {
      expect(linksIn(text)).toContain(`${publicUrl}/runs/${runId}`);
      for (const link of linksIn(text)) await follow(link);
    }
  });
});
