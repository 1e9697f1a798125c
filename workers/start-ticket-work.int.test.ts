import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { newTicketSchema } from "../packages/sdk/src/wire/tickets.ts";
import { openRuntime, type Runtime } from "../src/app/runtime.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { createSystemRandom } from "../src/core/random.ts";
import { createSecurityFindingStore } from "../src/llm/findings/redis-security-findings.ts";
import { createTicketStore } from "../src/llm/tickets/redis-store.ts";
import { loadConfig } from "../src/platform/config/load-config.ts";
import { aGitRepository } from "../test/servers/git-repository.ts";
import { holdRedis } from "../test/servers/hold-redis.ts";
import { until } from "../test/servers/until.ts";
import { startTicketWork, type TicketWork } from "./start-ticket-work.ts";

const held = holdRedis();
const clock = createSystemClock();
/** Five stages start a process and several of git each, which takes long on a busy machine. */
const patience = 60_000;
const work: TicketWork = { queue: "code", command: "implement", concurrency: 1, phaseMicroUsd: 1000 };

/**
 * The command of every stage. It notes the stage, and in `implement` it changes a file so that it holds a token of GitHub's shape; a ticket that is to hang
 * stays there until it is killed.
 */
const script = `
import { appendFileSync, existsSync, writeFileSync } from "node:fs";
const [notes, hang] = process.argv.slice(2);
const { RUNBOOKD_STAGE: stage, RUNBOOKD_TICKET: ticket } = process.env;
appendFileSync(notes, stage + " " + ticket + " " + process.pid + "\\n");
if (stage === "implement") {
  writeFileSync("deploy.txt", "token " + "gh" + "p_" + "a1B2".repeat(9) + "\\n");
  if (existsSync(hang)) setInterval(() => undefined, 1000);
}
`;

let root: string;
let repository: ReturnType<typeof aGitRepository>;
let opened: Runtime[];

beforeEach(async () => {
  await held.redis.flushall();
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-work-")));
  repository = aGitRepository(root, { "a.txt": "base" });
  writeFileSync(join(root, "implement.mjs"), script);
  opened = [];
});

afterEach(async () => {
  for (const runtime of opened) {
    runtime.ending.abort();
    await runtime.closers.close();
  }
  rmSync(root, { recursive: true, force: true });
});

async function open(
  env: Readonly<Record<string, string>> = {
    RUNBOOKD_TICKET_REPOSITORY: repository.folder,
    RUNBOOKD_TICKET_WORKTREES: repository.worktrees,
  },
): Promise<Runtime> {
  const command = { argv: [process.execPath, join(root, "implement.mjs"), notesFile(), join(root, "hang")], timeout: "60s" };
  const loaded = loadConfig({
    env: {
      REDIS_URL: `unix://${held.server.socketPath}`,
      RUNBOOKD_RUNBOOKS: root,
      RUNBOOKD_DATA: root,
      RUNBOOKD_LOG_LEVEL: "silent",
      RUNBOOKD_GRACE_SECONDS: "20",
      ...env,
    },
    yaml: JSON.stringify({ commands: { implement: command } }),
    readFile: () => "",
  });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  const runtime = await openRuntime(loaded.config, {
    version: "0.0.0",
    workingDirectory: root,
    path: process.env["PATH"] ?? "",
    clock,
    random: createSystemRandom(),
    cpuMs: () => 0,
    exitStuck: () => undefined,
    signal: new AbortController().signal,
  });
  opened.push(runtime);
  return runtime;
}

const notesFile = () => join(root, "notes.txt");
const notes = () => (existsSync(notesFile()) ? readFileSync(notesFile(), "utf8").trim().split("\n") : []);
const tickets = () => createTicketStore({ redis: held.redis, clock });
const detected = async () =>
  createSecurityFindingStore({ redis: held.redis, clock, retentionMs: 1000 }).list({ source: "runbookd-changes" }, 10);

async function addTicket(runtime: Runtime): Promise<void> {
  await runtime.ledger.define({ id: "desk", limitMicroUsd: 100_000_000, periodMs: 3_600_000, periodStartsAt: 0 });
  await runtime.tickets.add(newTicketSchema.parse({ id: "GH-1", budget: "desk", queue: "code", estimateMicroUsd: 1000 }));
  await runtime.ticketQueue.enqueue({ id: "GH-1", queue: "code" });
}

/** A runtime that says what is opened with it. */
function watched(runtime: Runtime): { readonly runtime: Runtime; readonly acquired: readonly string[] } {
  const acquired: string[] = [];
  return {
    acquired,
    runtime: {
      ...runtime,
      connect(purpose) {
        acquired.push(`connection (${purpose})`);
        return runtime.connect(purpose);
      },
      closers: {
        ...runtime.closers,
        add(name, close, withinMs) {
          acquired.push(name);
          runtime.closers.add(name, close, withinMs);
        },
      },
    },
  };
}

it(
  "works on the tickets of its queue, stage by stage, and looks through what they change",
  async () => {
    const runtime = await open();
    await addTicket(runtime);
    startTicketWork(runtime, work);
    await until("the ticket has succeeded", async () => (await tickets().get("GH-1"))?.state === "succeeded", patience);
    expect(notes().map((line) => line.split(" ").slice(0, 2).join(" "))).toEqual(
      ["plan", "implement", "test", "review", "publish"].map((stage) => `${stage} GH-1`),
    );
    const [finding, another] = await until("a secret was detected", async () => {
      const findings = await detected();
      return findings.length > 0 && findings;
    });
    expect([finding?.kind, finding?.location.path, another]).toEqual(["secret", "deploy.txt", undefined]);
    expect(JSON.stringify(finding)).not.toContain("a1B2a1B2");
    expect(await runtime.metrics.metrics()).toMatch(
      /llm_secret_detections_total\{source="runbookd-changes",feature="unknown",confidence="medium"\} 1/,
    );
  },
  2 * patience,
);

it.each([
  ["no repository is configured", {}, work, "RUNBOOKD_TICKET_REPOSITORY must name the repository"],
  ["there is no such command", undefined, { ...work, command: "deploy" }, "There is no registered command deploy; accepted: implement."],
] as const)("opens nothing and takes no ticket when %s", async (_why, env, asked, message) => {
  const { runtime, acquired } = watched(await open(env));
  await addTicket(runtime);
  expect(() => startTicketWork(runtime, asked)).toThrow(message);
  expect(acquired).toEqual([]);
  expect(await tickets().get("GH-1")).toMatchObject({ state: "queued", turn: 0 });
  expect(notes()).toEqual([]);
});

it(
  "ends its commands and connections, keeps what a command had done, and looks through that before it is gone",
  async () => {
    const clientsBefore = await clientCount();
    writeFileSync(join(root, "hang"), "");
    const runtime = await open();
    await addTicket(runtime);
    startTicketWork(runtime, work);
    const line = await until("a command hangs", () => notes().find((one) => one.startsWith("implement ")));
    await until("it has written its file", () => existsSync(join(repository.worktrees, "GH-1", "deploy.txt")));
    const pid = Number(line.split(" ")[2]);
    expect(isAlive(pid)).toBe(true);
    runtime.ending.abort();
    await runtime.closers.close();
    expect(isAlive(pid)).toBe(false);
    const ticket = await tickets().get("GH-1");
    expect(ticket?.state).toBe("queued");
    const last = (await repository.checkpoints.list("GH-1")).at(-1);
    if (last?.kind !== "whole") throw new Error("What the command had done was not saved.");
    expect(last.checkpoint.stage).toBe("partial");
    expect((await repository.checkpoints.changes(last.checkpoint)).files.map(({ path }) => path)).toEqual(["deploy.txt"]);
    expect((await detected()).map(({ location }) => location.path)).toEqual(["deploy.txt"]);
    expect(await clientCount()).toBe(clientsBefore);
    expect(notes().filter((one) => one.startsWith("implement "))).toHaveLength(1);
  },
  2 * patience,
);

async function clientCount(): Promise<number> {
  return String(await held.redis.client("LIST"))
    .trim()
    .split("\n").length;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
