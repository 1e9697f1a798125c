import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatUsd, oneUsd } from "../../src/core/money.ts";
import { formatShare } from "../../src/core/share.ts";
import type { StartedProcess } from "../process-group.ts";
import { runbookSteps } from "../runbook-steps.ts";
import type { BatchView, RunView } from "../runbookd-api.ts";
import type { Play, Played, Scenario, Stage } from "../scenario.ts";
import { startApplication } from "../start-application.ts";
import { stepsShown, watchStage } from "../watch-stage.ts";
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
    const seen: BatchObservations = {
      killedAt: [],
      provider: { submissions: 0, expired: 0, resubmitted: 0, succeeded: 0, billedMicroUsd: 0 },
    };
    let provider: Awaited<ReturnType<typeof startProvider>> | undefined;
    return {
      line: () => batchLine(seen),
      async settings() {
        provider = await startProvider(seed);
        return provider.settings;
      },
      async play(stage) {
        if (provider === undefined) throw new Error("The provider was not started.");
        await using server = provider.server;
        const quirks = [
          server.inject({ kind: "expiry", share: batchPlan.expiredShare }),
          server.inject({ kind: "shuffled" }),
          server.inject({ kind: "double_results" }),
        ];

        await handIn(stage);
        const hosts = createHosts(stage);
        seen.run = await stage.system.api.startRun(runbook, {
          batch: batchPlan.batch,
          max_cost_usd: batchPlan.maxCostUsd,
          per_ticket_usd: batchPlan.perTicketUsd,
          concurrency: batchPlan.concurrency,
        });
        const atProvider = watchProvider(stage, { server, quirks, seen: seen.provider }).catch((error: unknown) => {
          seen.providerFault = error instanceof Error ? error.message : String(error);
        });
        await watch(stage, seen, hosts);
        await atProvider;
        await addUp(stage, seen);
        return await played(stage, seen);
      },
    };
  },
};

/** Hands both files in as a person would: with the command, which proves every line first. The larger batch stays a draft for the runbook. */
async function handIn(stage: Stage): Promise<void> {
  const { system, clock, presenter } = stage;
  const { batch, budget, queue, budgetMicroUsd, tickets, providerBatch, providerQueue, providerTickets, concurrency } = batchPlan;
  await system.api.defineBudget({ id: budget, limitMicroUsd: budgetMicroUsd, periodMs: 3_600_000, periodStartsAt: clock.now() - 60_000 });
  const draft = await create(stage, "csv", ticketFile(1, tickets, "fix"), ["--draft"], { id: batch, queue, concurrency });
  presenter.say(`${tickets} tickets were handed in as a draft:\n${draft}`);
  const single = requestFile(tickets + 1, providerTickets, "triage");
  const submitted = await create(stage, "jsonl", single, [], { id: providerBatch, queue: providerQueue, provider: "anthropic" });
  presenter.say(`${providerTickets} tickets of single calls were submitted for the provider's batch interface:\n${submitted}`);
}

async function create(
  { system, services, folder }: Stage,
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

function createHosts(stage: Stage): Hosts {
  let started = 0;
  const start = (): StartedProcess => {
    started += 1;
    return startApplication(stage, {
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
interface Sight {
  batch?: BatchView;
  run?: RunView;
}

async function watch(stage: Stage, seen: BatchObservations, hosts: Hosts): Promise<void> {
  const { system, presenter, signal } = stage;
  const names = await runbookSteps(system.api, runbook);
  const sight: Sight = {};
  const over = new AbortController();
  const looking = lookOn(stage, seen.run ?? "", sight, AbortSignal.any([over.signal, signal]));
  let refusals: Disposable | undefined;
  const mayBeGone = (name: string) => name.startsWith(createName) || name.startsWith(`${hostName}-`);
  try {
    await watchStage(stage, { withinMs: batchPlan.timeoutMs, mayBeGone }, (now) => {
      const { batch, run } = sight;
      const ended = batch?.progress.ended ?? 0;
      if (batch !== undefined && batch.state !== "draft") seen.submittedAt ??= now;
      if (batch?.led === true) seen.ledAt ??= now;
      if (batch !== undefined && batch.concurrencyNow !== null && batch.state === "open") {
        seen.leastConcurrency = Math.min(seen.leastConcurrency ?? batchPlan.concurrency, batch.concurrencyNow);
        if (batch.concurrencyNow < batchPlan.concurrency) seen.halvedAt ??= now;
      }
      if (batch?.state === "done") seen.endedAt ??= now;
      for (const [index, at] of [batchPlan.firstKillAt, batchPlan.secondKillAt].entries()) {
        if (ended < at || seen.killedAt.length !== index) continue;
        seen.killedAt.push(now);
        hosts.replaceOne();
        presenter.say("A process of ticket workers was killed with SIGKILL, and another one was started");
      }
      if (ended >= batchPlan.refusalsFrom && ended < batchPlan.refusalsUntil && refusals === undefined) {
        refusals = system.model.inject({ kind: "rate_limited", retryAfterSeconds: 1, ratio: batchPlan.refusedRatio });
        presenter.say(`The provider answers ${batchPlan.refusedRatio * 100} % of the requests with 429 from now on`);
      }
      if (ended >= batchPlan.refusalsUntil) refusals?.[Symbol.dispose]();
      const outcome = run?.summary.outcome;
      if (outcome !== undefined) seen.outcome = outcome;
      seen.reportSentAt ??= reportOf(stage, seen)?.at;
      return {
        over: outcome !== undefined && (outcome !== "succeeded" || seen.reportSentAt !== undefined),
        view: {
          doing: batch?.stop?.detail ?? "",
          stages: stagesOf(seen),
          gauges: batch === undefined ? [] : gaugesOf(batch, now),
          ...(seen.run !== undefined && { run: { id: seen.run, outcome } }),
          ...stepsShown(run?.journal, names),
        },
      };
    });
  } finally {
    over.abort();
    refusals?.[Symbol.dispose]();
    await looking;
  }
}

async function lookOn({ system, clock }: Stage, runId: string, sight: Sight, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    try {
      sight.batch = await system.api.batch(batchPlan.batch);
      sight.run = await system.api.run(runId);
    } catch {
      // The next look tells.
    }
    await clock.sleep(250, over).catch(() => undefined);
  }
}

function stagesOf(seen: BatchObservations) {
  const kills = seen.killedAt;
  return [
    { key: "submitted", label: "The batch fits its budget, has limits, and is submitted", seen: seen.submittedAt },
    { key: "led", label: "The leading tickets have succeeded", seen: seen.ledAt },
    { key: "killed", label: "Two processes of workers were killed", seen: kills[1], detail: kills.length === 1 ? "one so far" : "" },
    {
      key: "halved",
      label: "The provider refuses, and fewer tickets run at once",
      seen: seen.halvedAt,
      detail: seen.leastConcurrency === undefined ? "" : `${seen.leastConcurrency} at the least`,
    },
    {
      key: "provider",
      label: "The provider's batch is reconciled, and what expired is submitted again",
      seen: seen.provider.succeeded === batchPlan.providerTickets,
      detail: seen.provider.expired === 0 ? "" : `${seen.provider.expired} of ${batchPlan.providerTickets} had expired`,
    },
    { key: "ended", label: "Every ticket has ended, and nothing is reserved any more", seen: seen.endedAt },
    { key: "report", label: "The report was mailed", seen: seen.reportSentAt },
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
async function addUp({ system }: Stage, seen: BatchObservations): Promise<void> {
  const { api, model } = system;
  const tickets = [...(await api.ticketsOf(batchPlan.batch)), ...(await api.ticketsOf(batchPlan.providerBatch))];
  const states = new Map<string, number>();
  for (const { state } of tickets) states.set(state, (states.get(state) ?? 0) + 1);
  seen.states = Object.fromEntries(states);
  seen.tickets = new Set(tickets.map(({ id }) => id)).size;
  const poisoned = tickets.find(({ id }) => id.endsWith(`#${batchPlan.poisoned}`));
  if (poisoned !== undefined) seen.poisonedState = poisoned.state;
  const own = await api.batch(batchPlan.batch);
  const atProvider = await api.batch(batchPlan.providerBatch);
  seen.costMicroUsd = own.spentMicroUsd + atProvider.spentMicroUsd;
  seen.providerBatchCostMicroUsd = atProvider.spentMicroUsd;
  seen.refused = own.rateLimited;
  seen.providerCostMicroUsd = model.stats().costMicroUsd + seen.provider.billedMicroUsd;
  seen.ledgerReservedMicroUsd = (await api.budget(batchPlan.budget)).committedMicroUsd;
}

/** The mail about this run; the watchdog's own run reports too. */
function reportOf({ system }: Stage, { run }: BatchObservations) {
  return run === undefined ? undefined : system.mail.mails.find(({ text }) => text.includes(run));
}

async function played(stage: Stage, seen: BatchObservations): Promise<Played> {
  const { system } = stage;
  const run = seen.run === undefined ? undefined : await system.api.run(seen.run);
  const mail = reportOf(stage, seen);
  const difference = providerDifference(seen);
  return {
    faults: batchFaults(seen),
    summary: [
      run?.report?.text ?? mail?.text ?? "There is no report.",
      "",
      `${seen.tickets ?? 0} tickets: ${Object.entries(seen.states ?? {})
        .map(([state, count]) => `${count} ${state}`)
        .join(", ")}.`,
      `At the provider's batch interface: ${seen.provider.succeeded} tickets in ${seen.provider.submissions} submissions; ${seen.provider.expired} items had expired and were submitted again.`,
      `The provider billed ${formatUsd(seen.providerCostMicroUsd ?? 0)}, the batches say ${formatUsd(seen.costMicroUsd ?? 0)}${difference === undefined ? "" : `: a difference of ${formatShare(difference, { decimals: 2 })}`}.`,
    ],
    ...(mail !== undefined && { mail }),
  };
}
