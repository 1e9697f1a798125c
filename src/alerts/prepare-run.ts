import type { Alert } from "../../packages/sdk/src/wire/alerts.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { ActionCall, Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { Mode, RunRequest } from "../../packages/sdk/src/wire/runs.ts";
import { isTestAlert } from "../core/alert.ts";
import { canonicalTarget } from "../core/canonical-target.ts";
import type { Instant } from "../core/clock.ts";
import { sha256 } from "../core/json.ts";
import { shortLine } from "../core/one-line.ts";
import type { Verdict } from "../core/verdict.ts";
import { resolveTemplates } from "../runbooks/expressions/expression.ts";
import { paramsFromAlert, paramsFromPerson, type RunParams } from "./run-params.ts";
import type { AcceptWrite } from "./store.ts";

/** A run that would be started. */
export interface RunCandidate {
  readonly runbookId: string;
  readonly fingerprint: string;
  readonly target?: string;
  readonly mode: Mode;
  readonly cooldownMs: number;
  /** The actions of its steps as written. */
  readonly actions: readonly Pick<ActionCall, "name" | "parameters">[];
  /** The runbook's own limits. */
  readonly limits: { readonly [limit: string]: number };
}

/** What is known when a run would be started. */
export interface RunFacts {
  /** Episodes of this fingerprint in the last 24 h, this one included; 0 for a start by hand. */
  readonly episodesInDay: number;
}

/** The guardrails of a run as a whole. `ask` starts the run in a mode in which every change asks a person. */
export type RunGuards = (candidate: RunCandidate, facts: RunFacts, now: Instant) => Verdict;

/** What the first journal entry says and the target's lock needs. */
export type PreparedRequest = { readonly ok: true; readonly request: RunRequest } | { readonly ok: false; readonly reason: string };

/** The request of a run that an alert starts; that of a marked test alert only observes. Not ok: a parameter or the target lacks something that the alert should carry. */
export function requestFromAlert(runbook: Runbook, alert: Alert, source: "webhook" | "poll"): PreparedRequest {
  const mode = isTestAlert(alert.labels) ? "observe" : runbook.mode;
  return prepare(runbook, paramsFromAlert(runbook.params, alert), { mode, source, alert });
}

/** The request of a run that a person starts; `mode` may only be as careful as the runbook's or more. */
export function requestFromPerson(
  runbook: Runbook,
  given: { readonly params: { readonly [name: string]: Json }; readonly mode?: Mode; readonly requester: string },
): PreparedRequest {
  const params = paramsFromPerson(runbook.params, given.params);
  const mode = moreCareful(runbook.mode, given.mode ?? runbook.mode);
  return prepare(runbook, params, { mode, source: "manual", requester: given.requester });
}

/** The request of an earlier run for the document as it is now. Not ok: the document no longer takes its parameters, or the target cannot be resolved. */
export function requestFromEarlier(runbook: Runbook, earlier: RunRequest, requester: string): PreparedRequest {
  const { alert } = earlier;
  const params = alert === undefined ? paramsFromPerson(runbook.params, earlier.params) : paramsFromAlert(runbook.params, alert);
  const mode = moreCareful(earlier.mode, runbook.mode);
  return prepare(runbook, params, { mode, source: "rerun", ...(alert !== undefined && { alert }), requester });
}

/** Hash of (runbook, target): at most one run of it is open. */
export function openKeyOf(runbookId: string, target: string | undefined): string {
  return sha256(JSON.stringify([runbookId, target === undefined ? null : canonicalTarget(target)]));
}

/** A run to start. */
export interface RunProposal {
  readonly id: string;
  readonly request: RunRequest;
  /** Taken together with the accept. */
  readonly claims: NonNullable<AcceptWrite["run"]>["claims"];
  readonly now: Instant;
}

/** The part of an accept that starts a run. */
export function proposeRun({ id, request, claims, now }: RunProposal): NonNullable<AcceptWrite["run"]> {
  const alertName = request.alert?.labels["alertname"];
  return {
    id,
    summary: {
      id,
      runbookId: request.runbookId,
      runbookSha: request.runbookSha,
      mode: request.mode,
      state: "queued",
      ...(request.target === undefined ? {} : { target: request.target }),
      ...(alertName === undefined ? {} : { alertName: shortLine(alertName, 256) }),
      source: request.source,
      acceptedAt: now,
    },
    accepted: { kind: "accepted", at: now, runId: id, request },
    openKey: openKeyOf(request.runbookId, lockedTarget(request)),
    claims,
  };
}

/** No alert in earnest joins the run of a test alert, which would only observe. A target has no blanks, so that the name is free. */
function lockedTarget({ alert, target }: RunRequest): string | undefined {
  return alert !== undefined && isTestAlert(alert.labels) ? `test of ${target ?? ""}` : target;
}

const caution: readonly Mode[] = ["auto", "approve", "observe"];

/** Of two modes the one that does less by itself. */
export function moreCareful(a: Mode, b: Mode): Mode {
  return caution.indexOf(a) >= caution.indexOf(b) ? a : b;
}

function prepare(
  runbook: Runbook,
  params: RunParams,
  { mode, ...origin }: Pick<RunRequest, "mode" | "source" | "alert" | "requester">,
): PreparedRequest {
  if (!params.ok) return { ok: false, reason: `${params.issues.join("; ")}.` };
  const target = resolveTarget(runbook, params.params, origin.alert);
  if (!target.ok) return target;
  const request: RunRequest = {
    runbookId: runbook.id,
    runbookSha: runbook.sha256,
    mode,
    ...(target.target === undefined ? {} : { target: target.target }),
    params: params.params,
    ...origin,
  };
  return { ok: true, request };
}

const maxTarget = 256;

function resolveTarget(
  runbook: Runbook,
  params: { readonly [name: string]: Json },
  alert: Alert | undefined,
): { readonly ok: true; readonly target: string | undefined } | { readonly ok: false; readonly reason: string } {
  if (runbook.target === undefined) return { ok: true, target: undefined };
  const resolved = resolveTemplates(runbook.target, alert === undefined ? { params } : { params, alert });
  if (!resolved.ok) return { ok: false, reason: `target ${runbook.target}: ${resolved.what}.` };
  if (typeof resolved.value === "string" && isExplicit(resolved.value)) return { ok: true, target: resolved.value };
  return { ok: false, reason: `target ${runbook.target} is no explicit name: every part must be text without blanks, * and ?.` };
}

/** A target is one name: an empty part, a wildcard or a blank would stand for more than one. */
function isExplicit(target: string): boolean {
  return target.length <= maxTarget && target.split("/").every((part) => part !== "" && !/[\s*?\p{Cc}]/u.test(part));
}
