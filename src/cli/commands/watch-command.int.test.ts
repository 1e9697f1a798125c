import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { aCommandContext, type ScriptedContext } from "../../../test/builders/command-context.ts";
import { type RedisServer, startRedisServer } from "../../../test/servers/redis-server.ts";
import { aProductFolder, type ProductFolder, type RunningProduct, startProduct } from "../../../test/servers/running-product.ts";
import { startTcpProxy, type TcpProxy } from "../../../test/servers/tcp-proxy.ts";
import { until } from "../../../test/servers/until.ts";
import { createSystemClock } from "../../core/clock.ts";
import { createSystemRandom } from "../../core/random.ts";
import { tokenFilePath } from "../../platform/config/data-folder.ts";
import { createTokenFile } from "../../platform/http/token-file.ts";
import { eraseScreen } from "../context.ts";
import { runCli } from "../run-cli.ts";

/** The command line over a real server and worker, whose connections the test cuts. */
const asking = `---
target: thing/\${{ params.name }}
mode: auto
params:
  name: { type: string, description: "Each run has a target of its own." }
---
# Runbook: Ask

## Scenario
Something is the matter.

## Procedure

1. **Look at it with great care, and write down everything that you see, however long that takes**: A person does this.
`;

let redis: RedisServer;
let folder: ProductFolder;
let product: RunningProduct;
let proxy: TcpProxy;
let token = "";

beforeAll(async () => {
  redis = await startRedisServer();
  folder = await aProductFolder({ "ask.md": asking });
  const file = createTokenFile(tokenFilePath(folder.path), { clock: createSystemClock(), random: createSystemRandom() });
  token = (await file.create("ann", "admin")) ?? "";
  product = await startProduct(folder.path, { env: { REDIS_URL: `unix://${redis.socketPath}` } });
  proxy = await startTcpProxy();
  proxy.target = Number(new URL(product.url).port);
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await product[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** A command under way. */
function run(args: readonly string[], isTerminal = false) {
  const interrupt = new AbortController();
  const env = { RUNBOOKD_URL: `http://127.0.0.1:${proxy.port}`, RUNBOOKD_TOKEN: token };
  const context: ScriptedContext = { ...aCommandContext({ env, isTerminal }), fetch, signal: interrupt.signal };
  return { printed: context.printed, interrupt: () => interrupt.abort(), code: runCli(args, context, "1") };
}

async function ask(method: string, path: string, body?: unknown) {
  const response = await fetch(`${product.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return Object(await response.json());
}

async function questionOf(runId: string): Promise<string> {
  return until("it asks", async () => {
    const { items } = await ask("GET", "/api/approvals");
    return items.find((item: { question: { runId: string } }) => item.question.runId === runId)?.question.id;
  });
}

describe("a run that is followed", () => {
  it.each([
    ["done", "succeeded", 0],
    ["failed", "aborted", 1],
  ] as const)("with `run --wait` ends %s, is %s, and gives the exit code %i", async (answer, outcome, code) => {
    const started = run(["run", "ask", "--wait", "--param", `name=${randomUUID()}`]);
    const runId = await until("it is shown", () => /^Run (\S+): ask/m.exec(started.printed.out)?.[1]);
    await ask("POST", `/api/approvals/${await questionOf(runId)}`, { answer, reason: "looked" });
    expect(await started.code).toBe(code);
    expect(started.printed.out).toContain(`runbookd approvals answer q`);
    expect(started.printed.out.trimEnd().split("\n").at(-1)).toMatch(new RegExp(`^${outcome}`));
    expect(started.printed.out).not.toContain("\u001b");
  });

  it("survives a server that is away, and prints nothing twice", async () => {
    const { runId } = await ask("POST", "/api/runs", { runbook: "ask", params: { name: randomUUID() } });
    const id = await questionOf(runId);
    const followed = run(["runs", "show", runId, "--follow", "--json"]);
    await until("it asks", () => followed.printed.out.includes('"kind":"asked"'));
    const { target } = proxy;
    proxy.target = undefined;
    proxy.cut();
    await until("it says so", () => followed.printed.err.includes("trying again"));
    await ask("POST", `/api/approvals/${id}`, { answer: "done", reason: "while it was away" });
    proxy.target = target;
    expect(await followed.code).toBe(0);
    const lines = followed.printed.out.trimEnd().split("\n");
    const { journal } = await ask("GET", `/api/runs/${runId}`);
    expect(lines.map((line) => JSON.parse(line))).toEqual([...journal, expect.objectContaining({ runId, outcome: "succeeded" })]);
    expect(followed.printed.err).toContain("Connected again.");
  });

  it("fits a terminal of 80 columns, and ends with 1 when a person interrupts it", async () => {
    const { runId } = await ask("POST", "/api/runs", { runbook: "ask", params: { name: randomUUID() } });
    await questionOf(runId);
    const followed = run(["watch", runId], true);
    await until("it asks", () => followed.printed.out.includes("asked"));
    followed.interrupt();
    expect(await followed.code).toBe(1);
    const entries = followed.printed.out.split("\n").filter((line) => /^\d\d:/.test(line));
    expect(entries.length).toBeGreaterThan(1);
    expect(entries.filter((line) => line.length > 79)).toEqual([]);
    await ask("POST", `/api/runs/${runId}/abort`, { reason: "a test" });
  });

  it("is refused at once when there is no such run", async () => {
    const followed = run(["watch", "run_nothing"]);
    expect(await followed.code).toBe(1);
    expect(followed.printed.err).toContain("There is no such run.");
  });
});

describe("watching everything", () => {
  it("prints a line for each change, and ends with 0 when a person interrupts it", async () => {
    const watched = run(["watch"]);
    const { runId } = await ask("POST", "/api/runs", { runbook: "ask", params: { name: randomUUID() } });
    const id = await questionOf(runId);
    await until("the question is printed", () => watched.printed.out.includes(`asks ${id}`));
    await ask("PUT", "/api/freeze", { scope: "runbook:none", reason: "for a test" });
    await until("the freeze is printed", () => watched.printed.out.includes("frozen runbook:none by ann: for a test"));
    await ask("DELETE", "/api/freeze?scope=runbook%3Anone");
    await ask("POST", `/api/approvals/${id}`, { answer: "done", reason: "looked" });
    await until("the end is printed", () => watched.printed.out.includes(`succeeded ${runId}`));
    watched.interrupt();
    expect(await watched.code).toBe(0);
    const lines = watched.printed.out.trimEnd().split("\n");
    expect(new Set(lines).size).toBe(lines.length);
  });

  it("draws on a terminal of 80 columns in place", async () => {
    const { runId } = await ask("POST", "/api/runs", { runbook: "ask", params: { name: randomUUID() } });
    await questionOf(runId);
    const watched = run(["watch"], true);
    await until("it is drawn", () => watched.printed.out.includes("1 question waits for a person"));
    watched.interrupt();
    expect(await watched.code).toBe(0);
    const screens = watched.printed.out.split(eraseScreen).slice(1);
    const colors = ["\u001b[31m", "\u001b[32m", "\u001b[33m", "\u001b[2m", "\u001b[0m"];
    const lines = screens.flatMap((screen) => colors.reduce((text, color) => text.replaceAll(color, ""), screen).split("\n"));
    expect(lines.filter((line) => line.length > 79)).toEqual([]);
    await ask("POST", `/api/runs/${runId}/abort`, { reason: "a test" });
  });
});
