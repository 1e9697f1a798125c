import { readFile } from "node:fs/promises";
import type { Clock, Instant } from "../../src/core/clock.ts";
import { causeOf, culpritOf, firstEffectAt, messageIdsOf, verifiedAt } from "../journal-checks.ts";
import { keepLooking } from "../keep-looking.ts";
import type { MailSink, ReceivedMail } from "../mail-sink.ts";
import type { PrometheusApi } from "../prometheus-api.ts";
import type { BudgetView, RunbookdApi, RunView } from "../runbookd-api.ts";
import type { ModelServer } from "../simulators/model-server/model-server.ts";
import type { CostPlan } from "./cost-plan.ts";
import { countStartsWhilePaused, readEvidence, ticketStarts } from "./evidence.ts";
import type { Observations } from "./timeline.ts";

/** A pause as it was seen from outside: certainly closed between the two. */
interface ObservedPause {
  readonly closedAt: Instant;
  lastClosedAt: Instant;
}

/** What is looked at. */
export interface Observed {
  readonly api: RunbookdApi;
  readonly prometheus: PrometheusApi;
  readonly model: Pick<ModelServer, "stats">;
  readonly mail: Pick<MailSink, "mails">;
  /** The application's evidence file. */
  readonly evidence: string;
  readonly plan: CostPlan;
  readonly clock: Clock;
}

/** Everything that was seen, kept up to date while it runs. */
export interface Observer {
  readonly observations: Observations;
  readonly run: () => RunView | undefined;
  readonly budget: () => BudgetView | undefined;
  readonly burn: () => number | undefined;
  readonly finishedTickets: () => number;
  /** How often the target's controls were written between the beginning of the run and the opening of the gate, by its own count. */
  readonly writesWhilePaused: () => number | undefined;
  readonly report: () => ReceivedMail | undefined;
  /** Stops looking and reads the evidence once more. */
  stop(): Promise<void>;
}

const alertname = "LLMBudgetBurnFast";
const runbook = "cost-incident-response";
/** So long must the provider be silent before we say that spending has stopped. */
const silenceMs = 1000;

/** Begins to look at everything from outside. Whatever cannot be read at a moment is looked at again; it never counts as seen. */
export function startObserver({ api, prometheus, model, mail, evidence, plan, clock }: Observed): Observer {
  const observations: Observations = { budgetMicroUsd: plan.limitMicroUsd };
  const pauses: ObservedPause[] = [];
  let run: RunView | undefined;
  let budget: BudgetView | undefined;
  let burn: number | undefined;
  let finished = 0;
  let report: ReceivedMail | undefined;
  let wasPaused = false;
  let versionBefore: number | undefined;
  let versionAtOpening: number | undefined;

  const pollBudget = async () => {
    const askedAt = clock.now();
    budget = await api.budget(plan.budget);
    observations.costMicroUsd = budget.spentMicroUsd;
    const { gate, version } = budget.controls;
    const paused = gate === "paused";
    if (!paused && pauses.length === 0) versionBefore = version;
    if (paused && observations.resumedAt === undefined) versionAtOpening = version;
    if (paused) {
      const pause = pauses.at(-1);
      // Seen closed in the answer means closed when it was asked for the second time in a row; the first answer dates the closing.
      if (!wasPaused || pause === undefined) pauses.push({ closedAt: clock.now(), lastClosedAt: clock.now() });
      else pause.lastClosedAt = askedAt;
    } else if (pauses.length > 0) {
      observations.resumedAt ??= clock.now();
    }
    wasPaused = paused;
  };

  const pollProvider = async () => {
    const closedAt = pauses[0]?.closedAt;
    if (closedAt === undefined || observations.spendStoppedAt !== undefined) return;
    const { calls, inFlight } = model.stats();
    const last = calls.at(-1)?.at ?? closedAt;
    if (inFlight === 0 && clock.now() - Math.max(last, closedAt) >= silenceMs) observations.spendStoppedAt = Math.max(last, closedAt);
  };

  const pollRun = async () => {
    observations.run ??= await api.newestRun(runbook);
    if (observations.run === undefined) return;
    run = await api.run(observations.run);
    const { journal, summary } = run;
    observations.acceptedAt = summary.acceptedAt;
    if (pauses.length > 0) observations.firstEffectAt ??= firstEffectAt(journal);
    const culprit = culpritOf(journal);
    if (culprit !== undefined) {
      observations.culprit = { prompt: culprit.prompt, operation: culprit.operation };
      observations.culpritAt = culprit.at;
    }
    observations.cause ??= causeOf(journal);
    observations.maxAttempts ??= budget?.controls.limits.maxAttempts ?? undefined;
    if (observations.verifiedAt === undefined) {
      const at = verifiedAt(journal);
      // The run's word alone is not enough.
      const measuredBurn = at === undefined ? undefined : await prometheus.value(`budget:llm_budget_burn:ratio5m{budget="${plan.budget}"}`);
      if (measuredBurn !== undefined && measuredBurn < 1.2) observations.verifiedAt = at;
    }
    if (journal.some(({ kind }) => kind === "finished")) observations.outcome = summary.outcome;
    if (report === undefined) {
      const promised = messageIdsOf(journal);
      report = mail.mails.find(({ messageId }) => promised.includes(messageId.replace(/^<|>$/g, "")));
      observations.reportSentAt = report?.at;
    }
  };

  const pollAlert = async () => {
    if (observations.alertFiringAt !== undefined) return;
    if (!(await prometheus.isFiring(alertname, { budget: plan.budget }))) return;
    // Its own record of the moment; looking takes its time.
    observations.alertFiringAt = await prometheus.firingSince(alertname, { budget: plan.budget });
  };

  const pollBurn = async () => {
    burn = await prometheus.value(`budget:llm_budget_burn:ratio5m{budget="${plan.budget}"}`);
  };

  const pollEvidence = async () => {
    const entries = readEvidence(await readFile(evidence, "utf8"));
    finished = entries.filter(({ kind }) => kind === "ticket_ended").length;
    const starts = ticketStarts(entries);
    if (pauses.length > 0) {
      observations.ticketsStartedWhilePaused = pauses
        .map(({ closedAt, lastClosedAt }) => countStartsWhilePaused(starts, closedAt, lastClosedAt))
        .reduce((sum, count) => sum + count, 0);
    }
  };

  const loops = [
    keepLooking(pollBudget, { clock, everyMs: 100 }),
    keepLooking(pollProvider, { clock, everyMs: 100 }),
    keepLooking(pollRun, { clock, everyMs: 250 }),
    keepLooking(pollAlert, { clock, everyMs: 150 }),
    keepLooking(pollBurn, { clock, everyMs: 500 }),
    keepLooking(pollEvidence, { clock, everyMs: 1000 }),
  ];

  return {
    observations,
    run: () => run,
    budget: () => budget,
    burn: () => burn,
    finishedTickets: () => finished,
    writesWhilePaused: () => (versionBefore === undefined || versionAtOpening === undefined ? undefined : versionAtOpening - versionBefore),
    report: () => report,
    async stop() {
      await Promise.all(loops.map(async (loop) => loop.stop()));
      await pollEvidence();
    },
  };
}
