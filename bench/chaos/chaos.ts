import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Redis } from "ioredis";
import { createApprovalService } from "../../src/approvals/redis-store.ts";
import { packageFolder } from "../../src/cli/process-context.ts";
import { createSystemClock } from "../../src/core/clock.ts";
import { parseRecord } from "../../src/core/journal.ts";
import { createRandom } from "../../src/core/random.ts";
import { createOutbox } from "../../src/notifications/redis-store.ts";
import { runKeys } from "../../src/platform/redis/run-keys.ts";
import { createSharedClock, readRedisTime } from "../../src/platform/redis/shared-clock.ts";
import { createRunReader } from "../../src/runs/redis-run-reader.ts";
import { type CountingTarget, startCountingTarget } from "../../test/servers/counting-target.ts";
import { aFiringAlert, postAlerts } from "../../test/servers/post-alerts.ts";
import { type EmbeddedParent, startEmbeddedParent } from "./embedded-parent.ts";
import { createFaultSequence, type Fault, type FaultKind, faultKinds } from "./faults.ts";
import { type Herd, startHerd } from "./herd.ts";
import type { History, KillSwitch, NoticeOutcome, ProcessOffset, RunRecord, UnfitTime } from "./history.ts";
import { readMachineLimits } from "./machine-limits.ts";
import { parseOffsets, withMachineTimes } from "./machine-times.ts";
import { type NotifiedPeople, startNotifiedPeople } from "./notified-people.ts";
import { type RedisWorld, startRedisWorld } from "./redis-world.ts";
import { type Outage, resumeTimes } from "./resume-times.ts";
import { judge, renderVerdict } from "./verdict.ts";

/** What the processes can leave out; see test/children/crash-child.ts. */
const protections = ["intent", "fencing", "fitness", "names", "orphan", "clock", "deadline", "lanes"] as const;

const usage = `Usage: npm run test:chaos -- [--runs N] [--seed N] [--minutes M] [--history FILE] [--break PROTECTION]

Kills, freezes and starves a herd of runbookd processes and their Redis while they work, then checks what the target saw against
the journals. Loopback only. --history writes what was seen to a file, as JSON. --break leaves one protection out, to show that this suite would notice: it must then fail.
PROTECTION: ${protections.join(" ")}
`;

/** The child's lease and quarantine; see test/children/crash-child.ts. */
const pace = { leaseMs: 1000, quarantineMs: 500 };
const processes = 3;
/** How long what was accepted may take to end after the last fault. */
const endsWithinMs = 180_000;
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
  if (values.help || !isFine || !["", ...protections].includes(values.break)) {
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
  await using files = await aFolder();
  const folder = files.path;
  const { clockLibrary, notRun } = readMachineLimits(folder);
  await using target = await startCountingTarget(100);
  await using people = await startNotifiedPeople();
  await using world = await startRedisWorld({ folder, library: clockLibrary });
  const env = {
    RB_UNDONE: join(packageFolder(), "bench/chaos/undone.md"),
    RB_TARGET: target.url,
    RB_RUNBOOK: join(packageFolder(), "bench/chaos/mixed-effects.md"),
    RB_EFFECT: "set",
    RB_LIMIT: String(limit.max),
    RB_SMTP: people.smtpUrl,
    RB_HOOK: people.hookUrl,
    RB_OFFSETS: join(folder, "offsets"),
    RB_BREAK: broken,
  };
  await using herd = startHerd(processes, { env: { ...env, RB_REDIS: world.url, RB_REPLICAS: "1" }, folder });
  await using parent = await startEmbeddedParent(folder, env);
  const { redis } = world;
  const stores = [redis, parent.redis];
  const random = createRandom(seed);
  const faults = new Map<FaultKind, number>();
  const scene: Scene = { herd, world, target, people, parent, outages: [], killSwitches: [], unfit: [] };
  const { outages } = scene;
  const began = Date.now();
  const stop = new AbortController();
  let drawn = 0;

  const inject = async (): Promise<void> => {
    const next = createFaultSequence(random, pace);
    for (; !stop.signal.aborted; drawn += 1) {
      const fault = next();
      if (notRun.has(fault.kind)) continue;
      if (await commit(fault, scene)) faults.set(fault.kind, (faults.get(fault.kind) ?? 0) + 1);
      await pause(fault.restMs);
    }
  };
  const injecting = inject();
  const answering = stores.map(async (store) => answerQuestions(store, target.arrivals, stop.signal));

  const accepted = { shared: [] as Accepted[], embedded: [] as Accepted[] };
  const posting: Promise<void>[] = [];
  let refused = 0;
  const started = new Set<string>();
  // Each kind of fault meets work, even if that takes more runs than were asked for.
  for (let nth = 0; (started.size < runs || drawn < faultKinds.length) && Date.now() < deadline; nth += 1) {
    // One in eight goes to the process with its own Redis, whose targets are other ones.
    const isEmbedded = nth % 8 === 5;
    const thing = isEmbedded ? `embedded-${Math.floor(nth / 8) % 10}` : String(nth % things);
    // One in four is of the runbook that takes back what it did.
    const alert = alertOf(`a${nth}`, thing, nth % 4 === 3 ? "undone" : "mixed");
    const post = async (): Promise<void> => {
      while (Date.now() < deadline) {
        const askedAt = Date.now();
        const runId = await postOnce(alert, isEmbedded ? parent.ports() : herd.ports(), nth);
        if (runId !== undefined) {
          accepted[isEmbedded ? "embedded" : "shared"].push({ fingerprint: `a${nth}`, runId, askedAt, answeredAt: Date.now() });
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
  await parent.settled();
  const calm = new AbortController();
  answering.push(...stores.map(async (store) => answerQuestions(store, target.arrivals, calm.signal)));
  await untilEnded(stores, Math.min(deadline + 60_000, Date.now() + endsWithinMs));
  calm.abort();
  await Promise.all(answering);

  const offsets = parseOffsets(await readFile(join(folder, "offsets"), "utf8"));
  const [sharedRuns, embeddedRuns] = [await readRuns(redis, offsets), await readRuns(parent.redis, offsets)];
  const [sharedNotices, embeddedNotices] = [await people.notices(redis), await people.notices(parent.redis)];
  const isEmbeddedRun = ({ run }: { readonly run: string }): boolean => embeddedRuns.some(({ id }) => id === run);
  const common = { outages, trickles: people.trickles, limit, needsApproval: ["approved"], offsets };
  const shared: History = {
    ...common,
    accepted: accepted.shared,
    runs: sharedRuns,
    arrivals: target.arrivals.filter((one) => !isEmbeddedRun(one)),
    freezes: herd.freezes,
    killSwitches: scene.killSwitches,
    writes: target.writes.filter((one) => !isEmbeddedName(one.name)),
    unfit: scene.unfit,
    names: herd.names(),
    storeClocks: world.clocks,
    orphanings: [],
    notices: sincePut(sharedNotices, sharedRuns),
  };
  const single: History = {
    ...common,
    accepted: accepted.embedded,
    runs: embeddedRuns,
    arrivals: target.arrivals.filter(isEmbeddedRun),
    freezes: [],
    killSwitches: [],
    writes: target.writes.filter((one) => isEmbeddedName(one.name)),
    unfit: [],
    names: [],
    storeClocks: [{ from: 0, offsetMs: 0 }],
    orphanings: parent.orphanings,
    notices: sincePut(embeddedNotices, embeddedRuns),
  };
  const fenced = Number((await redis.get(runKeys.fenced)) ?? 0);
  const deaths = [...herd.deaths, ...parent.deaths];
  if (keep !== undefined) await writeFile(keep, JSON.stringify({ shared, single, outages, deaths }, null, 1));
  const cuts = [...deaths, ...herd.freezes.map(({ pid, from }) => ({ pid, at: from }))];
  return judge([shared, single], {
    faults,
    notRun,
    fenced,
    refused,
    trickled: people.trickled(),
    resumes: resumeTimes(sharedRuns, cuts, outages),
    seconds: (Date.now() - began) / 1000,
  });
}

type Accepted = History["accepted"][number];

/** A folder that is removed in the end. */
async function aFolder() {
  const path = await mkdtemp(join(tmpdir(), "rb-chaos-"));
  return { path, [Symbol.asyncDispose]: async () => rm(path, { recursive: true, force: true }) };
}

function isEmbeddedName(name: string): boolean {
  return name.startsWith("embedded-");
}

/** A notification is put when its question is asked; the row has the time of the store instead of the machine's. */
function sincePut(notices: readonly NoticeOutcome[], runs: readonly RunRecord[]): readonly NoticeOutcome[] {
  const asked = new Map(
    runs.flatMap(({ entries }) => entries.flatMap((entry) => (entry.kind === "asked" ? [[entry.question.id, entry.at] as const] : []))),
  );
  return notices.map((notice) => ({ ...notice, putAt: asked.get(/^question:([^:/]+)/.exec(notice.key)?.[1] ?? "") ?? notice.putAt }));
}

interface Scene {
  readonly herd: Herd;
  readonly world: RedisWorld;
  readonly target: CountingTarget;
  readonly people: NotifiedPeople;
  readonly parent: EmbeddedParent;
  readonly outages: Outage[];
  readonly killSwitches: KillSwitch[];
  readonly unfit: UnfitTime[];
}

/** False: there was nothing to do it to. */
async function commit(fault: Fault, { herd, world, target, people, parent, outages, killSwitches, unfit }: Scene): Promise<boolean> {
  const from = Date.now();
  switch (fault.kind) {
    case "SIGKILL":
      return herd.kill(fault.nth, fault.sameName, fault.forMs) !== undefined;
    case "SIGSTOP":
      return herd.freeze(fault.nth, fault.forMs) !== undefined;
    case "third value":
      return target.plant(fault.nth);
    case "worker in another PID namespace":
      return herd.killForNamespace(fault.nth, fault.forMs) !== undefined;
    case "parent of its own Redis killed":
      return parent.killParent(fault.forMs, fault.nth % 2 === 0);
    case "mail server trickles":
      return people.trickle(fault.forMs, fault.nth % 2 === 0 ? "greeting" : "answer");
    case "host's clock set back":
      return herd.setClockBack(fault.nth, clockStepOf(fault.nth), fault.forMs);
    case "Redis' clock set back":
      world.setClockBack(clockStepOf(fault.nth), fault.nth % 2 === 0 ? fault.forMs : undefined);
      return true;
    case "Redis comes back unfit":
      unfit.push(await world.unfit(fault.forMs, fault.nth));
      break;
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
  outages.push({ from, to: Date.now(), kind: fault.kind });
  return true;
}

/** Five minutes to six hours. */
function clockStepOf(nth: number): number {
  return 300_000 + nth * 20_000;
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
  // Questions end by the clock of their store.
  const clock = createSharedClock(createSystemClock(), async () => readRedisTime(redis));
  const desk = createApprovalService(redis, { enqueue: () => undefined }, clock);
  while (!signal.aborted) {
    await clock.sync();
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
        .answer(question.id, { answer, reason: "looked at the target", by: "ann", role: "admin", at: clock.now(), ...plan })
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

/** No run is open, and no notification waits. */
async function untilEnded(stores: readonly Redis[], deadline: number): Promise<void> {
  while (Date.now() < deadline) {
    const open = await Promise.all(
      stores.map(async (redis) => (await redis.scard(runKeys.openRuns)) + (await createOutbox(redis).status()).waiting),
    );
    if (open.every((count) => count === 0)) return;
    await pause(500);
  }
}

async function readRuns(redis: Redis, offsets: readonly ProcessOffset[]): Promise<RunRecord[]> {
  const reader = createRunReader(redis, createSystemClock());
  const ids = await redis.zrange(runKeys.runs, "0", "-1");
  const runs: RunRecord[] = [];
  for (const id of ids) {
    const texts = await redis.lrange(runKeys.journal(id), "0", "-1");
    const head = (await redis.hget(runKeys.run(id), "head")) ?? "";
    const state = (await redis.hget(runKeys.run(id), "state")) ?? "";
    const target = (await reader.get(id))?.summary.target ?? "";
    runs.push({ id, state, target, head, texts, entries: withMachineTimes(texts.flatMap(parseRecord), offsets) });
  }
  return runs;
}

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
await main(process.argv.slice(2));
