import type { ModelRef } from "../../../packages/sdk/src/wire/routing.ts";
import type { MicroUsd } from "../../core/money.ts";

/** What two variants are compared: versions of a prompt, or models of a route. */
export type EvaluationSubject =
  | { readonly kind: "prompt"; readonly prompt: string; readonly from: number; readonly to: number }
  | { readonly kind: "model"; readonly route: string; readonly from: ModelRef; readonly to: ModelRef };

/** One ticket's work with one variant. */
export interface EvaluatedSide {
  /** 0 to 1; 1 for an accepted answer, 0 for work that failed. */
  readonly quality: number;
  /** Of all attempts. */
  readonly costMicroUsd: MicroUsd;
  /** The part of the cost that only a cold cache has caused. */
  readonly coldCostMicroUsd?: MicroUsd;
  readonly latencyMs?: number;
  /** The model refused to work on it. */
  readonly refused?: boolean;
  /** It came to no answer. */
  readonly failed?: boolean;
}

/** The same ticket with both variants. */
export interface EvaluatedPair {
  readonly ticketId: string;
  readonly baseline: EvaluatedSide;
  readonly candidate: EvaluatedSide;
}

/** What is to be evaluated. */
export interface EvaluationRequest {
  readonly subject: EvaluationSubject;
  /** How many tickets; with `ticketIds` it is their number. */
  readonly tickets: number;
  /** Which tickets; absent: the evaluator picks its own. */
  readonly ticketIds?: readonly string[];
  /** It must stop before it has cost more. */
  readonly maxMicroUsd?: MicroUsd;
}

/** How an evaluation is going. `costMicroUsd` is what it has cost so far; absent when the evaluator does not tell. `stopped`: by a limit, before its end. */
export type EvaluationState =
  | { readonly kind: "running"; readonly done: number; readonly of: number; readonly costMicroUsd?: MicroUsd }
  | { readonly kind: "done" | "stopped"; readonly pairs: readonly EvaluatedPair[]; readonly costMicroUsd?: MicroUsd }
  | { readonly kind: "failed"; readonly reason: string };

/** Works on the same tickets with two variants, without publishing anything. Every member rejects with StepFailure. */
export interface Evaluator {
  /** The same key is the same evaluation. */
  start(request: EvaluationRequest, key: string, signal: AbortSignal): Promise<{ readonly id: string }>;
  read(id: string, signal: AbortSignal): Promise<EvaluationState>;
  /** Ends one that runs; one that has ended stays as it is. */
  stop(id: string, signal: AbortSignal): Promise<void>;
}
