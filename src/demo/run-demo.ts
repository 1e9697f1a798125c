import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Instant } from "../core/clock.ts";
import type { JournalEntry } from "../core/journal.ts";
import { createDemoFolder, findProjectRoot, type DemoFolder } from "./demo-folder.ts";
import type { DemoOptions } from "./demo-options.ts";
import { describePlan, planDemo, type DemoPlan } from "./demo-plan.ts";
import type { DemoView } from "./demo-view.ts";
import { effectsBefore, repeatedWork, stepsOf } from "./journal-checks.ts";
import { startObserver, type Observer } from "./observe.ts";
import type { Presenter } from "./presenter.ts";
import { createProcessGroup, type ProcessGroup } from "./process-group.ts";
import { createPrometheusApi } from "./prometheus-api.ts";
import { runbookSteps } from "./runbook-steps.ts";
import { startSystem, type DemoSystem } from "./start-system.ts";
import { faultsOf, resultLine, stages, type Observations } from "./timeline.ts";

/** What the demo needs from its process. */
export interface DemoContext {
  readonly options: DemoOptions;
  readonly clock: Clock;
  readonly presenter: Presenter;
  /** Aborted by Ctrl-C and its like. */
  readonly signal: AbortSignal;
  /** Writes a line behind everything that was shown. */
  readonly print: (line: string) => void;
  /** Folder of the running program, to find the project from. */
  readonly programFolder: string;
}

interface Kill {
  at?: Instant;
}

function detailsOf(seen: Observations, system: DemoSystem, killedAt: Instant | undefined): DemoView["details"] {
  return {
    stormAt: "release 1.5.0 refuses every plan of prompt implement",
    ...(seen.run === undefined ? {} : { acceptedAt: `run ${seen.run}` }),
    ...(seen.culprit === undefined ? {} : { culpritAt: `prompt ${seen.culprit.prompt}, operation ${seen.culprit.operation}` }),
    ...(seen.reportSentAt === undefined ? {} : { reportSentAt: `to ${system.mail.mails.at(-1)?.to.join(", ") ?? "nobody"}` }),
    ...(killedAt === undefined ? {} : { firstEffectAt: "worker killed and started again afterwards" }),
  };
}

const doing: { readonly [Key in keyof Observations]?: string } = {
  alertFiringAt: "the one-hour window fills with storm",
  resumedAt: "the 30-minute burn must fall below 1.2x first",
  verifiedAt: "25 %, 50 %, 100 % of the limited concurrency, each watched for 15 minutes divided",
};

function viewOf(
  observer: Observer,
  system: DemoSystem,
  demo: { plan: DemoPlan; options: DemoOptions; beganAt: Instant; now: Instant; kill: Kill; names: ReadonlyMap<string, string> },
): DemoView {
  const { plan, options, beganAt, now, kill, names } = demo;
  const { seen } = observer;
  const budget = observer.budget();
  const run = observer.run();
  const steps =
    run === undefined
      ? []
      : stepsOf(run.journal).map((step) => ({ ...step, name: names.get(step.step) ?? step.step.replace(/^post_action_/, "Post-Action ") }));
  const known = new Set(steps.map(({ step }) => step));
  const next = stages.find(({ key }) => seen[key] === undefined)?.key;
  return {
    now,
    beganAt,
    factor: options.factor,
    seed: options.seed,
    doing: (next === undefined ? undefined : doing[next]) ?? "",
    seen,
    details: detailsOf(seen, system, kill.at),
    money:
      budget === undefined
        ? undefined
        : {
            spentMicroUsd: budget.spentMicroUsd,
            limitMicroUsd: budget.budget.limitMicroUsd,
            plannedMicroUsd: (budget.allowanceMicroUsdPerSecond * (now - beganAt)) / 1000,
            burn: observer.burn(),
            threshold: plan.threshold,
          },
    tickets: {
      finished: observer.finishedTickets(),
      running: budget?.running ?? 0,
      waiting: budget?.queued ?? 0,
      gate: budget?.controls.gate ?? "unknown",
    },
    steps,
    stepsToCome: run === undefined ? [] : [...names].filter(([step]) => !known.has(step)).map(([, name]) => name),
  };
}

/** True once two steps have begun: the first is complete, the second is in the middle of its effect. */
function isMidway(journal: readonly JournalEntry[]): boolean {
  return new Set(journal.flatMap((entry) => (entry.kind === "intent" && entry.effect !== "read" ? [entry.step] : []))).size >= 2;
}

async function drive(context: DemoContext, system: DemoSystem, observer: Observer, plan: DemoPlan, group: ProcessGroup): Promise<Kill> {
  const { options, clock, presenter, signal } = context;
  const { seen } = observer;
  const kill: Kill = {};
  const names = await runbookSteps(system.api);
  const beganAt = clock.now();
  const deadline = beganAt + plan.timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    const now = clock.now();
    if (seen.trafficAt === undefined && observer.finishedTickets() >= 5) seen.trafficAt = now;
    if (seen.trafficAt !== undefined && seen.stormAt === undefined && now - beganAt >= plan.calmMs) {
      system.workload.send({ release: "1.5.0" });
      seen.stormAt = now;
    }
    const journal = observer.run()?.journal ?? [];
    if (options.killWorker && kill.at === undefined && isMidway(journal)) {
      kill.at = now;
      system.replaceWorker();
      presenter.say("The runbookd worker was killed with SIGKILL in the middle of the run, and another one was started");
    }
    presenter.show(viewOf(observer, system, { plan, options, beganAt, now, kill, names }));
    const complete = seen.outcome !== undefined && stages.every(({ key }) => seen[key] !== undefined);
    const hopeless = seen.outcome !== undefined && seen.outcome !== "succeeded";
    const dead = group.all.find((one) => !one.isAlive() && one !== system.worker() && one.name !== "runbookd-worker");
    if (complete || hopeless || now > deadline || dead !== undefined) {
      if (dead !== undefined) presenter.say(`${dead.name} ${await dead.gone}; its log: ${dead.logFile}`);
      if (now > deadline) presenter.say(`Time is over: ${Math.round(plan.timeoutMs / 1000)} s.`);
      return kill;
    }
    await clock.sleep(100, signal);
  }
}

function judgeRestart(options: DemoOptions, kill: Kill, observer: Observer, system: DemoSystem): Observations["restart"] {
  if (!options.killWorker) return undefined;
  if (kill.at === undefined) return { killedAt: 0, fault: "The worker was never killed: the run had not begun two effects." };
  const journal = observer.run()?.journal ?? [];
  const repeated = repeatedWork(journal);
  if (repeated !== undefined) return { killedAt: kill.at, fault: repeated };
  const effects = effectsBefore(journal, observer.seen.resumedAt ?? 0, "resume-with-ramp");
  const writes = observer.writesWhilePaused();
  if (writes !== effects) {
    return {
      killedAt: kill.at,
      fault: `The run had ${effects} effects on the budget, and the budget was written ${writes ?? "an unknown number of"} times.`,
    };
  }
  const copies = system.mail.mails.filter(({ messageId }) => messageId === observer.report()?.messageId).length;
  if (copies > 1) return { killedAt: kill.at, fault: `The report was mailed ${copies} times.` };
  const claims = journal.filter(({ kind, at }) => kind === "claimed" && at >= (kill.at ?? 0)).length;
  return claims === 0 ? { killedAt: kill.at, fault: "No worker claimed the run after the kill." } : { killedAt: kill.at };
}

function summary(observer: Observer, system: DemoSystem): readonly string[] {
  const billed = system.model.stats().costMicroUsd;
  const ledger = observer.seen.costMicroUsd ?? 0;
  return [
    observer.run()?.report?.text ?? observer.report()?.text ?? "There is no report.",
    "",
    `The provider billed $${(billed / 1_000_000).toFixed(4)}, the budget's ledger says $${(ledger / 1_000_000).toFixed(4)}.`,
  ];
}

function addresses(system: DemoSystem, folder: DemoFolder): readonly string[] {
  return [
    `runbookd ${system.runbookdUrl}   Prometheus ${system.prometheusUrl}   Alertmanager ${system.alertmanagerUrl}`,
    `Admin token ${system.adminToken}`,
    `Logs, rendered configuration and evidence: ${folder.root}`,
    "Everything keeps running until Ctrl-C.",
  ];
}

/** The mail as it arrived, beside the logs. */
async function keepReport(folder: DemoFolder, observer: Observer): Promise<void> {
  const mail = observer.report();
  if (mail === undefined) return;
  await writeFile(join(folder.root, "report.txt"), mail.text);
  await writeFile(join(folder.root, "report.html"), mail.html);
}

/** Runs the whole demo and answers the exit code. Everything that was started is ended when it returns or rejects. */
export async function runDemo(context: DemoContext): Promise<number> {
  const { options, clock, presenter, signal, print } = context;
  const projectRoot = findProjectRoot(context.programFolder);
  const plan = planDemo(options.factor);
  const folder = await createDemoFolder();
  let clean = true;
  let seen: Observations = { budgetMicroUsd: plan.limitMicroUsd };
  try {
    await using group = createProcessGroup(folder.logs);
    presenter.say(describePlan(plan, options.factor));
    const services = { group, clock, projectRoot, folder: folder.root, signal };
    await using system = await startSystem({
      services,
      folder,
      plan,
      factor: options.factor,
      seed: options.seed,
      say: (text) => presenter.say(text),
    });
    const { api, model, mail } = system;
    const prometheus = createPrometheusApi(system.prometheusUrl);
    const observer = startObserver({ api, prometheus, model, mail, evidence: folder.evidence, plan, clock });
    seen = observer.seen;
    const kill = await drive(context, system, observer, plan, group);
    await observer.stop();
    presenter.close();
    observer.seen.restart = judgeRestart(options, kill, observer, system);
    const faults = faultsOf(observer.seen, plan.storm);
    clean = faults.length === 0;
    for (const line of summary(observer, system)) print(line);
    for (const fault of faults) print(`✘ ${fault}`);
    if (!clean) for (const { name, logFile } of group.all) print(`  log of ${name}: ${logFile}`);
    if (options.keep) await keepReport(folder, observer);
    if (options.keep) print(`Logs, rendered configuration and evidence: ${folder.root}`);
    if (!options.once) {
      // What is left for people: here they roll the release back, so that what keeps running is a healthy workload.
      system.workload.send({ release: "1.4.0" });
      print("Release 1.4.0 is out again; the limits stay until somebody lifts them.");
      for (const line of addresses(system, folder)) print(line);
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
    if (options.json) print(resultLine(observer.seen));
    return clean ? 0 : 1;
  } catch (error) {
    presenter.close();
    if (signal.aborted) return 130;
    clean = false;
    print(error instanceof Error ? error.message : String(error));
    print(`Logs: ${folder.logs}`);
    if (options.json) print(resultLine(seen));
    return 1;
  } finally {
    presenter.close();
    if (clean && !options.keep) await rm(folder.root, { recursive: true, force: true });
  }
}
