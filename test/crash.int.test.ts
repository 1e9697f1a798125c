import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import type { JournalEntry } from "../packages/sdk/src/wire/journal.ts";
import type { RunSummary } from "../packages/sdk/src/wire/runs.ts";
import { createApprovalService } from "../src/approvals/redis-store.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { connectRedis } from "../src/platform/redis/connection.ts";
import { runKeys } from "../src/platform/redis/run-keys.ts";
import { createRunReader } from "../src/runs/redis-run-reader.ts";
import { type CountingTarget, startCountingTarget } from "./servers/counting-target.ts";
import { aFiringAlert, postUntilAccepted } from "./servers/post-alerts.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { until } from "./servers/until.ts";

/**
 * SIGKILL at every kill point of a five-step run, with leases of one second and a target that counts what arrives. The process that dies is a
 * whole runbookd (webhook, queue, worker, sweeper); another one, under another name, finds what it left. Needs the build.
 */
const root = join(import.meta.dirname, "..");
const child = join(root, "dist/test/children/crash-child.js");
const steps = ["first", "second", "third", "fourth", "fifth"];

let server: RedisServer;
let target: CountingTarget;
beforeAll(async () => {
  server = await startRedisServer();
  target = await startCountingTarget(150);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

interface Child {
  readonly process: ChildProcess;
  readonly port: number;
  readonly dead: Promise<unknown>;
}

async function startChild(name: string, effect: string, runbook: string, kill = "", step = ""): Promise<Child> {
  const spawned = spawn(process.execPath, [child], {
    env: {
      PATH: process.env["PATH"],
      RB_REDIS: `unix://${server.socketPath}`,
      RB_WORKER: name,
      RB_TARGET: target.url,
      RB_RUNBOOK: join(import.meta.dirname, "fixtures", runbook),
      RB_EFFECT: effect,
      RB_KILL: kill,
      RB_STEP: step,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const dead = once(spawned, "exit");
  const line = await new Promise<string>((resolve, reject) => {
    spawned.stdout.once("data", (chunk) => resolve(String(chunk)));
    void dead.then(() => reject(new Error("The process died before it was ready.")));
  });
  return { process: spawned, port: Number(/^ready (\d+)$/m.exec(line)?.[1]), dead };
}

interface Told {
  readonly summary: RunSummary;
  readonly journal: readonly JournalEntry[];
}

async function crash(thing: string, effect: string, kill: string, step: string, runbook = "crash-five-steps.md"): Promise<Told> {
  const redis = connectRedis({ socketPath: server.socketPath }, "worker");
  await redis.flushall();
  const reader = createRunReader(redis, createSystemClock());
  const first = await startChild(`${thing}-a`, effect, runbook, kill, step);
  let second: Child | undefined;
  try {
    const posting = postUntilAccepted(() => `http://127.0.0.1:${(second ?? first).port}`, [aFiringAlert("Crash", thing)]);
    await first.dead;
    second = await startChild(`${thing}-b`, effect, runbook);
    await posting;
    return await untilEnded();
  } finally {
    first.process.kill("SIGKILL");
    second?.process.kill("SIGKILL");
    redis.disconnect();
  }

  async function untilEnded(): Promise<Told> {
    const desk = createApprovalService(redis, { enqueue: () => undefined }, createSystemClock());
    return until("the run has ended", async () => {
      const [id] = await redis.zrange(runKeys.runs, "0", "-1");
      const run = id === undefined ? undefined : await reader.get(id);
      if (run?.summary.state === "ended") return run;
      for (const { question } of await desk.list()) {
        const answer = question.kind === "in_doubt" ? "happened" : "done";
        await desk.answer(question.id, { answer, reason: "", by: "ann", role: "admin", at: Date.now() });
      }
      return undefined;
    });
  }
}

/** What must be true whatever was killed. */
function expectSound({ summary, journal }: Told, thing: string): void {
  expect(summary.outcome).toBe("succeeded");
  const completed = journal.flatMap((entry) => (entry.kind === "completed" ? [entry.step] : []));
  expect(completed).toEqual([...new Set(completed)]);
  // No step is attempted after it was committed.
  const late = journal.filter(
    (entry, index) =>
      entry.kind === "intent" && journal.slice(0, index).some((before) => before.kind === "completed" && before.step === entry.step),
  );
  expect(late).toEqual([]);
  const epochs = journal.flatMap((entry) => entry.epoch ?? []);
  expect(epochs).toEqual(epochs.toSorted((a, b) => a - b));
  expect(summary.target).toBe(`thing/${thing}`);
}

function arrivalsOf(runId: string) {
  return target.arrivals.filter((arrival) => arrival.run === runId);
}

const wholeRun = ["KP0", "KP1", "KP2", "KP3", "KP9"];
const atStep = ["KP4", "KP5", "KP6", "KP7"];

describe("a worker killed with SIGKILL", () => {
  for (const effect of ["set", "keyed", "probed"]) {
    for (const kill of [...wholeRun, ...atStep]) {
      it(`at ${kill} leaves a run of ${effect} effects that another finishes, each effect applied once`, async () => {
        const thing = `${effect}-${kill.toLowerCase()}`;
        const told = await crash(thing, effect, kill, "third");
        expectSound(told, thing);
        const applied = arrivalsOf(told.summary.id).filter((arrival) => arrival.applied);
        expect(applied.map((arrival) => arrival.step)).toEqual(steps);
      }, 30_000);
    }
  }

  for (const kill of ["KP4", "KP5", "KP6"]) {
    it(`at ${kill} of an opaque effect parks the run in doubt; it is attempted once, and a person says what is true`, async () => {
      const thing = `once-${kill.toLowerCase()}`;
      const told = await crash(thing, "once", kill, "third");
      expectSound(told, thing);
      const third = arrivalsOf(told.summary.id).filter((arrival) => arrival.step === "third");
      expect(third.length).toBe(kill === "KP4" ? 0 : 1);
      expect(told.journal.some((entry) => entry.kind === "asked" && entry.question.kind === "in_doubt")).toBe(true);
    }, 30_000);
  }

  it("at KP8, parked for a person, leaves a question that survives and is answered", async () => {
    const told = await crash("parked", "set", "KP8", "", "crash-manual-step.md");
    expectSound(told, "parked");
    expect(told.journal.filter((entry) => entry.kind === "asked").length).toBe(1);
    expect(arrivalsOf(told.summary.id).map((arrival) => arrival.step)).toEqual(steps.filter((step) => step !== "third"));
  }, 30_000);

  it("of a run of reads leaves nothing but a repeated read", async () => {
    const told = await crash("read-kp5", "read", "KP5", "third");
    expectSound(told, "read-kp5");
    expect(arrivalsOf(told.summary.id).filter((arrival) => arrival.step === "third").length).toBe(2);
  }, 30_000);
});
