import type { Decision, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { isTestAlert } from "../core/alert.ts";
import { type Clock, type Instant, yieldToEventLoop } from "../core/clock.ts";
import type { EventSink } from "../core/event.ts";
import { shortLine } from "../core/one-line.ts";
import { StoreUnavailable } from "../core/store-unavailable.ts";
import type { Ids } from "../core/ulid.ts";
import type { WakeQueue } from "../core/wake-queue.ts";
import type { RunbookBytes } from "../runbooks/runbook-bytes.ts";
import type { AlertEvent, AlertSource } from "./alert-event.ts";
import { decideEpisode, type EpisodeStep } from "./decide-episode.ts";
import { type Notification, newestPerFingerprint, type ReceivedAlert } from "./notification.ts";
import { moreCareful, proposeRun, type RunGuards, requestFromAlert } from "./prepare-run.ts";
import type { AcceptResult, AcceptStore, AcceptWrite } from "./store.ts";

/** The running set of runbooks, as intake needs it. */
export interface RunbookMatcher {
  match(labels: Labels): Runbook | undefined;
}

/** What intake is made of. */
export interface IntakeDeps {
  readonly store: AcceptStore;
  readonly bytes: RunbookBytes;
  readonly wakeQueue: WakeQueue;
  readonly library: RunbookMatcher;
  readonly guards: RunGuards;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly publish: EventSink<AlertEvent>;
}

/** Notification in, one decision per alert out. */
export interface Intake {
  /** Resolves when every decision is durable; rejects with `StoreUnavailable`, after which the same notification may be sent again. */
  accept(notification: Notification, source?: AlertSource): Promise<readonly Decision[]>;
}

/** Writes of one call to the store, so that a huge notification lets others in between. */
const writesAtOnce = 250;

const maxConflictRetries = 8;

/** Reads episodes, decides each alert by pure functions, and makes the decisions true with one atomic write each. */
export function createIntake(deps: IntakeDeps): Intake {
  return {
    async accept(notification, source = "webhook") {
      const alerts = newestPerFingerprint(notification.alerts);
      const decisions = new Map<string, Decision>();
      let matched: Matched[] = [];
      for (const [index, received] of alerts.entries()) {
        // A long list lets others have their turn.
        if (index % 500 === 499) await yieldToEventLoop();
        const runbook = deps.library.match(received.alert.labels);
        if (runbook === undefined) decisions.set(received.alert.fingerprint, unmatched(received));
        else matched.push({ received, runbook });
      }
      for (let round = 0; matched.length > 0; round += 1) {
        if (round === maxConflictRetries)
          throw new StoreUnavailable(new Error(`${matched.length} episodes kept changing while they were decided.`));
        const again: Matched[] = [];
        for (let from = 0; from < matched.length; from += writesAtOnce) {
          again.push(...(await acceptSome(deps, matched.slice(from, from + writesAtOnce), { source, decisions })));
        }
        matched = again;
      }
      const unreadable = notification.unreadable.map((one): Decision => ({ ...one, decision: "unreadable" }));
      const answers = [...alerts.flatMap(({ alert }) => decisions.get(alert.fingerprint) ?? []), ...unreadable];
      for (const decision of answers) deps.publish({ kind: "alert_decided", decision, source });
      return answers;
    },
  };
}

interface Matched {
  readonly received: ReceivedAlert;
  readonly runbook: Runbook;
}

/** An alert whose decision needs a write. */
interface Pending extends Matched {
  readonly write: AcceptWrite;
}

/** Fills in decisions; answers those that must be decided again. */
async function acceptSome(
  deps: IntakeDeps,
  matched: readonly Matched[],
  { source, decisions }: { readonly source: AlertSource; readonly decisions: Map<string, Decision> },
): Promise<Matched[]> {
  const stored = await deps.store.read(
    matched.map(({ received, runbook }) => ({ runbookId: runbook.id, fingerprint: received.alert.fingerprint })),
  );
  const now = deps.clock.now();
  const pending: Pending[] = [];
  for (const [index, item] of matched.entries()) {
    const { version = 0, episode } = stored[index] ?? {};
    const step = decideEpisode(item.received, episode, { runbookId: item.runbook.id, now });
    const plan = planStep(deps, item, { step, source, now });
    if (plan.write === undefined) decisions.set(item.received.alert.fingerprint, plan.decision);
    else pending.push({ ...item, write: { ...plan.write, expectedVersion: version } });
  }
  await putRunbooks(deps.bytes, pending);
  const results = pending.length === 0 ? [] : await deps.store.accept(pending.map(({ write }) => write));
  const again: Matched[] = [];
  for (const [index, item] of pending.entries()) {
    const result = results[index];
    if (result === undefined) throw new StoreUnavailable(new Error("The store left a write unanswered."));
    if (result.kind === "conflict") again.push(item);
    else decisions.set(item.received.alert.fingerprint, decisionOf(item, result));
    wakeRun(deps.wakeQueue, item.write, result);
  }
  return again;
}

type Planned = { readonly write?: undefined; readonly decision: Decision } | { readonly write: Omit<AcceptWrite, "expectedVersion"> };

interface DecidedEpisode {
  readonly step: EpisodeStep;
  readonly source: AlertSource;
  readonly now: Instant;
}

function planStep(deps: IntakeDeps, { received, runbook }: Matched, { step, source, now }: DecidedEpisode): Planned {
  const { fingerprint } = received.alert;
  const about = { fingerprint, runbook: runbook.id };
  const key = { runbookId: runbook.id, fingerprint };
  switch (step.kind) {
    case "stale":
      return { decision: { ...about, decision: "stale", reason: step.reason } };
    case "join":
      if (!step.write) return { decision: { ...about, decision: "joined", runId: step.runId } };
      return { write: { ...key, episode: step.episode } };
    case "resolve": {
      if (!step.write)
        return { decision: { ...about, decision: "resolved", ...(step.detail === undefined ? {} : { reason: step.detail }) } };
      const name = shortLine(received.alert.labels["alertname"] ?? "The alert", 256);
      const ended = new Date(step.episode.endsAt ?? now).toISOString();
      const resolves =
        step.runId === undefined ? {} : { resolves: { runId: step.runId, why: `${name} (${fingerprint}) ended at ${ended}.` } };
      return { write: { ...key, episode: step.episode, ...resolves } };
    }
    case "start": {
      const prepared = requestFromAlert(runbook, received.alert, source);
      if (!prepared.ok) return { decision: { ...about, decision: "refused", reason: prepared.reason } };
      const { request } = prepared;
      const candidate = {
        ...key,
        ...(request.target === undefined ? {} : { target: request.target }),
        mode: request.mode,
        cooldownMs: runbook.cooldownMs,
        actions: runbook.steps.flatMap(({ action }) => action ?? []),
        limits: runbook.limits,
      };
      // A test observes only: it must neither be held back nor use up what an alert in earnest needs.
      const verdict = isTestAlert(received.alert.labels)
        ? ({ kind: "allow", claims: [] } as const)
        : deps.guards(candidate, { episodesInDay: step.episode.count }, now);
      if (verdict.kind === "refuse")
        return {
          decision: {
            ...about,
            decision: "refused",
            reason: `${verdict.guardrail}: ${verdict.reason}`,
            guardrail: verdict.guardrail,
            ...(verdict.retryAt !== undefined && { retryAt: verdict.retryAt }),
          },
        };
      const asked = verdict.kind === "ask" ? { ...request, mode: moreCareful(request.mode, "approve") } : request;
      const run = proposeRun({ id: deps.ids("run"), request: asked, claims: verdict.kind === "allow" ? verdict.claims : [], now });
      const joining = joiningOf(runbook, received);
      return {
        write: {
          ...key,
          episode: { ...step.episode, runId: run.id, ownRunId: run.id },
          run: { ...run, ...(joining !== undefined && { joining }) },
        },
      };
    }
  }
}

/** What the journal of an open run says of an alert that joins it; undefined: its document does not ask for it. */
function joiningOf({ onJoined }: Runbook, { alert }: ReceivedAlert): string | undefined {
  if (onJoined !== "repeat") return undefined;
  return `${shortLine(alert.labels["alertname"] ?? "An alert", 256)} (${shortLine(alert.fingerprint, 100)}) fires too.`;
}

function decisionOf({ received, runbook, write }: Pending, result: Exclude<AcceptResult, { kind: "conflict" }>): Decision {
  const about = { fingerprint: received.alert.fingerprint, runbook: runbook.id };
  const clockFault = received.clockFault === undefined ? {} : { reason: received.clockFault };
  switch (result.kind) {
    case "created":
      return { ...about, decision: "enqueued", runId: result.runId, ...clockFault };
    case "joined":
      return { ...about, decision: "joined", runId: result.runId, ...clockFault };
    case "updated": {
      const runId = write.resolves?.runId ?? write.episode.runId;
      return {
        ...about,
        decision: received.alert.status === "resolved" ? "resolved" : "joined",
        ...(runId === undefined ? {} : { runId }),
        ...clockFault,
      };
    }
    case "refused": {
      const { claim, retryAt } = result;
      const until = retryAt === undefined ? "" : ` until ${new Date(retryAt).toISOString()}`;
      const refused = { ...about, decision: "refused", reason: `${claim} is taken${until}.`, guardrail: guardrailOf(claim) } as const;
      return { ...refused, ...(retryAt !== undefined && { retryAt }) };
    }
    case "frozen":
      return { ...about, decision: "paused", reason: result.reason, guardrail: "freeze" };
  }
}

/** A bucket begins with the name of the guardrail that claims it. */
function guardrailOf(claim: string): string {
  return claim.split(":")[0] ?? claim;
}

function wakeRun(wakeQueue: WakeQueue, write: AcceptWrite, result: AcceptResult): void {
  if (result.kind === "created") wakeQueue.enqueue(result.runId);
  if (result.kind === "joined" && write.run?.joining !== undefined) wakeQueue.enqueue(result.runId);
  if (result.kind === "updated" && write.resolves !== undefined) wakeQueue.enqueue(write.resolves.runId);
}

/** Before any run refers to them. */
async function putRunbooks(bytes: RunbookBytes, pending: readonly Pending[]): Promise<void> {
  const needed = new Map<string, string>();
  for (const { runbook, write } of pending) if (write.run !== undefined) needed.set(runbook.sha256, runbook.source);
  await Promise.all([...needed].map(([sha256, source]) => bytes.put(sha256, source)));
}

function unmatched(received: ReceivedAlert): Decision {
  return { fingerprint: received.alert.fingerprint, decision: "unmatched", reason: "No runbook's triggers match these labels." };
}
