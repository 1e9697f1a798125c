import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Redis } from "ioredis";
import { createApprovalService } from "../../src/approvals/redis-store.ts";
import { packageFolder } from "../../src/cli/process-context.ts";
import { createSystemClock } from "../../src/core/clock.ts";
import { parseEntry } from "../../src/core/journal.ts";
import { createRandom } from "../../src/core/random.ts";
import { runKeys } from "../../src/platform/redis/run-keys.ts";
import { createRunReader } from "../../src/runs/redis-run-reader.ts";
import { type CountingTarget, startCountingTarget } from "../../test/servers/counting-target.ts";
import { aFiringAlert, postAlerts } from "../../test/servers/post-alerts.ts";
import { drawFault, type Fault, type FaultKind } from "./faults.ts";
import { type Herd, startHerd } from "./herd.ts";
import type { History, KillSwitch, RunRecord } from "./history.ts";
import { type RedisWorld, startRedisWorld } from "./redis-world.ts";
import { type Outage, resumeTimes } from "./resume-times.ts";
import { judge, renderVerdict } from "./verdict.ts";

const usage = `Usage: npm run test:chaos -- [--runs N] [--seed N] [--minutes M] [--history FILE] [--break intent|fencing]

Kills, freezes and starves a herd of runbookd processes and their Redis while they work, then checks what the target saw against
the journals. Loopback only. --history writes what was seen to a file, as JSON. --break leaves one protection out, to show that this suite would notice: it must then fail.
`;

/** The child's lease and quarantine; see test/children/crash-child.ts. */
const pace = { leaseMs: 1000, quarantineMs: 500 };
const processes = 3;
const limit = { max: 60, windowMs: 2000 };
/** Fewer targets than alerts, so that runs meet at them. */
const things = 40;

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string", default: "100" },
      seed: { type: "string", default: "1" },
      minutes: { type: "string", default: "10" },
      break: { type: "string", default: "" },
      history: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const [runs, seed, minutes] = [Number(values.runs), Number(values.seed), Number(values.minutes)];
  const isFine = Number.isInteger(runs) && runs > 0 && runs <= 10_000 && Number.isInteger(seed) && minutes > 0 && minutes <= 120;
  if (values.help || !isFine || !["", "intent", "fencing"].includes(values.break)) {
    process.stdout.write(usage);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  process.stderr.write(
    `${runs} runs, seed ${seed}, ${processes} processes${values.break === "" ? "" : `, broken on purpose: no ${values.break}`}\n`,
  );
  const verdict = await chaos({ runs, seed, deadline: Date.now() + minutes * 60_000, broken: values.break, keep: values.history });
  process.stdout.write(renderVerdict(verdict));
  process.exitCode = verdict.isSound ? 0 : 1;
}

interface Order {
  readonly runs: number;
  readonly seed: number;
  readonly deadline: number;
  readonly broken: string;
  /** File for the history. */
  readonly keep: string | undefined;
}

async function chaos({ runs, seed, deadline, broken, keep }: Order) {
  await using target = await startCountingTarget(100);
  await using world = await startRedisWorld();
  await using herd = startHerd(processes, {
    RB_REDIS: world.url,
    RB_REPLICAS: "1",
    RB_UNDONE: join(packageFolder(), "bench/chaos/undone.md"),
    RB_TARGET: target.url,
    RB_RUNBOOK: join(packageFolder(), "bench/chaos/mixed-effects.md"),
    RB_EFFECT: "set",
    RB_LIMIT: String(limit.max),
    RB_BREAK: broken,
  });
  const { redis } = world;
  const random = createRandom(seed);
  const faults = new Map<FaultKind, number>();
  const outages: Outage[] = [];
  const killSwitches: KillSwitch[] = [];
  const began = Date.now();
  const stop = new AbortController();

  const inject = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const fault = drawFault(random, pace);
      if (await commit(fault, { herd, world, target, outages, killSwitches })) faults.set(fault.kind, (faults.get(fault.kind) ?? 0) + 1);
      await pause(fault.restMs);
    }
  };
  const injecting = inject();
  const people = answerQuestions(redis, target.arrivals, stop.signal);

  const accepted: { fingerprint: string; runId: string }[] = [];
  const posting: Promise<void>[] = [];
  let refused = 0;
  const started = new Set<string>();
  for (let nth = 0; started.size < runs && Date.now() < deadline; nth += 1) {
    // One in four is of the runbook that takes back what it did.
    const alert = alertOf(`a${nth}`, String(nth % things), nth % 4 === 3 ? "undone" : "mixed");
    const post = async (): Promise<void> => {
      while (Date.now() < deadline) {
        const runId = await postOnce(alert, herd.ports(), nth);
        if (runId !== undefined) {
          accepted.push({ fingerprint: `a${nth}`, runId });
          started.add(runId);
          return;
        }
        refused += 1;
        await pause(100);
      }
    };
    // One in five is sent twice, as by two Alertmanagers.
    posting.push(post());
    if (nth % 5 === 0) posting.push(post());
    await pause(200);
  }
  await Promise.all(posting);
  // Faults go on while the accepted runs end, for as long as half of them took to arrive.
  await pause(Math.min(20_000, (Date.now() - began) / 2, Math.max(0, deadline - Date.now())));
  stop.abort();
  await injecting;
  herd.thaw();
  const calm = new AbortController();
  const answering = answerQuestions(redis, target.arrivals, calm.signal);
  await untilEnded(redis, deadline + 60_000);
  calm.abort();
  await Promise.all([people, answering]);

  const history: History = {
    accepted,
    runs: await readRuns(redis),
    arrivals: target.arrivals.slice(),
    freezes: herd.freezes,
    killSwitches,
    writes: target.writes.slice(),
    limit,
    needsApproval: ["approved"],
  };
  const fenced = Number((await redis.get(runKeys.fenced)) ?? 0);
  if (keep !== undefined) await writeFile(keep, JSON.stringify({ history, outages, deaths: herd.deaths }, null, 1));
  const cuts = [...herd.deaths, ...herd.freezes.map(({ pid, from }) => ({ pid, at: from }))];
  return judge(history, {
    faults,
    fenced,
    refused,
    resumes: resumeTimes(history.runs, cuts, outages),
    seconds: (Date.now() - began) / 1000,
  });
}

interface Scene {
  readonly herd: Herd;
  readonly world: RedisWorld;
  readonly target: CountingTarget;
  readonly outages: Outage[];
  readonly killSwitches: KillSwitch[];
}

/** False: there was nobody to do it to. */
async function commit(fault: Fault, { herd, world, target, outages, killSwitches }: Scene): Promise<boolean> {
  const from = Date.now();
  switch (fault.kind) {
    case "SIGKILL":
      return herd.kill(fault.nth, fault.sameName, fault.forMs) !== undefined;
    case "SIGSTOP":
      return herd.freeze(fault.nth, fault.forMs) !== undefined;
    case "third value":
      return target.plant(fault.nth);
    case "kill switch":
      killSwitches.push(await world.freeze(fault.forMs, fault.nth % 2 === 0));
      break;
    case "Redis kill":
      await world.kill(fault.forMs);
      break;
    case "Redis full":
      await world.full(fault.forMs);
      break;
    case "Redis read-only":
      await world.readOnly(fault.forMs);
      break;
    case "Sentinel failover":
      await world.failover();
      break;
  }
  outages.push({ from, to: Date.now() });
  return true;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A person who looks at the target before answering, and permits what is asked for. */
async function answerQuestions(
  redis: Redis,
  arrivals: readonly { readonly run: string; readonly step: string }[],
  signal: AbortSignal,
): Promise<void> {
  const desk = createApprovalService(redis, { enqueue: () => undefined }, createSystemClock());
  while (!signal.aborted) {
    const open = await desk.list().catch(() => []);
    for (const { question } of open) {
      const arrived = arrivals.some(({ run, step }) => run === question.runId && step === question.stepId);
      const answer =
        question.kind === "approve"
          ? "approve"
          : question.kind === "in_doubt" && arrived
            ? "happened"
            : // Somebody else's value stands where the run's own was: it is left to them.
              question.answers.includes("skip")
              ? "skip"
              : "retry";
      const plan = question.planSha === undefined ? {} : { planSha: question.planSha };
      await desk
        .answer(question.id, { answer, reason: "looked at the target", by: "ann", role: "admin", at: Date.now(), ...plan })
        .catch(() => undefined);
    }
    await pause(300);
  }
}

function alertOf(fingerprint: string, thing: string, kind: string) {
  return aFiringAlert("Chaos", thing, { labels: { alertname: "Chaos", thing, kind, fingerprint }, fingerprint });
}

/** The run that a 202 named; undefined: to be sent again. */
async function postOnce(alert: object, ports: readonly number[], nth: number): Promise<string | undefined> {
  const port = ports[nth % Math.max(1, ports.length)];
  if (port === undefined) return undefined;
  const reply = await postAlerts(`http://127.0.0.1:${port}`, [alert], AbortSignal.timeout(5000)).catch(() => undefined);
  const [decided] = reply?.decisions ?? [];
  // Paused by the kill switch: Alertmanager's next message, or the look at it, would bring the alert again.
  if (reply?.status !== 202 || decided?.decision === "paused") return undefined;
  if (decided?.runId === undefined) throw new Error(`A 202 names no run: ${JSON.stringify(decided)}`);
  return decided.runId;
}

async function untilEnded(redis: Redis, deadline: number): Promise<void> {
  while (Date.now() < deadline) {
    const open = await redis.scard(runKeys.openRuns);
    if (open === 0) return;
    await pause(500);
  }
}

async function readRuns(redis: Redis): Promise<RunRecord[]> {
  const reader = createRunReader(redis, createSystemClock());
  const ids = await redis.zrange(runKeys.runs, "0", "-1");
  const runs: RunRecord[] = [];
  for (const id of ids) {
    const texts = await redis.lrange(runKeys.journal(id), "0", "-1");
    const head = (await redis.hget(runKeys.run(id), "head")) ?? "";
    const state = (await redis.hget(runKeys.run(id), "state")) ?? "";
    const target = (await reader.get(id))?.summary.target ?? "";
    runs.push({ id, state, target, head, texts, entries: texts.map(parseEntry) });
  }
  return runs;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
await main(process.argv.slice(2));
