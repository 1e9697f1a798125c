import type { Instant } from "../../src/core/clock.ts";
import type { ShownMilestone } from "../demo-view.ts";
import type { RolloutView } from "../runbookd-api.ts";
import { deskTests } from "./desk-files.ts";

/** What the program that checks from outside found. */
export interface OutsideCheck {
  readonly leaksBefore: number;
  readonly leaksAfterOff: number;
  readonly servedAfterOff: number;
  readonly newProcesses: number;
  readonly tests: { readonly passed: number; readonly failed: number; readonly sha: string };
  readonly differences: readonly string[];
}

/** A finding as runbookd assessed it. */
export interface AssessedFinding {
  readonly class: string;
  readonly unknown: readonly string[];
}

/** What a step that proves a feature off has read. */
export interface OffResult {
  readonly needed: boolean;
  readonly followers: number;
  readonly followersCurrent: number;
}

/** What a replay of the recorded attacks came to. */
export interface ReplayResult {
  readonly hits: number;
  readonly tries: number;
  readonly bound: number;
  readonly sha: string;
  readonly harmless: number;
  readonly harmlessWorse: number;
}

/** What the demo saw from outside; absent means that it was not observed. */
export interface SecurityObservations {
  trafficAt?: Instant | undefined;
  lowFoundAt?: Instant | undefined;
  lowSparedAt?: Instant | undefined;
  leakedAt?: Instant | undefined;
  reportedAt?: Instant | undefined;
  acceptedAt?: Instant | undefined;
  /** When every process was said to hold the flag that is off. */
  offAt?: Instant | undefined;
  listedAt?: Instant | undefined;
  sealedAt?: Instant | undefined;
  reproducedAt?: Instant | undefined;
  testedAt?: Instant | undefined;
  replayedAt?: Instant | undefined;
  voidedAt?: Instant | undefined;
  mergedAt?: Instant | undefined;
  deployedAt?: Instant | undefined;
  onAgainAt?: Instant | undefined;
  enabledAt?: Instant | undefined;
  closedAt?: Instant | undefined;
  writtenAt?: Instant | undefined;
  reportSentAt?: Instant | undefined;
  /** The run that works on the incident now. */
  run?: string | undefined;
  outcome?: string | undefined;
  low?: (AssessedFinding & { readonly disabled: boolean }) | undefined;
  serious?: AssessedFinding | undefined;
  off?: OffResult | undefined;
  reproduced?: ReplayResult | undefined;
  tests?: { readonly passed: number; readonly failed: number; readonly sha: string } | undefined;
  replay?: ReplayResult | undefined;
  /** The commit that was tested, and that of the merge. */
  fixSha?: string | undefined;
  mergeSha?: string | undefined;
  deployed?: { readonly current: number; readonly processes: number } | undefined;
  rollout?: RolloutView | undefined;
  /** State of each finding of the incident, as runbookd has it from the source. */
  sourceStates: readonly string[];
  /** How often each effect in another system happened beyond the first time. */
  effectsRepeated?: number | undefined;
  check?: OutsideCheck | undefined;
  /** A question that the demo has no answer to. */
  unexpected?: string | undefined;
  /** With `--kill-worker`: what the journal says against the run after the kill. */
  restartFault?: string | undefined;
}

/** Names of the moments that are observed. */
type Moment = Exclude<
  {
    [Name in keyof SecurityObservations]-?: SecurityObservations[Name] extends Instant | undefined ? Name : never;
  }[keyof SecurityObservations],
  "effectsRepeated"
>;

/** The stages. Each must be observed, or the demo has failed. */
export const securityMilestones: readonly { readonly key: Moment; readonly label: string }[] = [
  { key: "trafficAt", label: "Three processes export tickets of customers" },
  { key: "lowFoundAt", label: "GitHub reports a harmless finding" },
  { key: "lowSparedAt", label: "It is assessed, and nothing is switched off" },
  { key: "leakedAt", label: "Tickets hold instructions, and the prompt's honeytoken leaves" },
  { key: "reportedAt", label: "GitHub reports that, with a vector that cannot be read" },
  { key: "acceptedAt", label: "Prometheus fires, Alertmanager calls, runbookd accepts" },
  { key: "offAt", label: "The export is off in every process" },
  { key: "listedAt", label: "A finding whose webhook was lost is read from GitHub's list" },
  { key: "sealedAt", label: "Evidence is sealed" },
  { key: "reproducedAt", label: "The attack works on an isolated instance of what is deployed" },
  { key: "testedAt", label: "Every test passes on the commit of the fix" },
  { key: "replayedAt", label: "No attack works on that commit, and customers are served as before" },
  { key: "voidedAt", label: "A commit comes after the approval, and nothing is merged" },
  { key: "mergedAt", label: "Exactly the tested commit is merged" },
  { key: "deployedAt", label: "Three new processes run it, while the export is off" },
  { key: "onAgainAt", label: "A tenth of the tickets is exported again" },
  { key: "enabledAt", label: "All of them are" },
  { key: "closedAt", label: "GitHub says that every finding is fixed" },
  { key: "writtenAt", label: "The post-mortem is written" },
  { key: "reportSentAt", label: "The report is mailed" },
];

/** The stages as they are shown. */
export function milestonesOf(observations: SecurityObservations): readonly ShownMilestone[] {
  return securityMilestones.map(({ key, label }) => ({ key, label, reached: observations[key] }));
}

/** Seconds from the report of a finding until the feature is off in every process. */
const maxOffSeconds = 60;
const minTries = 60;
const processes = 3;

/** Everything that the line says. */
export interface SecurityResult {
  readonly low: { readonly class: string | null; readonly disabled: boolean | null };
  readonly class: string | null;
  readonly unknown: readonly string[];
  readonly foundToOffS: number | null;
  readonly leaksBefore: number | null;
  readonly leaksAfterOff: number | null;
  readonly servedAfterOff: number | null;
  readonly followers: string | null;
  readonly reproduced: boolean;
  readonly tests: { readonly passed: number; readonly sha: string } | null;
  readonly replay: { readonly tries: number; readonly hits: number; readonly bound: number } | null;
  readonly harmlessWorse: number | null;
  readonly approvalVoided: boolean;
  readonly deployed: string | null;
  readonly shares: readonly number[];
  readonly sourceState: string | null;
  readonly lostWebhookFound: boolean;
  readonly effectsRepeated: number | null;
  readonly outcome: string | null;
}

/** Puts what was observed into the figures of the line. */
export function securityResult(observations: SecurityObservations): SecurityResult {
  const { low, serious, off, reportedAt, offAt, check, reproduced, tests, replay, deployed, rollout, sourceStates } = observations;
  const decisions = rollout?.rollout.decisions ?? [];
  return {
    low: { class: low?.class ?? null, disabled: low?.disabled ?? null },
    class: serious?.class ?? null,
    unknown: serious?.unknown ?? [],
    foundToOffS: reportedAt === undefined || offAt === undefined ? null : (offAt - reportedAt) / 1000,
    leaksBefore: check?.leaksBefore ?? null,
    leaksAfterOff: check?.leaksAfterOff ?? null,
    servedAfterOff: check?.servedAfterOff ?? null,
    followers: off === undefined ? null : `${off.followersCurrent}/${off.followers}`,
    reproduced: (reproduced?.hits ?? 0) > 0,
    tests: tests === undefined ? null : { passed: tests.passed, sha: tests.sha },
    replay: replay === undefined ? null : { tries: replay.tries, hits: replay.hits, bound: replay.bound },
    harmlessWorse: replay?.harmlessWorse ?? null,
    approvalVoided: observations.voidedAt !== undefined,
    deployed: deployed === undefined ? null : `${deployed.current}/${deployed.processes}`,
    shares: decisions.filter(({ decision }) => decision === "advance").map(({ share }) => share),
    sourceState: sourceStates.length === 0 ? null : (sourceStates.find((state) => state !== "fixed") ?? "fixed"),
    lostWebhookFound: observations.listedAt !== undefined,
    effectsRepeated: observations.effectsRepeated ?? null,
    outcome: observations.outcome ?? null,
  };
}

/** The last line of `--json`; the names are a contract. Times are ISO 8601 in UTC, null when not observed; ratios are 0 to 1. */
export function securityLine(observations: SecurityObservations): string {
  const moments = securityMilestones.map(({ key }) => {
    const at = observations[key];
    return [key, at === undefined ? null : new Date(at).toISOString()];
  });
  return JSON.stringify({ ...securityResult(observations), ...Object.fromEntries(moments) });
}

/** What speaks against success, one sentence each; empty only when everything was observed and is as promised. */
export function securityFaults(observations: SecurityObservations): readonly string[] {
  const { reproduced, tests, replay, fixSha, mergeSha, check, unexpected, restartFault } = observations;
  const result = securityResult(observations);
  const { low, foundToOffS, shares } = result;
  const promised: readonly (readonly [boolean, string])[] = [
    [low.disabled === false, "The harmless finding has switched the feature off, or that is not known."],
    [low.class === "low" || low.class === "medium", `The harmless finding is ${low.class ?? "not assessed"}; it had to be low or medium.`],
    [result.class === "critical", `The serious finding is ${result.class ?? "not assessed"}; it had to be critical.`],
    [result.unknown.includes("cvss"), "The vector that cannot be read was not unknown."],
    [
      foundToOffS !== null && foundToOffS <= maxOffSeconds,
      `From the finding to off took ${foundToOffS ?? "an unknown number of"} s; at most ${maxOffSeconds} are promised.`,
    ],
    [(result.leaksBefore ?? 0) > 0, "Nothing leaked before the feature was off: the attack was none."],
    [result.leaksAfterOff === 0, `${result.leaksAfterOff ?? "An unknown number of"} texts left after the feature was off.`],
    [result.servedAfterOff === 0, `${result.servedAfterOff ?? "An unknown number of"} requests were served while the feature was off.`],
    [result.followers === `${processes}/${processes}`, `${result.followers ?? "No"} processes are shown to follow the flag.`],
    [result.reproduced, "The attack was not reproduced on what was deployed."],
    [reproduced?.sha !== replay?.sha, "The attack was tried on the same commit before and after the fix."],
    [
      tests?.failed === 0 && tests.passed === deskTests.all,
      `${tests?.passed ?? "An unknown number of"} tests passed and ${tests?.failed ?? "an unknown number"} failed.`,
    ],
    [fixSha !== undefined && tests?.sha === fixSha, "The tests ran on another commit than the fix."],
    [replay?.hits === 0 && replay.tries >= minTries, `${replay?.hits ?? "An unknown number"} of ${replay?.tries ?? 0} tries hit the fix.`],
    [replay?.sha === fixSha, "The attack was tried on another commit than the fix."],
    [(replay?.harmless ?? 0) > 0, "No harmless request was made of the fix."],
    [result.harmlessWorse === 0, `${result.harmlessWorse ?? "An unknown number of"} harmless requests are worse than before.`],
    [result.approvalVoided, "The approval held for a commit that came after it, or that was not tried."],
    [result.deployed === `${processes}/${processes}`, `${result.deployed ?? "No"} processes run what was merged.`],
    [
      shares.length > 1 && shares.every((share, index) => index === 0 || share > (shares[index - 1] ?? 0)),
      `The feature came back with the shares ${shares.join(", ") || "of nothing"}, which do not grow.`,
    ],
    [result.sourceState === "fixed", `A finding is ${result.sourceState ?? "unknown"} at its source, and not fixed.`],
    [result.lostWebhookFound, "The finding whose webhook was lost was not found."],
    [result.effectsRepeated === 0, `${result.effectsRepeated ?? "An unknown number of"} effects happened again.`],
    [check !== undefined, "Nothing was checked from outside."],
    [check?.newProcesses === processes, `${check?.newProcesses ?? "No"} new processes run the merged commit.`],
    [mergeSha !== undefined && check?.tests.sha === mergeSha, "The origin's head is not the merged commit."],
    [result.outcome === "succeeded", `The run ended ${result.outcome ?? "not at all"}.`],
  ];
  return [
    ...securityMilestones.filter(({ key }) => observations[key] === undefined).map(({ label }) => `Not observed: ${label}.`),
    ...promised.flatMap(([isKept, sentence]) => (isKept ? [] : [sentence])),
    ...(check?.differences ?? []).slice(0, 10).map((difference) => `Checked from outside: ${difference}.`),
    ...(unexpected === undefined ? [] : [`An unexpected question: ${unexpected}`]),
    ...(restartFault === undefined ? [] : [restartFault]),
  ];
}
