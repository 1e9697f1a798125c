import type { Decision, Labels } from "../../packages/sdk/src/wire/alerts.ts";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import type { Mode } from "../../packages/sdk/src/wire/runs.ts";
import { createIntake } from "../alerts/create-intake.ts";
import type { Notification } from "../alerts/notification.ts";
import type { Instant } from "../core/clock.ts";
import { cooldown } from "../guardrails/cooldown.ts";
import { matchTriggers } from "../runbooks/runbook-set.ts";
import { createMemoryAcceptStore } from "./memory-accept-store.ts";
import { createVirtualClock } from "./virtual-clock.ts";

/** One webhook as it came. */
export interface RecordedNotification {
  readonly receivedAt: Instant;
  readonly notification: Notification;
}

/** What intake did with one alert of one webhook, and the run that it started. */
export interface ReplayedDecision {
  /** Place of the webhook in the recording, from 1. */
  readonly webhook: number;
  readonly labels: Labels;
  readonly decision: Decision;
  readonly started?: { readonly target?: string; readonly mode: Mode; readonly params: { readonly [name: string]: Json } };
}

/**
 * Decides recorded webhooks anew, by the intake that ships and a store in memory, in the time of the recording.
 * Nothing is run: a run counts as over when the alert that started it resolves.
 */
export async function replay(
  runbooks: readonly Runbook[],
  recorded: readonly RecordedNotification[],
): Promise<readonly ReplayedDecision[]> {
  const clock = createVirtualClock(recorded[0]?.receivedAt ?? 0);
  const store = createMemoryAcceptStore(clock);
  let runs = 0;
  const intake = createIntake({
    store,
    bytes: store,
    wakeQueue: { enqueue: () => undefined },
    library: { match: (labels) => matchTriggers(runbooks, labels) },
    guards: (candidate, facts) => cooldown(candidate, facts),
    clock,
    ids: (prefix) => `${prefix}_${(runs += 1)}`,
    publish: () => undefined,
  });
  const replayed: ReplayedDecision[] = [];
  for (const [index, { receivedAt, notification }] of recorded.entries()) {
    clock.moveTo(receivedAt);
    for (const decision of await intake.accept(notification)) {
      const received = notification.alerts.find(({ alert }) => alert.fingerprint === decision.fingerprint);
      const run = store.runs().find(({ summary }) => summary.id === decision.runId);
      const first = run?.journal[0];
      const request = decision.decision === "enqueued" && first?.kind === "accepted" ? first.request : undefined;
      if (decision.decision === "resolved" && decision.runId !== undefined) store.endRun(decision.runId);
      replayed.push({
        webhook: index + 1,
        labels: received?.alert.labels ?? {},
        decision,
        ...(request !== undefined && {
          started: { mode: request.mode, params: request.params, ...(request.target !== undefined && { target: request.target }) },
        }),
      });
    }
  }
  return replayed;
}
