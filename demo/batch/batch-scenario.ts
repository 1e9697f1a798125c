import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatUsd, oneUsd } from "../../src/core/money.ts";
import { formatShare } from "../../src/core/share.ts";
import { compareBill } from "../compare-bill.ts";
import { keepLooking } from "../keep-looking.ts";
import type { StartedProcess } from "../process-group.ts";
import { runbookSteps } from "../runbook-steps.ts";
import type { BatchView, RunView } from "../runbookd-api.ts";
import type { Play, Played, Scenario, ScenarioContext } from "../scenario.ts";
import { startApplication } from "../start-application.ts";
import { stepsShown, watchProgress } from "../watch-progress.ts";
import { batchPlan, ticketFile } from "./batch-plan.ts";
import { type BatchObservations, batchFaults, batchLine, providerDifference } from "./batch-result.ts";
import { requestFile, startProvider, watchProvider } from "./work-at-provider.ts";

const runbook = "batch-operations";
const hostName = "tickets";
const createName = "batches-create";

/**
 * 200 tickets, handed in as files: most of them are taken through the runbook, while the provider refuses, workers die and one ticket cannot be read; the
 * single calls go to the provider as a batch, of which a part expires.
 */
export const batchScenario: Scenario = {
  model: () => ({ latency: { firstTokenMs: 90, inputTokensPerSecond: 200_000, outputTokensPerSecond: 600 } }),
  prepare({ seed }): Play {
    const observations: BatchObservations = {
      killedAt: [],
      provider: { submissions: 0, expired: 0, resubmitted: 0, succeeded: 0, billedMicroUsd: 0 },
    };
    let provider: Awaited<ReturnType<typeof startProvider>> | undefined;
    return {
      line: () => batchLine(observations),
      async settings() {
        provider = await startProvider(seed);
        return provider.settings;
      },
      async play(context) {
        if (provider === undefined) throw new Error("The provider was not started.");
        await using server = provider.server;
        const quirks = [
          server.inject({ kind: "expiry", share: batchPlan.expiredShare }),
          server.inject({ kind: "shuffled" }),
          server.inject({ kind: "double_results" }),
        ];

        await submitBatches(context);
        const hosts = createHosts(context);
        observations.run = await context.system.api.startRun(runbook, {
          batch: batchPlan.batch,
          max_cost_usd: batchPlan.maxCostUsd,
          per_ticket_usd: batchPlan.perTicketUsd,
          concurrency: batchPlan.concurrency,
        });
        const atProvider = watchProvider(context, { server, quirks, observations: observations.provider }).catch((error: unknown) => {
          observations.providerFault = error instanceof Error ? error.message : String(error);
        });
        await watch(context, observations, hosts);
        await atProvider;
        await addUp(context, observations);
        return await played(context, observations);
      },
    };
  },
};

/** Hands both files in as a person would: with the command, which proves every line first. The larger batch stays a draft for the runbook. */
async function submitBatches(context: ScenarioContext): Promise<void> {
  const { system, clock, presenter } = context;
  const { batch, budget, queue, budgetMicroUsd, tickets, providerBatch, providerQueue, providerTickets, concurrency } = batchPlan;
  await system.api.defineBudget({ id: budget, limitMicroUsd: budgetMicroUsd, periodMs: 3_600_000, periodStartsAt: clock.now() - 60_000 });
  const draft = await create(context, "csv", ticketFile(1, tickets, "fix"), ["--draft"], { id: batch, queue, concurrency });
  presenter.say(`${tickets} tickets were handed in as a draft:\n${draft}`);
  const single = requestFile(tickets + 1, providerTickets, "triage");
  const submitted = await create(context, "jsonl", single, [], { id: providerBatch, queue: providerQueue, provider: "anthropic" });
  presenter.say(`${providerTickets} tickets of single calls were submitted for the provider's batch interface:\n${submitted}`);
}

async function create(
  { system, services, folder }: ScenarioContext,
  format: "csv" | "jsonl",
  text: string,
  flags: readonly string[],
  options: { readonly id: string; readonly [name: string]: string | number },
): Promise<string> {
  const file = join(folder.root, `${options.id}.${format}`);
  await writeFile(file, text);
  const all = { ...options, budget: batchPlan.budget, "per-ticket-usd": batchPlan.perTicketUsd };
  const command = services.group.start({
    name: `${createName}-${options.id}`,
    program: process.execPath,
    args: [
      join(services.projectRoot, "dist/src/cli/main.js"),
      "batches",
      "create",
      file,
      ...flags,
      ...Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ],
    env: { RUNBOOKD_URL: system.runbookdUrl, RUNBOOKD_TOKEN: system.adminToken },
  });
  const how = await command.gone;
  if (how !== "ended with exit code 0") throw new Error(`runbookd batches create ${how}:\n${command.tail()}`);
  return command.tail().trimEnd();
}

interface Hosts {
  /** Kills the oldest process of workers without warning and starts another one. */
  replaceOne(): void;
}

function createHosts(context: ScenarioContext): Hosts {
  let started = 0;
  const start = (): StartedProcess => {
    started += 1;
    return startApplication(context, {
      name: `${hostName}-${started}`,
      module: "batch/batch-host",
      env: { DEMO_QUEUE: batchPlan.queue, DEMO_CONCURRENCY: String(batchPlan.concurrency / batchPlan.hosts) },
    });
  };
  const running = Array.from({ length: batchPlan.hosts }, start);
  return {
    replaceOne() {
      running.shift()?.signal("SIGKILL");
      running.push(start());
    },
  };
}

/** What the API told last; a look that fails is made again. */
interface ApiSnapshot {
  batch?: BatchView;
  run?: RunView;
}

async function watch(context: ScenarioContext, observations: BatchObservations, hosts: Hosts): Promise<void> {
  const { system, presenter, clock } = context;
  const names = await runbookSteps(system.api, runbook);
  const snapshot: ApiSnapshot = {};
  const runId = observations.run ?? "";
  const looking = keepLooking(
    async () => {
      snapshot.batch = await system.api.batch(batchPlan.batch);
      snapshot.run = await system.api.run(runId);
    },
    { clock, everyMs: 250 },
  );
  let refusals: Disposable | undefined;
  const mayBeGone = (name: string) => name.startsWith(createName) || name.startsWith(`${hostName}-`);
  try {
    await watchProgress(context, { withinMs: batchPlan.timeoutMs, mayBeGone }, (now) => {
      const { batch, run } = snapshot;
      const ended = batch?.progress.ended ?? 0;
      if (batch !== undefined && batch.state !== "draft") observations.submittedAt ??= now;
      if (batch?.pilotPassed === true) observations.pilotPassedAt ??= now;
      if (batch !== undefined && batch.concurrencyNow !== null && batch.state === "open") {
        observations.minConcurrency = Math.min(observations.minConcurrency ?? batchPlan.concurrency, batch.concurrencyNow);
        if (batch.concurrencyNow < batchPlan.concurrency) observations.halvedAt ??= now;
      }
      if (batch?.state === "done") observations.endedAt ??= now;
      for (const [index, at] of [batchPlan.firstKillAt, batchPlan.secondKillAt].entries()) {
        if (ended < at || observations.killedAt.length !== index) continue;
        observations.killedAt.push(now);
        hosts.replaceOne();
        presenter.say("A process of ticket workers was killed with SIGKILL, and another one was started");
      }
      if (ended >= batchPlan.refusalsFrom && ended < batchPlan.refusalsUntil && refusals === undefined) {
        refusals = system.model.inject({ kind: "rate_limited", retryAfterSeconds: 1, ratio: batchPlan.refusedRatio });
        presenter.say(`The provider answers ${batchPlan.refusedRatio * 100} % of the requests with 429 from now on`);
      }
      if (ended >= batchPlan.refusalsUntil) refusals?.[Symbol.dispose]();
      const outcome = run?.summary.outcome;
      if (outcome !== undefined) observations.outcome = outcome;
      observations.reportSentAt ??= reportOf(context, observations)?.at;
      return {
        over: outcome !== undefined && (outcome !== "succeeded" || observations.reportSentAt !== undefined),
        view: {
          doing: batch?.stop?.detail ?? "",
          milestones: milestonesOf(observations),
          gauges: batch === undefined ? [] : gaugesOf(batch, now),
          ...(observations.run !== undefined && { run: { id: observations.run, outcome } }),
          ...stepsShown(run?.journal, names),
        },
      };
    });
  } finally {
    refusals?.[Symbol.dispose]();
    await looking.stop();
  }
}

function milestonesOf(observations: BatchObservations) {
  const kills = observations.killedAt;
  return [
    { key: "submitted", label: "The batch fits its budget, has limits, and is submitted", reached: observations.submittedAt },
    { key: "pilotPassed", label: "The pilot tickets have succeeded", reached: observations.pilotPassedAt },
    { key: "killed", label: "Two processes of workers were killed", reached: kills[1], detail: kills.length === 1 ? "one so far" : "" },
    {
      key: "halved",
      label: "The provider refuses, and fewer tickets run at once",
      reached: observations.halvedAt,
      detail: observations.minConcurrency === undefined ? "" : `${observations.minConcurrency} at the least`,
    },
    {
      key: "provider",
      label: "The provider's batch is reconciled, and what expired is submitted again",
      reached: observations.provider.succeeded === batchPlan.providerTickets,
      detail: observations.provider.expired === 0 ? "" : `${observations.provider.expired} of ${batchPlan.providerTickets} had expired`,
    },
    { key: "ended", label: "Every ticket has ended, and nothing is reserved any more", reached: observations.endedAt },
    { key: "report", label: "The report was mailed", reached: observations.reportSentAt },
  ];
}

function gaugesOf(batch: BatchView, now: number) {
  const { ended, tickets, etaAt, forecastMicroUsd } = batch.progress;
  const eta = etaAt === null || ended === tickets ? "" : `, ${Math.max(0, Math.round((etaAt - now) / 1000))} s left`;
  const states = Object.entries(batch.counts).flatMap(([state, count]) => (count === 0 ? [] : [`${count} ${state}`]));
  return [
    { label: "Tickets", share: tickets === 0 ? 0 : ended / tickets, text: `${ended} of ${tickets}${eta}: ${states.join(", ")}` },
    {
      label: "Cost",
      share: batch.spentMicroUsd / (batchPlan.maxCostUsd * oneUsd),
      text: `${formatUsd(batch.spentMicroUsd)} of ~${formatUsd(forecastMicroUsd)}, at most $${batchPlan.maxCostUsd}`,
    },
    {
      label: "At once",
      share: (batch.concurrencyNow ?? 0) / batchPlan.concurrency,
      text: `at most ${batch.concurrencyNow ?? "any"} of ${batchPlan.concurrency}; ${batch.rateLimited} requests were refused`,
    },
  ];
}

/** Every ticket from its own record, and the money from both sides. */
async function addUp({ system }: ScenarioContext, observations: BatchObservations): Promise<void> {
  const { api, model } = system;
  const tickets = [...(await api.ticketsOf(batchPlan.batch)), ...(await api.ticketsOf(batchPlan.providerBatch))];
  const states = new Map<string, number>();
  for (const { state } of tickets) states.set(state, (states.get(state) ?? 0) + 1);
  observations.states = Object.fromEntries(states);
  observations.tickets = new Set(tickets.map(({ id }) => id)).size;
  const poisoned = tickets.find(({ id }) => id.endsWith(`#${batchPlan.poisoned}`));
  if (poisoned !== undefined) observations.poisonedState = poisoned.state;
  const mainBatch = await api.batch(batchPlan.batch);
  const atProvider = await api.batch(batchPlan.providerBatch);
  const { committedMicroUsd, estimatedMicroUsd } = await api.budget(batchPlan.budget);
  // A turn whose worker was killed before it reported is charged with an estimate; what the provider billed for it cannot be reported.
  observations.costMicroUsd = mainBatch.spentMicroUsd + atProvider.spentMicroUsd - estimatedMicroUsd;
  observations.estimatedMicroUsd = estimatedMicroUsd;
  observations.providerBatchCostMicroUsd = atProvider.spentMicroUsd;
  observations.refused = mainBatch.rateLimited;
  const { costMicroUsd, calls } = model.stats();
  observations.providerCostMicroUsd = costMicroUsd + observations.provider.billedMicroUsd;
  observations.unreported = compareBill(calls, await api.newestUsage());
  observations.ledgerReservedMicroUsd = committedMicroUsd;
}

/** The mail about this run; the watchdog's own run reports too. */
function reportOf({ system }: ScenarioContext, { run }: BatchObservations) {
  return run === undefined ? undefined : system.mail.mails.find(({ text }) => text.includes(run));
}

async function played(context: ScenarioContext, observations: BatchObservations): Promise<Played> {
  const { system } = context;
  const run = observations.run === undefined ? undefined : await system.api.run(observations.run);
  const mail = reportOf(context, observations);
  const difference = providerDifference(observations);
  return {
    faults: batchFaults(observations),
    summary: [
      run?.report?.text ?? mail?.text ?? "There is no report.",
      "",
      `${observations.tickets ?? 0} tickets: ${Object.entries(observations.states ?? {})
        .map(([state, count]) => `${count} ${state}`)
        .join(", ")}.`,
      `At the provider's batch interface: ${observations.provider.succeeded} tickets in ${observations.provider.submissions} submissions; ${observations.provider.expired} items had expired and were submitted again.`,
      `The provider billed ${formatUsd(observations.providerCostMicroUsd ?? 0)}, the batches say ${formatUsd(observations.costMicroUsd ?? 0)}${difference === undefined ? "" : `: a difference of ${formatShare(difference, { decimals: 2 })}`}.`,
      `Of that bill ${formatUsd(observations.unreported?.unreportedMicroUsd ?? 0)} for ${observations.unreported?.unreportedRequests ?? 0} requests of killed processes were not reported; ${formatUsd(observations.estimatedMicroUsd ?? 0)} are charged for their turns, as an estimate.`,
    ],
    ...(mail !== undefined && { mail }),
  };
}
