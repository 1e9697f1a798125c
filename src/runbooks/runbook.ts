import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Mode } from "../../packages/sdk/src/wire/runs.ts";
import type { Matcher } from "../core/matcher.ts";

/** Where something stands in the file as it is; 1-based, columns count characters. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One fault or warning of a document. */
export interface Diagnostic {
  readonly file: string;
  readonly position: Position;
  readonly severity: "error" | "warning";
  /** Stable kebab-case rule name, e.g. `label-outside-step`. */
  readonly rule: string;
  /** What is wrong. */
  readonly message: string;
  /** What would be accepted. */
  readonly accepted: string;
}

/** A CEL expression whose syntax and names were checked at load. */
export interface Expression {
  readonly source: string;
  readonly position: Position;
}

/** An action and its parameters as written; strings may hold `${{ }}`. Proven against the action's schema at load. */
export interface ActionCall {
  readonly name: string;
  readonly parameters: { readonly [key: string]: Json };
  readonly position: Position;
}

/** `[retry N times [every D],] [then] (stop | continue | ask | undo | go to "Step name")`. */
export interface FailurePolicy {
  /** Further attempts after the first. */
  readonly retries: number;
  readonly retryEveryMs: number;
  readonly then: { readonly kind: "stop" | "continue" | "ask" | "undo" } | { readonly kind: "go_to"; readonly step: string };
}

/** An explicit request for a person's permission. */
export interface ApprovalRule {
  readonly role: "operator" | "approver";
  readonly of: number;
  readonly withinMs: number;
  readonly unless?: Expression;
}

/** One numbered item of the Procedure. Without an action it is a manual step. */
export interface Step {
  /** Slug of the name. */
  readonly id: string;
  readonly name: string;
  readonly number: number;
  /** The third-level heading it stands under, when there is one. */
  readonly section?: string;
  /** The item's prose, as Markdown. */
  readonly text: string;
  readonly position: Position;
  readonly action?: ActionCall;
  readonly when?: Expression;
  readonly expected?: { readonly expression: Expression; readonly withinMs?: number };
  /** Prose of Expected beside a manual step. */
  readonly expectedText?: string;
  readonly onFailure: FailurePolicy;
  readonly undo?: ActionCall;
  readonly approval?: ApprovalRule;
  readonly timeoutMs?: number;
}

/** A Prerequisite, or an item of Verification: prose, or prose with one check. */
export interface CheckItem {
  readonly text: string;
  readonly position: Position;
  readonly check?:
    | { readonly kind: "expression"; readonly expression: Expression; readonly withinMs?: number }
    | { readonly kind: "promql"; readonly query: string; readonly withinMs?: number }
    | { readonly kind: "action"; readonly call: ActionCall; readonly expected: Expression; readonly withinMs?: number };
}

/** An item of Post-Action: an action that runs when the run has ended, or prose left for people. */
export interface PostItem {
  readonly text: string;
  readonly position: Position;
  readonly action?: ActionCall;
}

/** A typed input. */
export interface ParamSpec {
  readonly type: "string" | "number" | "integer" | "boolean" | "duration";
  /** `alert.labels.x` or `alert.annotations.x`: where an alert start takes it from. */
  readonly from?: string;
  readonly default?: Json;
  readonly enum?: readonly Json[];
  readonly description?: string;
}

/** One trigger: the alert name and matchers of its labels. */
export interface Trigger {
  readonly source: string;
  readonly matchers: readonly Matcher[];
  readonly position: Position;
}

/** A document for people and a program for the machine, after every check. Immutable. */
export interface Runbook {
  /** File name without `.md`. */
  readonly id: string;
  readonly title: string;
  readonly file: string;
  /** SHA-256 of the bytes. */
  readonly sha256: string;
  readonly source: string;
  readonly triggers: readonly Trigger[];
  /** With templates over `alert` and `params`, e.g. `budget/${{ params.budget }}`. */
  readonly target?: string;
  readonly params: { readonly [name: string]: ParamSpec };
  readonly mode: Mode;
  readonly cooldownMs: number;
  /** Of running time; suspension does not count. */
  readonly timeoutMs: number;
  readonly onResolved: "finish" | "undo";
  /** Metric name → PromQL with templates. */
  readonly track: { readonly [name: string]: string };
  readonly limits: { readonly [name: string]: number };
  readonly owner?: string;
  readonly tags: readonly string[];
  /** Markdown of the prose sections by canonical heading: Scenario, Symptoms, Related … */
  readonly prose: { readonly [heading: string]: string };
  readonly prerequisites: readonly CheckItem[];
  readonly steps: readonly Step[];
  readonly verification: readonly CheckItem[];
  readonly postAction: readonly PostItem[];
}
