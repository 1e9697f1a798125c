import { writeFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Instant } from "../../src/core/clock.ts";
import { formatShare } from "../../src/core/share.ts";
import { messageIdsOf, repeatedWork } from "../journal-checks.ts";
import { keepLooking } from "../keep-looking.ts";
import type { ReceivedMail } from "../mail-sink.ts";
import { createPrometheusApi } from "../prometheus-api.ts";
import { runbookSteps } from "../runbook-steps.ts";
import type { RunView } from "../runbookd-api.ts";
import type { Play, Played, Scenario, ScenarioContext } from "../scenario.ts";
import { type ProgressSnapshot, stepsShown, watchProgress } from "../watch-progress.ts";
import { checkFromOutside } from "./check-from-outside.ts";
import { type DeskPlaces, deskConfig, deskSettings, exportFeature, makeDeskPlaces } from "./desk-places.ts";
import { analyzeAgain, createIncidentPeople, publishAdvisory, reportHarmless, reportLeak } from "./incident-people.ts";
import { deskCorpus } from "./isolated-desk.ts";
import { assessed, lowSource, readOff, recordFindings, recordRun } from "./read-incident.ts";
import { milestonesOf, type SecurityObservations, securityFaults, securityLine, securityResult } from "./security-result.ts";
import { readPids, type StartedDesk, startDesk } from "./start-desk.ts";

const runbook = "security-incident";
const timeoutMs = 540_000;
/** Tickets that are exported before anything happens. */
const minServed = 20;

/**
 * A customer's ticket makes the model send out its prompt. The export is switched off, a fix is proven against the attack and merged, deployed while the export is
 * off, and given back to a growing share of the tickets.
 */
export const securityScenario: Scenario = {
  model: () => ({
    latency: { firstTokenMs: 40, inputTokensPerSecond: 100_000, outputTokensPerSecond: 600 },
    obedient: true,
  }),
  // A feature with twenty tickets a second needs no hour for a step.
  parameters: { [runbook]: { every: "10m" } },
  prepare(options): Play {
    const observations: SecurityObservations = { sourceStates: [] };
    let places: DeskPlaces | undefined;
    return {
      async settings({ folder, modelUrl }) {
        places = await makeDeskPlaces(folder);
        const text = deskConfig(places, { programs: import.meta.dirname, modelUrl }, options);
        await writeFile(join(folder.root, "runbookd.yml"), text);
        return deskSettings(places);
      },
      line: () => securityLine(observations),
      async play(context) {
        if (places === undefined) throw new Error("The places of the demo were not made.");
        places.webhook.url = `${context.system.runbookdUrl}/webhooks/github`;
        const desk = await startDesk(context, places);
        const stage: Stage = { context, observations, places, desk, pidsBefore: await readPids(places) };
        const watched = await watch(stage);
        await measure(stage);
        return played(observations, watched);
      },
      async end() {
        await places?.github[Symbol.asyncDispose]();
      },
    };
  },
};

/** Everything that the play is played with. */
interface Stage {
  readonly context: ScenarioContext;
  readonly observations: SecurityObservations;
  readonly places: DeskPlaces;
  readonly desk: StartedDesk;
  readonly pidsBefore: readonly number[];
}

interface Watched {
  readonly run: RunView | undefined;
  readonly report: ReceivedMail | undefined;
}

/** What has happened so far beside what was observed. */
interface Progress {
  /** The weekly replay of the attacks that were recorded before has come to its end. */
  replayedBefore?: boolean;
  harmless?: number;
  lowRun?: string;
  /** The run whose approval was void. */
  firstRun?: string;
  advisory?: number;
  isAnalyzed: boolean;
  isPublished: boolean;
  run?: RunView;
  report?: ReceivedMail | undefined;
}

async function watch(stage: Stage): Promise<Watched> {
  const { context, observations, places } = stage;
  const { system, folder, clock, presenter, options } = context;
  const names = await runbookSteps(system.api, runbook);
  const progress: Progress = { isAnalyzed: false, isPublished: false };
  const people = createIncidentPeople(system, places);
  let killedAt: Instant | undefined;

  const poll = async () => {
    await beforeTheIncident(stage, progress);
    if (observations.reportedAt === undefined) return;
    await duringTheIncident(stage, progress);
    for (const question of await system.colleague.questions()) {
      if (question.runId === observations.run) await people.answer(question);
    }
    observations.unexpected = people.unexpected();
  };

  const watching = { withinMs: timeoutMs, mayBeGone: (name: string) => name === "runbookd-worker" };
  const onFailure = (message: string) => writeFileSync(join(folder.logs, "watch.log"), `${message}\n`, { flag: "a" });
  const looking = keepLooking(poll, { clock, everyMs: 200, onFailure });
  try {
    await watchProgress(context, watching, (now) => {
      if (options.killWorker && killedAt === undefined && observations.mergeSha !== undefined && isDeploying(progress.run)) {
        killedAt = now;
        system.replaceWorker();
        presenter.say("The runbookd worker was killed with SIGKILL while it deployed, and another one was started");
      }
      return readProgress(stage, progress, names);
    });
  } finally {
    await looking.stop();
  }
  if (options.killWorker) observations.restartFault = judgeRestart(killedAt, progress.run);
  return { run: progress.run, report: progress.report };
}

/** Traffic, the harmless finding, and the attack. */
async function beforeTheIncident({ context, observations, places, desk }: Stage, progress: Progress): Promise<void> {
  const { system, clock } = context;
  const { api } = system;
  const served = (await readFile(places.customersLog, "utf8")).split('"status":200').length - 1;
  if (served >= minServed) observations.trafficAt ??= clock.now();
  if (observations.trafficAt === undefined) return;
  if (progress.replayedBefore !== true) {
    const hits = await createPrometheusApi(system.prometheusUrl).value(`llm_attack_replay_hits{feature="${exportFeature}"}`);
    if (hits === undefined) return;
    progress.replayedBefore = true;
  }
  if (progress.lowRun === undefined) {
    progress.harmless ??= await reportHarmless(places.github);
    const low = (await api.findings(exportFeature)).find(({ source }) => source === lowSource);
    if (low === undefined) return;
    observations.lowFoundAt ??= clock.now();
    progress.lowRun = await api.startRun(runbook, { feature: exportFeature });
  }
  if (observations.lowSparedAt === undefined) return spareHarmless({ context, observations }, progress.lowRun);
  if (observations.leakedAt === undefined) {
    desk.customers.send({ attack: true });
    if ((await readFile(places.listenerLog, "utf8")).includes(places.honeytoken)) observations.leakedAt = clock.now();
    else return;
  }
  if (observations.reportedAt !== undefined) return;
  observations.reportedAt = clock.now();
  await writeFile(places.corpus, deskCorpus);
  progress.advisory = await reportLeak(places.github, clock);
  await places.repository.pushHotfix();
}

/** A person lets the runbook look at the harmless finding, and ends it when it has decided. */
async function spareHarmless({ context, observations }: Pick<Stage, "context" | "observations">, lowRun: string): Promise<void> {
  const { api } = context.system;
  const run = await api.run(lowRun);
  const off = readOff(run);
  if (off === undefined) return;
  if (observations.low === undefined) {
    const finding = assessed((await api.findings(exportFeature)).find(({ source }) => source === lowSource));
    if (finding === undefined) return;
    const { state } = await api.flag(exportFeature);
    observations.low = { ...finding, disabled: off.needed || state === "off" };
    await api.abortRun(lowRun, "It is harmless, and nothing has to be done now.");
  }
  if (run.journal.some(({ kind }) => kind === "finished")) observations.lowSparedAt = context.clock.now();
}

/** What the incident's run and its findings say, and what the world around it does at the same time. */
async function duringTheIncident({ context, observations, places }: Stage, progress: Progress): Promise<void> {
  const { system, clock } = context;
  const { api, mail } = system;
  recordFindings(observations, await api.findings(exportFeature), clock.now());
  if (observations.offAt === undefined) {
    const { state, followers } = await api.flag(exportFeature);
    if (state === "off" && followers.followers > 0 && followers.current === followers.followers) observations.offAt = clock.now();
  }
  const newest = await api.newestRun(runbook);
  if (newest === undefined || newest === progress.lowRun) return;
  observations.run ??= newest;
  const run = await api.run(observations.run);
  progress.run = run;
  recordRun(observations, run);
  // The commit that came late was not tested: a person starts the runbook for it, or goes on with the run that an alert which fires again has started.
  if (progress.firstRun === undefined && observations.outcome !== undefined && observations.voidedAt !== undefined) {
    const second = newest === observations.run ? await api.startRun(runbook, { feature: exportFeature }) : newest;
    progress.firstRun = observations.run;
    observations.run = second;
    observations.outcome = undefined;
    return;
  }
  for (const { id, subject } of await api.rollouts()) if (subject.kind === "flag") observations.rollout = await api.rollout(id);
  observations.onAgainAt ??= observations.rollout?.rollout.decisions.find(({ decision }) => decision === "advance")?.at;
  if (observations.mergedAt !== undefined && !progress.isAnalyzed) {
    progress.isAnalyzed = true;
    await analyzeAgain(places.github);
  }
  const { advisory, harmless } = progress;
  if (advisory !== undefined && harmless !== undefined && observations.enabledAt !== undefined && !progress.isPublished) {
    progress.isPublished = true;
    await publishAdvisory(places.github, { advisory, harmless });
  }
  const promised = messageIdsOf(run.journal);
  progress.report ??= mail.mails.findLast(({ messageId }) => promised.includes(messageId.replace(/^<|>$/g, "")));
  if (observations.outcome !== undefined) observations.reportSentAt = progress.report?.at;
}

/** Whether the run is carrying out its deployment. */
function isDeploying(run: RunView | undefined): boolean {
  const steps = new Set(
    (run?.journal ?? []).flatMap((entry) => (entry.kind === "intent" && entry.action === "deploy-release" ? [entry.step] : [])),
  );
  return steps.size > 0 && !(run?.journal ?? []).some((entry) => entry.kind === "applied" && steps.has(entry.step));
}

/** What a crash must not have done; undefined when it did not. */
function judgeRestart(killedAt: Instant | undefined, run: RunView | undefined): string | undefined {
  const journal = run?.journal ?? [];
  if (killedAt === undefined) return "The worker was never killed: nothing was deployed.";
  const claims = journal.filter(({ kind, at }) => kind === "claimed" && at >= killedAt).length;
  return repeatedWork(journal) ?? (claims === 0 ? "No worker claimed the run after the kill." : undefined);
}

function readProgress({ observations }: Stage, { run, firstRun }: Progress, names: ReadonlyMap<string, string>): ProgressSnapshot {
  const { outcome, reportSentAt, unexpected, rollout, voidedAt } = observations;
  const isOver = outcome !== "succeeded" || reportSentAt !== undefined;
  const share = rollout?.rollout.decisions.findLast(({ decision }) => decision === "advance")?.share ?? 0;
  return {
    over: unexpected !== undefined || (outcome !== undefined && (firstRun !== undefined || voidedAt === undefined) && isOver),
    view: {
      doing: "",
      milestones: milestonesOf(observations),
      gauges: [
        {
          label: "Export",
          share: observations.offAt === undefined ? 1 : share,
          text: observations.offAt === undefined ? "on" : `${formatShare(share)} of the tickets`,
        },
      ],
      ...(run !== undefined && { run: { id: run.summary.id, outcome } }),
      ...stepsShown(run?.journal, names),
    },
  };
}

/** Lets a program that knows nothing of runbookd look at logs, processes and the origin. */
async function measure({ context, observations, places, pidsBefore }: Stage): Promise<void> {
  await context.clock.sleep(2000, context.signal);
  const checked = await checkFromOutside(context, { observations, places, pidsBefore });
  observations.check = checked.check;
  observations.effectsRepeated = checked.effectsRepeated;
}

function played(observations: SecurityObservations, { run, report }: Watched): Played {
  const { foundToOffS, leaksBefore, leaksAfterOff, servedAfterOff, replay } = securityResult(observations);
  return {
    faults: securityFaults(observations),
    summary: [
      run?.report?.text ?? report?.text ?? "There is no report.",
      "",
      `From the finding to off in every process: ${foundToOffS ?? "an unknown number of"} s. The honeytoken left ${leaksBefore ?? "an unknown number of"} times before, and ${leaksAfterOff ?? "an unknown number of"} times after; ${servedAfterOff ?? "an unknown number of"} requests were served while it was off.`,
      `The fix was attacked ${replay?.tries ?? 0} times with ${replay?.hits ?? "an unknown number of"} hits: the attack works in at most ${formatShare(replay?.bound ?? 1)} of all tries.`,
    ],
    ...(report !== undefined && { mail: report }),
  };
}
