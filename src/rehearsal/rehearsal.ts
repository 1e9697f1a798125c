import type { Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { CacheBlock } from "../../packages/sdk/src/wire/caches.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { ModelFeature, ModelLifecycle } from "../../packages/sdk/src/wire/models.ts";
import type { ModelRef } from "../../packages/sdk/src/wire/routing.ts";
import type { Mode, Outcome } from "../../packages/sdk/src/wire/runs.ts";
import type { SecurityFinding } from "../../packages/sdk/src/wire/security-findings.ts";
import type { Feature, KeyReference } from "../core/feature.ts";
import type { TicketPhase } from "../llm/tickets/ticket-phase.ts";

/** What the simulated target does when a step acts on it. `status` is an HTTP status where one was written. */
export interface FaultOutcome {
  /**
   * `ok`: it works. `refused`, `overloaded`: it says no, nothing is applied. `unknown`: it is applied and the answer is lost.
   * `timeout`: it is not applied and nobody answers.
   */
  readonly kind: "ok" | "refused" | "overloaded" | "unknown" | "timeout";
  readonly status?: number;
}

/** How a step is named: its number in the Procedure, or its id. */
export type StepName = string;

/** One thing that goes differently. */
export type Fault =
  | { readonly kind: "step"; readonly step: StepName; readonly outcomes: readonly FaultOutcome[] }
  /** The worker dies: before the effect is sent, or when it is done and nothing of it is written yet. */
  | { readonly kind: "crash"; readonly when: "before" | "after"; readonly step: StepName }
  | { readonly kind: "approval"; readonly answer: "approve" | "reject" }
  /** Answers to the questions of a step, in order; `nobody` lets a question's time run out. */
  | { readonly kind: "answer"; readonly step: StepName; readonly answers: readonly string[] }
  | { readonly kind: "resolve"; readonly afterStep: StepName }
  | { readonly kind: "resolve"; readonly atMs: number };

/** A number from an instant on (milliseconds after the alert), no series at all, a Prometheus that cannot be reached, or one whose answer is incomplete. */
export interface MetricPoint {
  readonly fromMs: number;
  readonly value: number | "none" | "down" | "partial";
}

/** Spend in the past, for what ranks operations. */
export interface SimulatedSpend {
  readonly agoMs: number;
  readonly prompt: string;
  readonly operation: string;
  readonly provider: string;
  readonly model: string;
  readonly costUsd: number;
  readonly requests: number;
  readonly tickets: number;
  readonly attempts: number;
}

/** One budget of the simulated workload as it stands when the alert arrives. */
export interface SimulatedBudget {
  readonly id: string;
  readonly limitUsd: number;
  readonly spentUsd: number;
  /** Tickets in flight at once, as long as nobody limits them. */
  readonly running: number;
  readonly queued: number;
  /** Time between two turn boundaries of a ticket. */
  readonly turnMs: number;
  readonly closedBy?: string;
  readonly limits: {
    readonly concurrency: number | null;
    readonly ratePerMinute: number | null;
    readonly perTicketCapUsd: number | null;
    readonly maxAttempts: number | null;
  };
  readonly spend: readonly SimulatedSpend[];
}

/** One prompt of the simulated workload: what is known of its caching, and what a better layout will really do. Ratios are 0 to 1. */
export interface SimulatedPrompt {
  readonly name: string;
  readonly provider: string;
  readonly model: string;
  readonly hit: number;
  readonly achievable: number;
  readonly predictedHit: number;
  readonly lostUsdPerDay: number;
  /** Why nothing may be changed without a person. */
  readonly blocked?: CacheBlock;
  /** Size of a ticket's text, which moves behind the guide; a large one is much of the prompt. */
  readonly ticketTokens: number;
  readonly ticketsPerMinute: number;
  /** What the new version reads as a canary, and once everybody has it. */
  readonly canaryHit: number;
  readonly promotedHit: number;
  /** Cost per request, new to old. */
  readonly costRatio: number;
  /** Tickets of an evaluation that the new version spoils. */
  readonly worseAnswers: number;
  /** Share of its tickets that succeed, with the old and with the new version. */
  readonly quality: number;
  readonly canaryQuality: number;
}

/** A number, or numbers from instants on (milliseconds after the alert), earliest first. */
export type Course = number | readonly { readonly fromMs: number; readonly value: number }[];

/** A candidate that a route has when the alert arrives. */
export interface SimulatedTrial {
  readonly model: ModelRef;
  /** Share of new tickets that it gets. */
  readonly share: number;
  /** State of the rollout that set the share; `none`: a person set it without a rollout. */
  readonly rollout: "running" | "holding" | "none";
  /** Whether the application reports the usage of its tickets. */
  readonly reported: boolean;
  /** Tickets that still begin with a candidate that was taken back, where no rollout counts them. */
  readonly newTickets: number;
}

/** One model that the simulated providers have. */
export interface SimulatedModel {
  readonly provider: string;
  readonly model: string;
  readonly lifecycle: ModelLifecycle;
  /** How long after the alert it is retired. */
  readonly retiresInMs?: number;
  readonly contextTokens: number;
  readonly features: readonly ModelFeature[];
  readonly priced: boolean;
  /** What its provider recommends in its place. */
  readonly replacement?: ModelRef;
}

/** One route of the simulated workload, and what an evaluation of any candidate on its past tickets comes to. */
export interface SimulatedRoute {
  readonly id: string;
  readonly baseline: ModelRef;
  readonly features: readonly ModelFeature[];
  /** Requests that are known, and the tokens of the largest. */
  readonly requests: number;
  readonly largestTokens: number;
  /** Past tickets, and what one of them has cost. */
  readonly tickets: number;
  readonly costUsd: number;
  /** Tickets of an evaluation that the candidate spoils, the first ones, and that the present model spoils, the last ones. */
  readonly worseAnswers: number;
  readonly badAnswers: number;
  /** Cost of a ticket, candidate to present model. */
  readonly costRatio: number;
  /** Tickets that begin per minute, and the share of them that succeeds with the old model and with a candidate. */
  readonly ticketsPerMinute: Course;
  readonly quality: Course;
  readonly candidateQuality: Course;
  /** Shares of the candidate's tickets that are never seen, and that never end. */
  readonly candidateLost: number;
  readonly candidateHangs: number;
  readonly trial?: SimulatedTrial;
  /** Processes that follow the route, and how many of them hold an old version. */
  readonly followers: number;
  readonly staleFollowers: number;
}

/** One batch of the simulated workload as it stands when the alert arrives, or the run begins. */
export interface SimulatedBatch {
  readonly id: string;
  readonly budget: string;
  readonly queue: string;
  readonly draft: boolean;
  readonly tickets: number;
  readonly ended: number;
  readonly kind: string;
  /** Tickets that end per minute while nothing stops them. */
  readonly perMinute: number;
  readonly costUsd: number;
  readonly p90Usd: number;
  /** How many end unsuccessfully, by reason; spread evenly. */
  readonly failures: Readonly<Record<string, number>>;
}

/** One ticket that is code work, as it stands when the alert comes. */
export interface SimulatedTicket {
  readonly id: string;
  readonly queue: string;
  readonly budget: string;
  readonly state: "running" | "waiting" | "dead";
  readonly reason: string;
  /** Where it stopped. */
  readonly stage: string;
  readonly attempt: number;
  readonly failures: readonly string[];
  /** Stages with a checkpoint, in order; those in `green` passed the tests, and the numbers in `broken` cannot be read. */
  readonly done: readonly TicketPhase[];
  readonly green: readonly string[];
  readonly broken: readonly number[];
  /** There is unfinished work in its workspace. */
  readonly work: boolean;
  readonly conflicts: readonly string[];
  readonly published: "no" | "yes" | "moved" | "merged";
  /** It finishes its next stage once it is given back. */
  readonly goesOn: boolean;
  /** How long after the alert its holder shows a sign of life. */
  readonly backAfterMs?: number;
}

/** A key of a feature at its provider or gateway. */
export interface SimulatedKey {
  readonly system: KeyReference["system"];
  readonly id: string;
  /** How often a gateway's cache writes it back, a minute after it was disabled. */
  readonly undone: number;
  /** Requests with it are served although it is disabled. */
  readonly served: boolean;
}

/** The fix of a feature, how its tests end, and how far a release of it comes into service. */
export interface SimulatedRelease {
  /** Branches that may be the fix. */
  readonly fixes: number;
  /** The first of them gets another commit when it is to be merged. */
  readonly moves: boolean;
  /** The base branch has a commit that the fix lacks, and it gets one when the fix is to be merged. */
  readonly behind: boolean;
  readonly baseMoves: boolean;
  readonly tests: {
    readonly fix: { readonly passed: number; readonly failed: number; readonly skipped: number };
    readonly base: { readonly passed: number; readonly failed: number };
    /** The runner tests another commit than it was asked for. */
    readonly otherCommit: boolean;
  };
  /** Processes of the application, and how many of them come up with a new release. */
  readonly processes: number;
  readonly up: number;
  /** A deployment starts new processes. */
  readonly restarts: boolean;
  /** Processes of a new release stay up; else each look sees other ones. */
  readonly steady: boolean;
  /** The release before comes up again. */
  readonly putBack: boolean;
}

/** One feature that can be switched off, as it is when the alert arrives. */
export interface SimulatedFeature {
  readonly name: string;
  readonly flags: readonly string[];
  readonly budgets: readonly string[];
  readonly keys: readonly SimulatedKey[];
  readonly exposure?: NonNullable<Feature["exposure"]>;
  readonly data?: NonNullable<Feature["data"]>;
  /** Processes that read its flags, and how many of them ignore a change. */
  readonly followers: number;
  readonly staleFollowers: number;
  /** What becomes of a trial request once every flag is off; `none`: the feature has no probe. */
  readonly probe: "refused" | "served" | "none";
  /** Requests that applications serve within 30 s although it is off. */
  readonly requests: number;
  /** Its corpus of attacks; absent: it has none. */
  readonly attacks?: SimulatedCorpus | "unreadable";
  readonly release: SimulatedRelease;
  /** Tickets that begin per minute, and the shares of them that succeed with the feature and without it. */
  readonly ticketsPerMinute: Course;
  readonly quality: Course;
  readonly qualityWithout: Course;
}

/** The recorded attacks of a feature, and what versions do with them. Shares are 0 to 1. */
export interface SimulatedCorpus {
  /** Attacks, and harmless requests. */
  readonly recorded: number;
  readonly harmless: number;
  /** Shares of tries that work on what is deployed, and on a fix. */
  readonly hits: number;
  readonly fixHits: number;
  /** Shares of harmless requests that are answered. */
  readonly answers: number;
  readonly fixAnswers: number;
  /** Share of tries that come to nothing. */
  readonly failed: number;
  /** Another corpus takes its place once it was replayed. */
  readonly changes: boolean;
}

/** One report of a finding, in the order in which reports arrive. */
export interface SimulatedFinding {
  readonly ref: string;
  readonly source: string;
  readonly feature: string;
  readonly kind: SecurityFinding["kind"];
  readonly state: SecurityFinding["state"];
  readonly title: string;
  /** How long before the alert its source changed it; of a report that comes with the alert. */
  readonly agoMs: number;
  /** How long after the alert it is reported. */
  readonly afterMs: number;
  readonly weakness: SecurityFinding["weakness"];
  readonly facts: SecurityFinding["facts"];
  readonly secret?: NonNullable<SecurityFinding["secret"]>;
}

/** How a step ended. */
export type StepEnd = "completed" | "skipped" | "failed" | "waiting" | "not_reached";

/** What must come of it; what is not named is not looked at. Lists are complete and in order. */
export interface Expectation {
  readonly outcome: Outcome | "waiting";
  /** Part of the sentence that says why the run ended. */
  readonly reason?: string;
  readonly steps: Readonly<Record<StepName, StepEnd>>;
  readonly effects?: readonly string[];
  readonly mails?: readonly string[];
  /** `step: kind` of every question that was asked. */
  readonly questions?: readonly string[];
}

/** Series on which an alerting rule is to fire; the rule words the alert. */
export interface RehearsedRule {
  readonly alertname: string;
  /** Which alert is meant, when several fire. */
  readonly labels: Labels;
  /** How long after the first sample. */
  readonly atMs: number;
  readonly intervalMs: number;
  /** In promtool's notation. */
  readonly series: readonly { readonly series: string; readonly values: string }[];
}

/** One rehearsal of one runbook. */
export interface Rehearsal {
  readonly file: string;
  readonly name: string;
  /** Where the alert comes from when the rehearsal does not name it; the rule is evaluated before the rehearsal. */
  readonly rule?: RehearsedRule;
  /** Absent: a person starts the run with `params`, or the rule was not evaluated yet. */
  readonly alert?: { readonly labels: Labels; readonly annotations: Labels };
  readonly params: { readonly [name: string]: Json };
  /** More careful than the document's own. */
  readonly mode?: Mode;
  readonly budgets: readonly SimulatedBudget[];
  readonly prompts: readonly SimulatedPrompt[];
  readonly models: readonly SimulatedModel[];
  readonly routes: readonly SimulatedRoute[];
  /** Without one a person is asked. */
  readonly evaluator: boolean;
  readonly batches: readonly SimulatedBatch[];
  readonly tickets: readonly SimulatedTicket[];
  readonly features: readonly SimulatedFeature[];
  readonly findings: readonly SimulatedFinding[] | "unreadable";
  /** Whether each source of findings can be read. */
  readonly sources: { readonly [source: string]: "up" | "down" };
  /** By query, white space made one blank. */
  readonly metrics: Readonly<Record<string, readonly MetricPoint[]>>;
  readonly faults: readonly Fault[];
  readonly expect: Expectation;
}
