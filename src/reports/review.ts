import type { Truth } from "../../packages/sdk/src/wire/journal.ts";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { RunSummary } from "../../packages/sdk/src/wire/runs.ts";
import type { Instant } from "../core/clock.ts";
import type { Journal } from "../core/journal.ts";
import type { MoneyFacts } from "./money-windows.ts";
import type { Waterfall } from "./waterfall.ts";

/** The parts of a review. */
export interface ReviewInput {
  readonly summary: RunSummary;
  readonly journal: Journal;
  /** Absent when the pinned bytes are gone or can no longer be read. */
  readonly runbook?: Runbook;
  /** Absent when the run was not about a budget. */
  readonly money?: MoneyFacts;
  /** Where people reach the run, e.g. `https://runbookd.example.com`. */
  readonly publicUrl?: string;
}

/** What became of a step. */
export type StepState = "done" | "failed" | "skipped" | "planned only" | "refused" | "in doubt" | "waiting" | "not reached" | "undone";

/** One thing that happened. */
export interface StoryLine {
  readonly at: Instant;
  readonly text: string;
}

/** A value before and after. */
export interface ChangeLine {
  readonly target: string;
  readonly field: string;
  readonly before: string;
  readonly after: string;
}

/** One row of the ranking of operations; cells as text. */
export interface RankingTable {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** One step with the evidence of what was done. */
export interface StepStory {
  readonly number?: number;
  readonly name: string;
  readonly section?: string;
  /** The step's own prose, Markdown. */
  readonly text: string;
  readonly action?: string;
  readonly state: StepState;
  readonly lines: readonly StoryLine[];
  readonly changes: readonly ChangeLine[];
  readonly results: readonly (readonly [name: string, value: string])[];
  readonly ranking?: RankingTable;
  readonly waterfall?: Waterfall;
}

/** One item of Prerequisites or Verification. */
export interface CheckStory {
  readonly text: string;
  readonly source?: string;
  /** `unchecked`: prose, or not reached. */
  readonly truth: Truth | "unchecked";
  readonly detail: string;
}

/** A tracked metric from start to end; null where it could not be seen. */
export interface MetricStory {
  readonly name: string;
  readonly points: readonly { readonly at: Instant; readonly value: number | null }[];
}

/** A post-incident review as data: the renderers only choose its looks. */
export interface Review {
  readonly title: string;
  readonly outcome: string;
  /** How it ended, one sentence. */
  readonly headline: string;
  /** The summary for a reader who reads nothing else: cause, effect, money, open tasks. */
  readonly inShort: readonly string[];
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly link?: string;
  /** Markdown. */
  readonly scenario?: string;
  readonly symptoms?: string;
  readonly related?: string;
  readonly prerequisites: readonly CheckStory[];
  readonly steps: readonly StepStory[];
  readonly verification: readonly CheckStory[];
  readonly post: readonly StepStory[];
  readonly metrics: readonly MetricStory[];
  /** Sentences with their formulas; empty when no budget was concerned. */
  readonly money: readonly string[];
  /** What nobody did yet; Markdown. */
  readonly remainingTasks: readonly string[];
}
