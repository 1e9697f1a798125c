import { writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Instant } from "../../src/core/clock.ts";
import { hourMs } from "../../src/core/duration.ts";
import { formatUsd } from "../../src/core/money.ts";
import { formatShare } from "../../src/core/share.ts";
import { freePort } from "../free-ports.ts";
import { messageIdsOf, repeatedWork } from "../journal-checks.ts";
import { keepLooking } from "../keep-looking.ts";
import type { ReceivedMail } from "../mail-sink.ts";
import type { StartedProcess } from "../process-group.ts";
import { createPrometheusApi } from "../prometheus-api.ts";
import { runbookSteps } from "../runbook-steps.ts";
import type { QuestionView, RolloutView, RunView } from "../runbookd-api.ts";
import type { Play, Played, Scenario, ScenarioContext } from "../scenario.ts";
import { startApplication, untilModelCalled } from "../start-application.ts";
import { waitUntil } from "../wait-until.ts";
import { type ProgressSnapshot, stepsShown, watchProgress } from "../watch-progress.ts";
import { demoRefs, migrationModels, migrationPrices, migrationTable, waitsForRoute } from "./demo-models.ts";
import {
  type MigrationObservations,
  migrationFaults,
  migrationLine,
  migrationResult,
  milestonesOf,
  takenBackAt,
} from "./migration-result.ts";
import { migratedRoute } from "./routed-application.ts";
import { readTickets } from "./ticket-evidence.ts";

const runbook = "model-migration";
const alertname = "LLMModelDeprecationNear";
const budget = "tickets";
const processes = 3;
/** Each process begins a ticket so often: 20 tickets a second in all. */
const ticketEveryMs = 150;
/** How often each process asks for its route. */
const refreshMs = 500;
const timeoutMs = 540_000;

/** Share of tickets that a model fails at: always, in the slump, and the bad one beyond it. */
const usualFailures = 0.05;
const slump = 0.2;
const badness = 0.2;
/** From these shares on the good model's rollout meets the slump and the process that ignores its route. */
const slumpFrom = 0.25;
const ignoredFrom = 0.5;
/** The worker is killed so long after the good model's first ticket. */
const killAfterMs = 4000;
/** Tickets of the past, and how old they are by the demo's clock; an evaluation takes none that may still be worked on. */
const pastTickets = 150;
const pastAgeMs = 3 * hourMs;
/** A last look at what was in flight. */
const settleMs = 3000;

/** A model is retired: the candidate that is recommended fails at real tickets, the next one is moved to step by step through a slump of both. */
export const migrationScenario: Scenario = {
  model: ({ factor }) => ({
    latency: { firstTokenMs: 40, inputTokensPerSecond: 100_000, outputTokensPerSecond: 600 },
    models: migrationModels(Date.now(), factor),
  }),
  // A route with twenty tickets a second needs no day for a step.
  parameters: { [runbook]: { every: "10m", watch: "30m" } },
  prepare({ factor }): Play {
    const observations: MigrationObservations = { tickets: [] };
    let evaluatorPort = 0;
    return {
      async settings({ folder, modelUrl }) {
        evaluatorPort = await freePort();
        const now = Date.now();
        writeFileSync(join(folder.config, "prices.json"), JSON.stringify(migrationPrices(migrationModels(now, factor))));
        writeFileSync(join(folder.config, "models.json"), JSON.stringify(migrationTable(now)));
        writeFileSync(join(folder.root, "runbookd.yml"), "price_table: config/prices.json\nmodel_table: config/models.json\n");
        return {
          EVALUATOR_URL: `http://127.0.0.1:${evaluatorPort}/evaluations`,
          ANTHROPIC_BASE_URL: modelUrl,
          ANTHROPIC_API_KEY: "sk-ant-api03-demo",
        };
      },
      line: () => migrationLine(observations),
      async play(context) {
        setFailures(context, 0);
        const hosts = await startProcesses(context, evaluatorPort);
        const watched = await watch(context, observations, hosts);
        await measure(context, observations);
        return played(observations, watched);
      },
    };
  },
};

/** How often the models fail at real tickets. At past ones, which an evaluation works on, all of them fail alike. */
function setFailures({ system }: ScenarioContext, more: number): void {
  const { old, good, bad } = demoRefs;
  for (const { model } of [old, good, bad]) {
    const own = model === bad.model ? badness : 0;
    system.model.weaken({ model, users: "TICKET", share: usualFailures + more + own });
    system.model.weaken({ model, users: "sample", share: usualFailures });
  }
}

/** Sets the route up as it was before, and starts the processes of the application. */
async function startProcesses(context: ScenarioContext, evaluatorPort: number): Promise<readonly StartedProcess[]> {
  const { system, folder, clock } = context;
  await system.api.defineBudget({ id: budget, limitMicroUsd: 100_000_000_000, periodMs: 21_600_000, periodStartsAt: clock.now() - 60_000 });
  await importPast(context);
  await writeFile(folder.evidence, "");
  const hosts = Array.from({ length: processes }, (_, index) =>
    startApplication(context, {
      name: `tickets-${index + 1}`,
      module: "migration/routed-host",
      env: {
        DEMO_NAME: `tickets-${index + 1}`,
        DEMO_EVIDENCE: folder.evidence,
        DEMO_BUDGET: budget,
        DEMO_FIRST_TICKET: String((index + 1) * 100_000),
        DEMO_TICKET_EVERY_MS: String(ticketEveryMs),
        DEMO_REFRESH_MS: String(refreshMs),
        ...(index === 0 && { DEMO_EVALUATOR_PORT: String(evaluatorPort) }),
      },
    }),
  );
  for (const { logFile } of hosts) {
    const isUp = async () => ((await readFile(logFile, "utf8")).includes(waitsForRoute) ? true : undefined);
    await waitUntil(clock, "A process of the application did not start", isUp, { withinMs: 60_000, signal: context.signal });
  }
  await system.api.setRoute(migratedRoute, { baseline: demoRefs.old, expected: 0, reason: "As it has been for a year." });
  const [first] = hosts;
  if (first !== undefined) await untilModelCalled(context, first);
  return hosts;
}

/** What the route's model has done before: past tickets of three repositories, some of them dearer, for the evaluation to choose from. */
async function importPast({ system, clock, options }: ScenarioContext): Promise<void> {
  const { provider, model } = demoRefs.old;
  const events = Array.from({ length: pastTickets }, (_, index) => ({
    id: `past-${index}`,
    at: Math.round(clock.now() - pastAgeMs / options.factor - index * 10),
    provider,
    model,
    operation: migratedRoute,
    prompt: migratedRoute,
    budget,
    ticketId: `PAST-${index + 1}`,
    repo: ["checkout", "search", "billing"][index % 3],
    usage: { input_tokens: 200, output_tokens: 40 + 20 * (index % 5) },
    shape: "anthropic-messages",
  }));
  await system.api.reportUsage(events);
}

interface Watched {
  readonly run: RunView | undefined;
  readonly report: ReceivedMail | undefined;
}

async function watch(context: ScenarioContext, observations: MigrationObservations, hosts: readonly StartedProcess[]): Promise<Watched> {
  const { system, folder, clock, presenter } = context;
  const { api, colleague, mail } = system;
  const prometheus = createPrometheusApi(system.prometheusUrl);
  const names = await runbookSteps(api, runbook);
  const ignoring = hosts.at(-1);
  const answered = new Set<string>();
  let run: RunView | undefined;
  let report: ReceivedMail | undefined;
  let killedAt: Instant | undefined;

  const poll = async () => {
    observations.tickets = readTickets(await readFile(folder.evidence, "utf8"));
    if (observations.tickets.length >= 5) observations.trafficAt ??= clock.now();
    observations.alertFiringAt ??= await prometheus.firingSince(alertname, { route: migratedRoute });
    observations.badRun ??= await api.newestRun(runbook);
    if (observations.badRun === undefined) return;
    await readRollouts();
    run = await api.run(observations.goodRun ?? observations.badRun);
    if (observations.goodRun === undefined) recordBadRun(observations, run);
    else recordGoodRun(observations, run);
    for (const question of await colleague.questions()) await answerAsPerson(question);
    // Not before every process has read that the bad model was taken back: its tickets are counted until then.
    if (observations.badRunOutcome !== undefined && observations.badTakenBackAt !== undefined && observations.goodRun === undefined) {
      observations.goodRun = await api.startRun(runbook, { route: migratedRoute, to: `${demoRefs.good.provider}/${demoRefs.good.model}` });
    }
    const promised = messageIdsOf(run.journal);
    if (observations.goodRun === undefined) return;
    report ??= mail.mails.find(({ messageId }) => promised.includes(messageId.replace(/^<|>$/g, "")));
    observations.reportSentAt = report?.at;
  };

  const readRollouts = async () => {
    for (const { id, subject } of await api.rollouts()) {
      const to = z.looseObject({ model: z.string() }).safeParse(subject.to).data?.model;
      if (to === demoRefs.bad.model) recordBad(observations, await api.rollout(id));
      if (to === demoRefs.good.model) recordGood(observations, await api.rollout(id));
    }
    const share = shareOf(observations.good);
    if (observations.slumpAt === undefined && share >= slumpFrom) {
      setFailures(context, slump);
      observations.slumpAt = clock.now();
    }
    if (observations.ignoredAt === undefined && share >= ignoredFrom) {
      ignoring?.send({ follow: false });
      observations.ignoredAt = clock.now();
    }
  };

  /** What a person would do who reads the question. */
  const answerAsPerson = async (question: QuestionView) => {
    const { id, runId, kind, answers, text } = question;
    if (answered.has(id) || (runId !== observations.badRun && runId !== observations.goodRun)) return;
    // The rollout may have been held, and the question asked, after the rollouts were read for this look.
    if (answers.includes("wait") && observations.heldAt === undefined) await readRollouts();
    if (kind === "approve") {
      await colleague.answer(question, "approve", "The plan is what was asked for.");
    } else if (answers.includes("wait") && observations.heldAt !== undefined && observations.releasedAt === undefined) {
      ignoring?.send({ follow: true });
      await clock.sleep(1000, context.signal);
      await colleague.answer(question, "wait", "One process ignored its route; it follows again.");
      observations.releasedAt = clock.now();
    } else {
      observations.unexpected ??= text;
    }
    answered.add(id);
  };

  const watching = { withinMs: timeoutMs, mayBeGone: (name: string) => name === "runbookd-worker" };
  const onFailure = (message: string) => writeFileSync(join(folder.logs, "watch.log"), `${message}\n`, { flag: "a" });
  const looking = keepLooking(poll, { clock, everyMs: 250, onFailure });
  try {
    await watchProgress(context, watching, (now) => {
      const { goodCanaryAt } = observations;
      if (context.options.killWorker && killedAt === undefined && goodCanaryAt !== undefined && now - goodCanaryAt > killAfterMs) {
        killedAt = now;
        system.replaceWorker();
        presenter.say("The runbookd worker was killed with SIGKILL while the rollout grew, and another one was started");
      }
      return readProgress();
    });
  } finally {
    await looking.stop();
  }
  if (context.options.killWorker) observations.restartFault = judgeRestart(killedAt, run?.journal ?? []);
  return { run, report };

  function readProgress(): ProgressSnapshot {
    const { outcome, reportSentAt, unexpected, goodRun, badRun, badRunOutcome, bad } = observations;
    const present = goodRun ?? badRun;
    const share = shareOf(observations.good);
    return {
      over:
        unexpected !== undefined ||
        (badRunOutcome !== undefined && bad === undefined) ||
        (outcome !== undefined && (outcome !== "succeeded" || reportSentAt !== undefined)),
      view: {
        doing:
          observations.goodCanaryAt !== undefined && observations.provenAt === undefined ? "each step needs 30 tickets and its proof" : "",
        milestones: milestonesOf(observations),
        gauges: [
          { label: "New model", text: `${formatShare(share)} of new tickets`, share },
          { label: "Tickets", text: `${observations.tickets.length} worked on` },
          { label: "Bill", text: formatUsd(system.model.stats().costMicroUsd) },
        ],
        ...(present !== undefined && { run: { id: present, outcome } }),
        ...stepsShown(run?.journal, names),
      },
    };
  }
}

/** The canary's share now. */
function shareOf(view: RolloutView | undefined): number {
  const { state, step, plan } = view?.rollout ?? { state: "none", step: -1, plan: { steps: [] } };
  if (state === "promoted") return 1;
  return state === "running" || state === "holding" ? (plan.steps[step] ?? 0) : 0;
}

function recordBad(observations: MigrationObservations, view: RolloutView): void {
  observations.bad = view;
  observations.badCanaryAt ??= firstAt(view, "advance");
  observations.badTakenBackAt ??= takenBackAt(view);
}

function recordGood(observations: MigrationObservations, view: RolloutView): void {
  observations.good = view;
  observations.goodCanaryAt ??= firstAt(view, "advance");
  observations.heldAt ??= view.rollout.decisions.find(({ decision, reason }) => decision === "hold" && reason === "split_broken")?.at;
}

function firstAt({ rollout }: RolloutView, wanted: string): Instant | undefined {
  return rollout.decisions.find(({ decision }) => decision === wanted)?.at;
}

function recordBadRun(observations: MigrationObservations, { journal, summary }: RunView): void {
  observations.badAcceptedAt = summary.acceptedAt;
  observations.badPassedAt = completedAt(journal, "compare_costs_and_quality");
  if (journal.some(({ kind }) => kind === "finished")) observations.badRunOutcome = summary.outcome;
}

const watchedShape = z.looseObject({ holdback_tickets: z.number(), worse: z.boolean() });

function recordGoodRun(observations: MigrationObservations, { journal, summary }: RunView): void {
  observations.provenAt = completedAt(journal, "roll_out_further");
  observations.watchedAt = completedAt(journal, "monitor_regressions");
  observations.promotedAt = completedAt(journal, "complete_the_migration");
  const outputs = journal.flatMap((entry) => (entry.kind === "applied" ? [watchedShape.safeParse(entry.output)] : []));
  observations.holdbackTickets = outputs.find(({ success }) => success)?.data?.holdback_tickets;
  if (journal.some(({ kind }) => kind === "finished")) observations.outcome = summary.outcome;
}

function completedAt(journal: readonly JournalEntry[], step: string): Instant | undefined {
  return journal.find((entry) => entry.kind === "completed" && entry.step === step)?.at;
}

/** What a crash must not have done; undefined when it did not. */
function judgeRestart(killedAt: Instant | undefined, journal: readonly JournalEntry[]): string | undefined {
  if (killedAt === undefined) return "The worker was never killed: no rollout grew.";
  const claims = journal.filter(({ kind, at }) => kind === "claimed" && at >= killedAt).length;
  return repeatedWork(journal) ?? (claims === 0 ? "No worker claimed the run after the kill." : undefined);
}

const recountShape = z.object({ tickets: z.number(), flips: z.number(), differences: z.array(z.string()) });

/** Lets a program that knows nothing of runbookd recount what the application has written down. */
async function measure(context: ScenarioContext, observations: MigrationObservations): Promise<void> {
  const { system, folder, services, clock, signal } = context;
  await clock.sleep(settleMs, signal);
  const views: RolloutView[] = [];
  for (const view of [observations.bad, observations.good]) if (view !== undefined) views.push(await system.api.rollout(view.rollout.id));
  observations.good = views.find(({ rollout }) => rollout.id === observations.good?.rollout.id);
  // The application goes on: both look at the same lines.
  const log = await readFile(folder.evidence, "utf8");
  observations.tickets = readTickets(log);
  const evidence = join(folder.work, "tickets.jsonl");
  await writeFile(evidence, log.slice(0, log.lastIndexOf("\n") + 1));
  const counted = join(folder.work, "rollouts.json");
  await writeFile(counted, JSON.stringify(views.map(countedOf)));
  const recount = services.group.start({
    name: "recount",
    program: process.execPath,
    args: [join(services.projectRoot, "dist/test/recount/main.js"), evidence, counted],
  });
  await recount.gone;
  observations.recount = recountShape.safeParse(parseJson(await readFile(recount.logFile, "utf8"))).data;
}

function countedOf({ rollout, strata }: RolloutView) {
  const sum = (arm: "canary" | "baseline", count: "exposed" | "ended" | "quality") =>
    strata.reduce((total, stratum) => total + stratum[arm][count], 0);
  const armOf = (arm: "canary" | "baseline") => ({ exposed: sum(arm, "exposed"), ended: sum(arm, "ended"), quality: sum(arm, "quality") });
  const beganAt = rollout.decisions.find(({ decision }) => decision === "advance")?.at ?? 0;
  return {
    id: rollout.id,
    beganAt,
    ...(rollout.endedAt !== undefined && { endedAt: rollout.endedAt }),
    canary: armOf("canary"),
    baseline: armOf("baseline"),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function played(observations: MigrationObservations, { run, report }: Watched): Played {
  const { bad, good, pooledWouldHave } = migrationResult(observations);
  return {
    faults: migrationFaults(observations),
    summary: [
      run?.report?.text ?? report?.text ?? "There is no report.",
      "",
      `The recommended model cost ${bad.canaryTickets} tickets before it was taken back; the last of them began ${bad.newCanaryAfterS ?? "an unknown number of"} s later.`,
      `The other one costs at most ${good.costRatioUpper === null ? "an unknown share" : formatShare(good.costRatioUpper)} of the old one's price for a success.`,
      `A test that adds the arms up over all steps would have said: ${pooledWouldHave}.`,
      `Recounted from the application's own log: ${observations.recount?.tickets ?? 0} tickets, ${observations.recount?.flips ?? "an unknown number of"} changed their model, ${observations.recount?.differences.length ?? "an unknown number of"} differences.`,
    ],
    ...(report !== undefined && { mail: report }),
  };
}
