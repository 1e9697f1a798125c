import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { Instant } from "../../src/core/clock.ts";
import { type BillComparison, compareBill } from "../compare-bill.ts";
import { effectsBefore, repeatedWork } from "../journal-checks.ts";
import type { StartedProcess } from "../process-group.ts";
import { createPrometheusApi } from "../prometheus-api.ts";
import { runbookSteps } from "../runbook-steps.ts";
import type { RunView } from "../runbookd-api.ts";
import type { Play, Played, Scenario, ScenarioContext } from "../scenario.ts";
import type { DemoSystem } from "../start-system.ts";
import { stepsShown, watchProgress } from "../watch-progress.ts";
import { type CostPlan, planCost } from "./cost-plan.ts";
import { doingNow, figuresShown, milestonesShown } from "./cost-view.ts";
import { type Observer, startObserver } from "./observe.ts";
import { startWorkload } from "./start-workload.ts";
import { faultsOf, milestones, type Observations, resultLine } from "./timeline.ts";

/** The retries of one prompt run wild, and a budget burns. */
export const costScenario: Scenario = {
  approvable: "cost-incident-response",
  // An agent's model answers within seconds; here it is quicker, so that a minute of the demo holds an hour's worth of turns.
  model: () => ({ latency: { firstTokenMs: 120, inputTokensPerSecond: 100_000, outputTokensPerSecond: 900 } }),
  prepare({ factor }): Play {
    const plan = planCost(factor);
    let observations: Observations = { budgetMicroUsd: plan.limitMicroUsd };
    return {
      line: () => resultLine(observations),
      async play(context) {
        const workload = await startWorkload(context, plan);
        const observer = observe(context, plan);
        observations = observer.observations;
        let kill: Kill;
        try {
          kill = await watch(context, plan, workload, observer);
        } finally {
          await observer.stop();
        }
        observations.bill = await billOf(context);
        if (context.options.killWorker) observations.restart = judgeRestart(kill, observer, context.system);
        return played(observer, plan, workload);
      },
    };
  },
};

/** A request is reported within this time, also on a busy machine; the application goes on, so later ones are not compared. */
const reportedWithinMs = 20_000;

async function billOf({ system, clock }: ScenarioContext): Promise<BillComparison> {
  const until = clock.now();
  for (;;) {
    await clock.sleep(1000);
    const calls = system.model.stats().calls.filter(({ at }) => at <= until);
    const bill = compareBill(calls, await system.api.newestUsage());
    if (bill.unreportedRequests === 0 || clock.now() - until >= reportedWithinMs) return bill;
  }
}

interface Kill {
  at?: Instant;
}

/** Time for people to read four plans. */
const peopleMs = 30 * 60_000;

function observe({ system, folder, clock }: ScenarioContext, plan: CostPlan): Observer {
  const { api, model, mail } = system;
  return startObserver({ api, prometheus: createPrometheusApi(system.prometheusUrl), model, mail, evidence: folder.evidence, plan, clock });
}

async function watch(context: ScenarioContext, plan: CostPlan, workload: StartedProcess, observer: Observer): Promise<Kill> {
  const { options, presenter, system } = context;
  const { observations } = observer;
  const kill: Kill = {};
  const sayQuestion = questionSayer(context);
  const names = await runbookSteps(system.api, "cost-incident-response");
  const watching = { withinMs: plan.timeoutMs + (options.approve ? peopleMs : 0), mayBeGone: (name: string) => name === "runbookd-worker" };
  await watchProgress(context, watching, (now, beganAt) => {
    if (observations.trafficAt === undefined && observer.finishedTickets() >= 5) observations.trafficAt = now;
    if (observations.trafficAt !== undefined && observations.stormAt === undefined && now - beganAt >= plan.calmMs) {
      workload.send({ release: "1.5.0" });
      observations.stormAt = now;
    }
    if (options.killWorker && kill.at === undefined && isMidway(observer.run()?.journal ?? [])) {
      kill.at = now;
      system.replaceWorker();
      presenter.say("The runbookd worker was killed with SIGKILL in the middle of the run, and another one was started");
    }
    sayQuestion(observer.run());
    const { outcome } = observations;
    return {
      over: outcome !== undefined && (outcome !== "succeeded" || milestones.every(({ key }) => observations[key] !== undefined)),
      view: {
        doing: doingNow(observations),
        milestones: milestonesShown(observations, {
          mailedTo: system.mail.mails.at(-1)?.to.join(", ") ?? "no recipient yet",
          workerKilled: kill.at !== undefined,
        }),
        gauges: figuresShown({
          plan,
          budget: observer.budget(),
          burn: observer.burn(),
          finished: observer.finishedTickets(),
          beganAt,
          at: now,
        }),
        ...(observations.run !== undefined && { run: { id: observations.run, outcome } }),
        ...stepsShown(observer.run()?.journal, names),
      },
    };
  });
  return kill;
}

/** Says where each question of the run is answered, once. */
function questionSayer({ system, presenter }: ScenarioContext): (run: RunView | undefined) => void {
  const said = new Set<string>();
  return (run) => {
    for (const entry of run?.journal ?? []) {
      if (entry.kind !== "asked" || said.has(entry.question.id)) continue;
      said.add(entry.question.id);
      presenter.say(`The run waits for your answer: ${system.runbookdUrl}/questions/${encodeURIComponent(entry.question.id)}`);
    }
  };
}

/** True once two steps have begun: the first is complete, the second is in the middle of its effect. */
function isMidway(journal: readonly JournalEntry[]): boolean {
  return new Set(journal.flatMap((entry) => (entry.kind === "intent" && entry.effect !== "read" ? [entry.step] : []))).size >= 2;
}

function judgeRestart(kill: Kill, observer: Observer, system: DemoSystem): Observations["restart"] {
  if (kill.at === undefined) return { killedAt: 0, fault: "The worker was never killed: the run had not begun two effects." };
  const killedAt = kill.at;
  const journal = observer.run()?.journal ?? [];
  const repeated = repeatedWork(journal);
  if (repeated !== undefined) return { killedAt, fault: repeated };
  const effects = effectsBefore(journal, observer.observations.resumedAt ?? 0, "resume-with-ramp");
  const writes = observer.writesWhilePaused();
  if (writes !== effects) {
    return {
      killedAt,
      fault: `The run had ${effects} effects on the budget, and the budget was written ${writes ?? "an unknown number of"} times.`,
    };
  }
  const copies = system.mail.mails.filter(({ messageId }) => messageId === observer.report()?.messageId).length;
  if (copies > 1) return { killedAt, fault: `The report was mailed ${copies} times.` };
  const claims = journal.filter(({ kind, at }) => kind === "claimed" && at >= killedAt).length;
  return claims === 0 ? { killedAt, fault: "No worker claimed the run after the kill." } : { killedAt };
}

function played(observer: Observer, plan: CostPlan, workload: StartedProcess): Played {
  const { billedMicroUsd = 0, countedMicroUsd = 0 } = observer.observations.bill ?? {};
  const mail = observer.report();
  return {
    faults: faultsOf(observer.observations, plan.storm),
    summary: [
      observer.run()?.report?.text ?? mail?.text ?? "There is no report.",
      "",
      `The provider billed $${(billedMicroUsd / 1_000_000).toFixed(4)} for the requests until the run's end, our usage events say $${(countedMicroUsd / 1_000_000).toFixed(4)}.`,
    ],
    ...(mail !== undefined && { mail }),
    leaveRunning() {
      // What is left for people: here they roll the release back, so that what keeps running is a healthy workload.
      workload.send({ release: "1.4.0" });
      return ["Release 1.4.0 is out again; the limits stay until somebody lifts them."];
    },
  };
}
