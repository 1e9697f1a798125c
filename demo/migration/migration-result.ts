import type { Instant } from "../../src/core/clock.ts";
import { decideSequentially } from "../../src/llm/rollouts/sequential-decision.ts";
import type { ShownMilestone } from "../demo-view.ts";
import type { RolloutView } from "../runbookd-api.ts";
import type { MigratedTicket } from "./ticket-evidence.ts";

/** What the program that recounts the application's log found. */
export interface RecountedTickets {
  readonly tickets: number;
  readonly flips: number;
  readonly differences: readonly string[];
}

/** What the demo saw from outside; absent means: not seen. */
export interface MigrationObservations {
  trafficAt?: Instant | undefined;
  alertFiringAt?: Instant | undefined;
  badAcceptedAt?: Instant | undefined;
  badPassedAt?: Instant | undefined;
  badCanaryAt?: Instant | undefined;
  badTakenBackAt?: Instant | undefined;
  goodCanaryAt?: Instant | undefined;
  slumpAt?: Instant | undefined;
  ignoredAt?: Instant | undefined;
  heldAt?: Instant | undefined;
  releasedAt?: Instant | undefined;
  provenAt?: Instant | undefined;
  watchedAt?: Instant | undefined;
  promotedAt?: Instant | undefined;
  reportSentAt?: Instant | undefined;
  badRun?: string | undefined;
  goodRun?: string | undefined;
  badRunOutcome?: string | undefined;
  /** Of the second run. */
  outcome?: string | undefined;
  bad?: RolloutView | undefined;
  good?: RolloutView | undefined;
  holdbackTickets?: number | undefined;
  /** The application's own evidence. */
  tickets: readonly MigratedTicket[];
  recount?: RecountedTickets | undefined;
  /** A question that the demo has no answer to. */
  unexpected?: string | undefined;
  /** With `--kill-worker`: what the journal says against the run after the kill. */
  restartFault?: string | undefined;
}

/** Names of the moments that are observed. */
type Moment = {
  [Name in keyof MigrationObservations]-?: MigrationObservations[Name] extends Instant | undefined ? Name : never;
}[keyof MigrationObservations];

/** The stages. Each must be observed, or the demo has failed. */
export const migrationMilestones: readonly { readonly key: Moment; readonly label: string }[] = [
  { key: "trafficAt", label: "Three processes work on tickets with a model that is about to be retired" },
  { key: "alertFiringAt", label: "Prometheus fires: the model is retired soon" },
  { key: "badAcceptedAt", label: "Alertmanager calls, runbookd accepts" },
  { key: "badPassedAt", label: "On past tickets the recommended model is as good and cheaper" },
  { key: "badCanaryAt", label: "A twentieth of the tickets gets it" },
  { key: "badTakenBackAt", label: "It fails at real tickets, and is taken back" },
  { key: "goodCanaryAt", label: "Another model gets a twentieth of the tickets" },
  { key: "slumpAt", label: "Both models do worse from now on" },
  { key: "ignoredAt", label: "One process ignores its route" },
  { key: "heldAt", label: "The split of the tickets is wrong, and the rollout holds" },
  { key: "releasedAt", label: "The process follows again, and a person lets the rollout go on" },
  { key: "provenAt", label: "All steps have shown what the plan demands" },
  { key: "watchedAt", label: "The holdback shows no regression" },
  { key: "promotedAt", label: "Every new ticket gets the new model" },
  { key: "reportSentAt", label: "The report is mailed" },
];

/** The stages as they are shown. */
export function milestonesOf(observations: MigrationObservations): readonly ShownMilestone[] {
  return migrationMilestones.map(({ key, label }) => ({ key, label, reached: observations[key] }));
}

/** Canary tickets that a bad model may cost. */
const maxCanaryTickets = 60;
/** Seconds after which no new ticket may begin with a model that was taken back. */
const maxNewCanarySeconds = 60;
/** The slump is one of 20 points; so much of it must be seen in the old model's own tickets. */
const minSlump = 0.15;
/** Tickets between two looks of the pooled test. */
const lookEvery = 20;

/** Everything that the line says. */
export interface MigrationResult {
  readonly bad: { readonly end: string | null; readonly canaryTickets: number; readonly newCanaryAfterS: number | null };
  readonly good: {
    readonly end: string | null;
    readonly throughSlump: boolean;
    readonly costRatioUpper: number | null;
    readonly srmHeld: boolean;
    readonly holdbackTickets: number;
  };
  readonly pooledWouldHave: string;
  readonly flips: number | null;
  readonly recomputedDifferences: number | null;
  readonly outcome: string | null;
}

/** Puts what was observed into the figures of the line. */
export function migrationResult(observations: MigrationObservations): MigrationResult {
  const { bad, good, tickets, recount, slumpAt, holdbackTickets = 0, outcome = null } = observations;
  const ofBad = tickets.filter(({ assignment }) => assignment?.rollout === bad?.rollout.id && assignment?.arm === "canary");
  const goodDecisions = good?.rollout.decisions ?? [];
  return {
    bad: {
      end: bad?.rollout.state ?? null,
      canaryTickets: ofBad.length,
      newCanaryAfterS: newCanarySeconds(ofBad, takenBackAt(bad)),
    },
    good: {
      end: good?.rollout.state ?? null,
      throughSlump: isSlump(tickets, slumpAt) && goodDecisions.some(({ decision, at }) => at > (slumpAt ?? 0) && decision === "advance"),
      costRatioUpper: costRatioUpper(good),
      srmHeld: observations.heldAt !== undefined && observations.releasedAt !== undefined,
      holdbackTickets,
    },
    pooledWouldHave: pooledDecision(tickets, good?.rollout.id),
    flips: recount?.flips ?? null,
    recomputedDifferences: recount?.differences.length ?? null,
    outcome,
  };
}

/** The last line of `--json`; the names are a contract. Times are ISO 8601 in UTC, null when not observed; ratios are 0 to 1. */
export function migrationLine(observations: MigrationObservations): string {
  const moments = migrationMilestones.map(({ key }) => {
    const at = observations[key];
    return [key, at === undefined ? null : new Date(at).toISOString()];
  });
  return JSON.stringify({ ...migrationResult(observations), tickets: observations.tickets.length, ...Object.fromEntries(moments) });
}

/** What speaks against success, one sentence each; empty only when everything was observed and is as promised. */
export function migrationFaults(observations: MigrationObservations): readonly string[] {
  const { bad, good, pooledWouldHave, outcome } = migrationResult(observations);
  const { recount, unexpected, restartFault } = observations;
  const promised: readonly (readonly [boolean, string])[] = [
    [bad.end === "rolled_back", `The bad model's rollout is ${bad.end ?? "unknown"}; it had to be rolled back.`],
    [
      bad.canaryTickets <= maxCanaryTickets,
      `The bad model cost ${bad.canaryTickets} canary tickets; at most ${maxCanaryTickets} are promised.`,
    ],
    [
      bad.newCanaryAfterS !== null && bad.newCanaryAfterS <= maxNewCanarySeconds,
      `New tickets got the bad model until ${bad.newCanaryAfterS ?? "an unknown number of"} s after it was taken back.`,
    ],
    [good.end === "promoted", `The good model's rollout is ${good.end ?? "unknown"}; it had to be promoted.`],
    [good.throughSlump, "The good model's rollout did not grow through a slump of both models."],
    [
      good.costRatioUpper !== null && good.costRatioUpper < 1,
      `The good model is not shown to be cheaper: at most ${good.costRatioUpper ?? "unknown"}.`,
    ],
    [good.srmHeld, "The rollout was not held while a process ignored its route."],
    [good.holdbackTickets > 0, "No ticket of the holdback was seen."],
    [pooledWouldHave === "rollback", `The pooled arms say ${pooledWouldHave}; the demo must show where they are wrong.`],
    [recount !== undefined, "The application's log was not recounted."],
    [recount?.flips === 0, `${recount?.flips ?? "An unknown number of"} tickets changed their model.`],
    [outcome === "succeeded", `The second run ended ${outcome ?? "not at all"}.`],
  ];
  return [
    ...migrationMilestones.filter(({ key }) => observations[key] === undefined).map(({ label }) => `Not observed: ${label}.`),
    ...promised.flatMap(([isKept, sentence]) => (isKept ? [] : [sentence])),
    ...(recount?.differences ?? []).slice(0, 10).map((difference) => `Recount: ${difference}.`),
    ...(unexpected === undefined ? [] : [`An unexpected question: ${unexpected}`]),
    ...(restartFault === undefined ? [] : [restartFault]),
  ];
}

/** When the rollout was taken back. */
export function takenBackAt(view: RolloutView | undefined): Instant | undefined {
  return view?.rollout.state === "rolled_back"
    ? view.rollout.decisions.findLast(({ decision }) => decision === "roll_back")?.at
    : undefined;
}

function newCanarySeconds(canary: readonly MigratedTicket[], at: Instant | undefined): number | null {
  return at === undefined ? null : Math.max(0, ...canary.map(({ askedAt }) => askedAt - at)) / 1000;
}

/** Whether the old model's own tickets show the slump. */
function isSlump(tickets: readonly MigratedTicket[], slumpAt: Instant | undefined): boolean {
  if (slumpAt === undefined) return false;
  const succeeding = (some: readonly MigratedTicket[]) => some.filter(({ outcome }) => outcome === "succeeded").length / some.length;
  const ofOld = tickets.filter(({ route, models }) => models.every((model) => model === route.baseline));
  const before = ofOld.filter(({ endedAt }) => endedAt < slumpAt);
  const after = ofOld.filter(({ askedAt, assignment }) => askedAt > slumpAt && assignment !== null);
  return succeeding(before) - succeeding(after) >= minSlump;
}

/** Upper end of the interval of the cost per success, new to old. */
function costRatioUpper(view: RolloutView | undefined): number | null {
  const cost = view?.verdict.cost;
  return cost?.kind === "compared" ? Math.exp(cost.logRatio + cost.halfWidthCheap) : null;
}

/** What the arms would have led to, had their tickets been added up over all steps. */
export function pooledDecision(tickets: readonly MigratedTicket[], rollout: string | undefined): string {
  const ended = tickets.filter(({ assignment }) => assignment?.rollout === rollout).toSorted((a, b) => a.endedAt - b.endedAt);
  const arms = { canary: { tickets: 0, successes: 0 }, baseline: { tickets: 0, successes: 0 } };
  let decision: string = "continue";
  for (const [index, { assignment, outcome }] of ended.entries()) {
    const arm = arms[assignment?.arm ?? "baseline"];
    arm.tickets += 1;
    if (outcome === "succeeded") arm.successes += 1;
    if ((index + 1) % lookEvery !== 0) continue;
    ({ decision } = decideSequentially(arms.canary, arms.baseline, { margin: 0.1, planned: 600, most: 3000 }));
    if (decision === "rollback") return decision;
  }
  return decision;
}
