import type { CacheReply } from "../analysis/cache-types.ts";
import type { VersionMeasure } from "../analysis/compare-versions.ts";
import type { Labels } from "../core/alert.ts";
import type { Instant } from "../core/clock.ts";
import type { Failure } from "../core/failure.ts";
import type { NotificationTarget } from "../core/notification.ts";
import type { Outbox } from "../core/outbox.ts";
import type { BatchControl } from "../workload/batch-control.ts";
import type { BudgetControl } from "../workload/budget.ts";
import type { CanaryStore } from "../workload/canary.ts";
import type { CheckpointRepository } from "../workload/checkpoint.ts";
import type { SampleGroup } from "../workload/prefix-samples.ts";
import type { PromptStore } from "../workload/prompt.ts";
import type { TicketDoorbell, TicketRecovery, TicketStore } from "../workload/ticket.ts";
import type { CommandTemplate } from "./command-template.ts";
import type { CostExplanation, CostQuestion } from "./explain-cost.ts";

/** One sample of an instant query. The value may be NaN or infinite, as Prometheus gave it. */
export interface PrometheusSample {
  readonly labels: Labels;
  readonly value: number;
  readonly at: Instant;
}

/** An empty list of samples is an answer; `unavailable` means that nobody could see. */
export type PrometheusAnswer =
  | { readonly kind: "samples"; readonly samples: readonly PrometheusSample[]; readonly warnings: readonly string[] }
  | { readonly kind: "unavailable"; readonly reason: string };

/** Reads Prometheus. Never rejects for what Prometheus says or does not say. */
export interface PrometheusReader {
  query(promql: string, options: { readonly at?: Instant; readonly signal: AbortSignal }): Promise<PrometheusAnswer>;
}

/** One request to a listed origin. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** `answered` is any complete answer, whatever its status. */
export type HttpAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** From Retry-After, at most 60 s; absent when there is none or it is nonsense. */
      readonly retryAfterMs?: number;
    }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Sends requests to the origins that the configuration lists, and to no other. */
export interface HttpPort {
  /** Why this URL may not be asked, or undefined when it may. */
  refusal(url: string): string | undefined;
  request(request: HttpRequest): Promise<HttpAnswer>;
}

/** The address book: groups are configured, and nothing from an alert can name an address. */
export interface Recipients {
  /** Addresses of a group, or undefined when there is none of that name. */
  addresses(group: string): readonly string[] | undefined;
  /** Ids of what is told beside the addresses; empty when there is none. */
  targets(group: string): readonly string[];
  /** A target with its secrets, for the moment of sending. */
  target(group: string, id: string): NotificationTarget | undefined;
  readonly defaultGroup: string;
  /** Domain of the sender's address; the right side of every Message-ID. */
  readonly domain: string;
}

/** A command to start. `cookie` marks every process that comes from it, so that none is forgotten. */
export interface CommandStart {
  /** Begins with an absolute path. */
  readonly argv: readonly string[];
  /** Exactly this and the cookie. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly cookie: string;
  /** Aborted at the time limit, by a stop, or when the run belongs to somebody else: the command is killed then. */
  readonly signal: AbortSignal;
}

/** One output stream: its beginning without secrets, and what identifies all of it. */
export interface CommandStream {
  readonly text: string;
  readonly truncated: boolean;
  readonly bytes: number;
  readonly sha256: string;
}

/** How a command ended. `left`: processes of it were still there and had to be killed. */
export type CommandOutcome =
  | { readonly kind: "not_started"; readonly reason: string }
  | {
      readonly kind: "exited";
      readonly code: number;
      readonly left: boolean;
      readonly stdout: CommandStream;
      readonly stderr: CommandStream;
    }
  | {
      readonly kind: "killed";
      readonly why: "timeout" | "stopped" | "signal";
      readonly signal: string;
      readonly stdout: CommandStream;
      readonly stderr: CommandStream;
    };

/** Runs registered commands. Never rejects for what a command does. */
export interface CommandRunner {
  template(name: string): CommandTemplate | undefined;
  /** The real place of a relative path, when it exists and is below the real place of `root`. */
  placeBelow(root: string, path: string): Promise<string | undefined>;
  /** Resolves only after every process of the command is gone. */
  run(command: CommandStart): Promise<CommandOutcome>;
}

/** What is known about the caching of prompts. */
export interface CacheSight {
  /** The newest analysis of every prompt on every model that has samples. */
  list(): Promise<readonly (SampleGroup & { readonly reply: CacheReply })[]>;
  /** A fresh analysis of all samples, or what is missing for one. */
  analyse(group: SampleGroup, signal: AbortSignal): Promise<CacheReply>;
  /** What each version did since `from` (UTC ms); the first `coldMs` of a version do not count. */
  measure(group: SampleGroup, window: { readonly from: Instant; readonly coldMs: number }): Promise<readonly VersionMeasure[]>;
}

/** One ticket's work with one version of a prompt. */
export interface EvaluatedSide {
  /** 0 to 1; 1 for an accepted answer. */
  readonly quality: number;
  readonly costMicroUsd: number;
}

/** The same ticket with both versions. */
export interface EvaluatedPair {
  readonly ticketId: string;
  readonly baseline: EvaluatedSide;
  readonly candidate: EvaluatedSide;
}

/** How an evaluation stands. */
export type EvaluationState =
  | { readonly kind: "running"; readonly done: number; readonly of: number }
  | { readonly kind: "done"; readonly pairs: readonly EvaluatedPair[] }
  | { readonly kind: "failed"; readonly reason: string };

/** Lets the application work on the same tickets with two versions, without publishing anything. Rejects with StepFailure. */
export interface PromptEvaluator {
  /** The same key is the same evaluation. */
  start(
    wanted: { readonly prompt: string; readonly baseline: number; readonly candidate: number; readonly tickets: number },
    key: string,
    signal: AbortSignal,
  ): Promise<{ readonly id: string }>;
  read(id: string, signal: AbortSignal): Promise<EvaluationState>;
}

/** Tickets that something went wrong with, and the work that they left. */
export interface TicketCare {
  readonly store: TicketRecovery & Pick<TicketStore, "list">;
  /** Absent while nobody said where the work of tickets is. */
  readonly checkpoints: CheckpointRepository | undefined;
  readonly doorbell: TicketDoorbell;
}

/** Says what changed in cost between two windows. */
export interface CostSight {
  explain(question: CostQuestion): Promise<CostExplanation>;
}

/** Everything that actions may touch. */
export interface ActionPorts {
  readonly budgets: BudgetControl;
  readonly costs: CostSight;
  readonly batches: BatchControl;
  readonly prometheus: PrometheusReader;
  readonly http: HttpPort;
  readonly outbox: Pick<Outbox, "put" | "find">;
  readonly recipients: Recipients;
  readonly commands: CommandRunner;
  readonly prompts: PromptStore;
  readonly canaries: CanaryStore;
  readonly cache: CacheSight;
  /** Absent while no evaluator is configured. */
  readonly evaluator: PromptEvaluator | undefined;
  readonly tickets: TicketCare;
}
