import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Instant } from "../../src/core/clock.ts";
import { formatUsd } from "../../src/core/money.ts";
import { formatShare } from "../../src/core/share.ts";
import { freePort } from "../free-ports.ts";
import { messageIdsOf, repeatedWork, verifiedAt } from "../journal-checks.ts";
import { keepLooking } from "../keep-looking.ts";
import type { ReceivedMail } from "../mail-sink.ts";
import type { StartedProcess } from "../process-group.ts";
import { createPrometheusApi } from "../prometheus-api.ts";
import { runbookSteps } from "../runbook-steps.ts";
import type { RunView } from "../runbookd-api.ts";
import type { Play, Played, Scenario, ScenarioContext } from "../scenario.ts";
import { startApplication, untilModelCalled } from "../start-application.ts";
import { waitUntil } from "../wait-until.ts";
import { type ProgressSnapshot, stepsShown, watchProgress } from "../watch-progress.ts";
import { billedFor, type CacheObservations, cacheFaults, cacheMilestones, cacheResultLine, readWorked, savingOf } from "./cache-result.ts";
import { promptName, shippedLayout } from "./demo-prompt.ts";

const runbook = "cache-optimization";
const alertnames = ["LLMCacheWriteOnly", "LLMCacheHitRateLow"];
const budget = "tickets";
/** Tickets at once, and the pause behind each. */
const concurrency = 6;
const pauseMs = 40;
const timeoutMs = 240_000;
/** Golden tickets that are asked once more at the end. */
const goldenTickets = 24;
const fiveMinutesMs = 300_000;

/** A prompt is laid out so that its cache is written and never read. */
export const cacheScenario: Scenario = {
  model: ({ factor }) => ({
    answersBy: "content",
    latency: { firstTokenMs: 15, inputTokensPerSecond: 400_000, outputTokensPerSecond: 3000 },
    cacheTtlMs: { "5m": fiveMinutesMs / factor, "1h": (12 * fiveMinutesMs) / factor },
  }),
  prepare({ factor }): Play {
    const observations: CacheObservations = {};
    let evaluatorPort = 0;
    return {
      async settings() {
        evaluatorPort = await freePort();
        return { EVALUATOR_URL: `http://127.0.0.1:${evaluatorPort}/evaluations` };
      },
      line: () => cacheResultLine(observations),
      async play(context) {
        await startPromptWorkload(context, evaluatorPort, fiveMinutesMs / factor / 60);
        const watched = await watch(context, observations);
        observations.golden = await askGolden(evaluatorPort, observations.version, context);
        await measure(context, observations);
        return played(observations, watched);
      },
    };
  },
};

/** Puts the prompt into the store, labels it, and starts the application that uses it. */
async function startPromptWorkload(context: ScenarioContext, evaluatorPort: number, everyMs: number): Promise<StartedProcess> {
  const { system, folder, clock } = context;
  const { api, runbookdUrl, adminToken } = system;
  const periodMs = 21_600_000;
  // Far more than this demo spends: money is not its subject.
  await api.defineBudget({ id: budget, limitMicroUsd: 100_000_000_000, periodMs, periodStartsAt: clock.now() - 60_000 });
  const post = async (method: string, path: string, body: object) => {
    const response = await fetch(`${runbookdUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${adminToken}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(5000),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
  };
  await post("POST", `/api/prompts/${promptName}/versions`, { layout: shippedLayout, note: "As it was shipped." });
  await post("PUT", `/api/prompts/${promptName}/labels/production`, { version: 1, expected: null, reason: "The first version." });
  const workload = startApplication(context, {
    name: "workload",
    module: "cache/prompt-host",
    env: {
      DEMO_EVIDENCE: folder.evidence,
      DEMO_BUDGET: budget,
      DEMO_CONCURRENCY: String(concurrency),
      DEMO_PAUSE_MS: String(pauseMs),
      DEMO_EVALUATOR_PORT: String(evaluatorPort),
      DEMO_PROMPTS_EVERY_MS: String(Math.max(100, Math.round(everyMs))),
    },
  });
  await untilModelCalled(context, workload);
  return workload;
}

interface Watched {
  readonly run: RunView | undefined;
  readonly report: ReceivedMail | undefined;
}

async function watch(context: ScenarioContext, observations: CacheObservations): Promise<Watched> {
  const { system, folder, clock } = context;
  const { api, mail } = system;
  const prometheus = createPrometheusApi(system.prometheusUrl);
  const names = await runbookSteps(api, runbook);
  let run: RunView | undefined;
  let report: ReceivedMail | undefined;
  let tickets = 0;
  let hit: number | undefined;

  const poll = async () => {
    const worked = readWorked(await readFile(folder.evidence, "utf8"));
    tickets = worked.length;
    if (tickets >= 5) observations.trafficAt ??= clock.now();
    for (const name of alertnames) observations.alertFiringAt ??= await prometheus.firingSince(name, { prompt: promptName });
    hit = await prometheus.value(`prompt:llm_cache_read:ratio1h{prompt="${promptName}"}`);
    observations.run ??= await api.newestRun(runbook);
    if (observations.run === undefined) return;
    run = await api.run(observations.run);
    recordRun(observations, run);
    const promised = messageIdsOf(run.journal);
    report ??= mail.mails.find(({ messageId }) => promised.includes(messageId.replace(/^<|>$/g, "")));
    observations.reportSentAt = report?.at;
  };
  let killedAt: Instant | undefined;
  const watching = { withinMs: timeoutMs, mayBeGone: (name: string) => name === "runbookd-worker" };
  const looking = keepLooking(poll, { clock, everyMs: 250 });
  try {
    await watchProgress(context, watching, (now) => {
      // In the middle of the canary: its first share is out, the next look is due.
      if (
        context.options.killWorker &&
        killedAt === undefined &&
        observations.canaryAt !== undefined &&
        now - observations.canaryAt > 3000
      ) {
        killedAt = now;
        system.replaceWorker();
        context.presenter.say("The runbookd worker was killed with SIGKILL in the middle of the canary, and another one was started");
      }
      return readProgress();
    });
  } finally {
    await looking.stop();
  }
  if (context.options.killWorker) observations.restartFault = judgeRestart(killedAt, run?.journal ?? []);
  return { run, report };

  function readProgress(): ProgressSnapshot {
    return {
      over: observations.outcome !== undefined && (observations.outcome !== "succeeded" || observations.reportSentAt !== undefined),
      view: {
        doing:
          observations.canaryAt !== undefined && observations.allTicketsAt === undefined ? "each stage needs 30 tickets and its time" : "",
        milestones: cacheMilestones.map(({ key, label }) => {
          const at = observations[key];
          return { key, label, reached: typeof at === "number" ? at : undefined };
        }),
        gauges: [
          {
            label: "Read",
            text: hit === undefined ? "unknown" : `${formatShare(hit, { decimals: 1 })} of the input comes from the cache`,
            ...(hit !== undefined && { share: hit }),
          },
          { label: "Tickets", text: `${tickets} worked on` },
          { label: "Bill", text: formatUsd(system.model.stats().costMicroUsd) },
        ],
        ...(observations.run !== undefined && { run: { id: observations.run, outcome: observations.outcome } }),
        ...stepsShown(run?.journal, names),
      },
    };
  }
}

/** What a crash must not have done; undefined when it did not. */
function judgeRestart(killedAt: Instant | undefined, journal: readonly JournalEntry[]): string | undefined {
  if (killedAt === undefined) return "The worker was never killed: the run had no canary.";
  const claims = journal.filter(({ kind, at }) => kind === "claimed" && at >= killedAt).length;
  return repeatedWork(journal) ?? (claims === 0 ? "No worker claimed the run after the kill." : undefined);
}
const restructured = z.looseObject({ version: z.number(), predicted_hit: z.number(), predicted_cost_ratio: z.number() });

/** What the journal says, and nothing that it does not. */
function recordRun(observations: CacheObservations, { journal, summary }: RunView): void {
  observations.acceptedAt = summary.acceptedAt;
  const applied = (step: string) => journal.find((entry) => entry.kind === "applied" && entry.step === step);
  const draft = applied("restructure_for_better_caching");
  const output = restructured.safeParse(draft?.kind === "applied" ? draft.output : undefined);
  if (output.success) {
    observations.version = output.data.version;
    observations.predicted = { hit: output.data.predicted_hit, costRatio: output.data.predicted_cost_ratio };
  }
  observations.draftedAt = draft?.at;
  observations.evaluatedAt = completedAt(journal, "compare_on_the_same_tickets");
  observations.canaryAt = journal.find((entry) => entry.kind === "intent" && entry.step === "deploy_to_a_growing_share_of_tickets")?.at;
  observations.allTicketsAt = completedAt(journal, "deploy_to_a_growing_share_of_tickets");
  observations.promotedAt = completedAt(journal, "deploy_optimized_prompts");
  observations.verifiedAt = verifiedAt(journal);
  if (journal.some(({ kind }) => kind === "finished")) observations.outcome = summary.outcome;
}

function completedAt(journal: readonly JournalEntry[], step: string): Instant | undefined {
  return journal.find((entry) => entry.kind === "completed" && entry.step === step)?.at;
}

const evaluation = z.looseObject({
  state: z.string(),
  pairs: z.array(z.looseObject({ candidate: z.looseObject({ quality: z.number() }) })).optional(),
});

/** Asks the application, and not runbookd, whether the golden tickets still have the same answers. */
async function askGolden(
  port: number,
  version: number | undefined,
  { clock, signal }: ScenarioContext,
): Promise<CacheObservations["golden"]> {
  if (version === undefined) return undefined;
  const url = `http://127.0.0.1:${port}/evaluations`;
  const body = JSON.stringify({ baseline: 1, candidate: version, tickets: goldenTickets });
  await fetch(url, { method: "POST", headers: { "idempotency-key": "afterwards", "content-type": "application/json" }, body });
  const pairs = await waitUntil(
    clock,
    "The golden tickets were not answered",
    async () => {
      const { state, pairs: evaluatedPairs } = evaluation.parse(await (await fetch(`${url}/afterwards`)).json());
      return state === "done" ? evaluatedPairs : undefined;
    },
    { withinMs: 30_000, signal },
  );
  return { tickets: pairs.length, unchanged: pairs.filter(({ candidate }) => candidate.quality === 1).length };
}

/** By the provider's bill: tickets of the old version before anybody had the new one, and tickets that began after the promotion. */
async function measure({ system, folder }: ScenarioContext, observations: CacheObservations): Promise<void> {
  const worked = readWorked(await readFile(folder.evidence, "utf8"));
  const { calls } = system.model.stats();
  const { canaryAt, promotedAt, version } = observations;
  observations.before = billedFor(
    worked.filter((ticket) => ticket.version === 1 && ticket.at < (canaryAt ?? Number.POSITIVE_INFINITY)),
    calls,
  );
  if (promotedAt === undefined) return;
  observations.after = billedFor(
    worked.filter((ticket) => ticket.version === version && ticket.beganAt > promotedAt),
    calls,
  );
}

function played(observations: CacheObservations, { run, report }: Watched): Played {
  const { before, predicted, after } = observations;
  const saving = savingOf(observations);
  return {
    faults: cacheFaults(observations),
    summary: [
      run?.report?.text ?? report?.text ?? "There is no report.",
      "",
      ...(before === undefined || after === undefined || predicted === undefined
        ? []
        : [
            `By the provider's bill: ${formatShare(before.hit, { decimals: 1 })} of the input was read before, ${formatShare(predicted.hit, { decimals: 1 })} was predicted, ${formatShare(after.hit, { decimals: 1 })} is read now.`,
            `A ticket cost ${formatUsd(before.costPerTicketMicroUsd)} before and costs ${formatUsd(after.costPerTicketMicroUsd)} now, ${formatShare(saving ?? 0, { decimals: 1 })} less.`,
          ]),
    ],
    ...(report !== undefined && { mail: report }),
    leaveRunning: () => ["The workload goes on with the version that was promoted."],
  };
}
