import { canonicalJson } from "../../packages/sdk/src/wire/json.ts";
import type { ReplayedDecision } from "./replay.ts";

/** One alert that would be treated differently. */
export interface ReplayDifference {
  readonly webhook: number;
  readonly alert: string;
  readonly before: string;
  readonly after: string;
}

/** What changes between two replays of the same recording, in its order. Ids of runs are left out: they only count. */
export function compareReplays(before: readonly ReplayedDecision[], after: readonly ReplayedDecision[]): readonly ReplayDifference[] {
  const keyOf = ({ webhook, decision }: ReplayedDecision) => `${webhook} ${decision.fingerprint}`;
  const then = new Map(after.map((one) => [keyOf(one), one]));
  return before.flatMap((one) => {
    const other = then.get(keyOf(one));
    const [was, is] = [describeReplayed(one), other === undefined ? "nothing" : describeReplayed(other)];
    return was === is ? [] : [{ webhook: one.webhook, alert: alertOf(one), before: was, after: is }];
  });
}

/** `enqueued cost-incident-response on budget/checkout, mode auto, {"budget":"checkout"}`, in one line. */
export function describeReplayed({ decision, started }: ReplayedDecision): string {
  const run =
    started === undefined
      ? ""
      : `${started.target === undefined ? "" : ` on ${started.target}`}, mode ${started.mode}, ${canonicalJson(started.params)}`;
  const why = decision.reason === undefined ? "" : ` (${decision.reason})`;
  return `${decision.decision}${decision.runbook === undefined ? "" : ` ${decision.runbook}`}${run}${why}`;
}

/** Name and fingerprint of the alert. */
export function alertOf({ labels, decision }: ReplayedDecision): string {
  return `${labels["alertname"] ?? "alert"} ${decision.fingerprint}`;
}
