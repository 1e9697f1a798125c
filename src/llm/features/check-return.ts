import type { Flag } from "../../../packages/sdk/src/wire/flags.ts";
import type { SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Instant } from "../../core/clock.ts";
import { shortLine } from "../../core/one-line.ts";
import type { RolloutGuard } from "../rollouts/next-rollout-move.ts";

/** What speaks against a feature that is coming back. */
export interface ReturnFacts {
  readonly runId: string;
  /** When the run was accepted. */
  readonly acceptedAt: Instant;
  /** When the feature began to come back; undefined: it has not yet. */
  readonly since: Instant | undefined;
  /** Findings of the feature in every state; undefined: they cannot be read, or not all of them. */
  readonly findings: readonly SecurityFinding[] | undefined;
  /** Ids of findings whose state became open since the feature began to come back. */
  readonly reopened: readonly string[];
  /** Its flag as it is now; undefined: there is none. */
  readonly flag: Flag | undefined;
}

/** A finding that its source changed so long before the run is one that the run is about. */
const beforeMs = 10 * 60_000;

/**
 * Whether a feature may come back, beside what its rollout shows. A finding that came since then, that was opened again, or whose exploitation was observed
 * again, takes it back; so does a flag that was switched off since then. A finding that a person dismissed is not fixed. What cannot be read is not seen. Pure.
 */
export function checkReturn({ runId, acceptedAt, since, findings, reopened, flag }: ReturnFacts): RolloutGuard {
  if (since !== undefined && flag?.state !== "on") {
    const by = flag === undefined ? "there is no such flag any more" : `${flag.by} switched its flag off: ${shortLine(flag.reason, 150)}`;
    return { kind: "broken", text: by };
  }
  if (findings === undefined) return { kind: "unseen", text: "the findings of the feature cannot be read" };
  const dismissed = findings.find(
    ({ state, runId: workedOnBy, updatedAt }) => state === "dismissed" && (workedOnBy === runId || updatedAt >= acceptedAt - beforeMs),
  );
  if (dismissed !== undefined)
    return { kind: "broken", text: `the finding "${shortLine(dismissed.title, 100)}" was dismissed at its source, which does not fix it` };
  if (since === undefined) return { kind: "clear" };
  const open = findings.filter(({ state }) => state === "open");
  const broken = (finding: SecurityFinding | undefined, what: string): RolloutGuard | undefined =>
    finding && { kind: "broken", text: `${finding.source} ${what} "${shortLine(finding.title, 100)}" since it came back` };
  return (
    broken(
      open.find(({ firstSeenAt: cameAt }) => cameAt >= since),
      "reported",
    ) ??
    broken(
      open.find(({ id }) => reopened.includes(id)),
      "opened again",
    ) ??
    // Our own detection reports the same text as the same finding, so that only its time is new.
    broken(
      open.find(({ facts, updatedAt }) => facts.observed === true && updatedAt >= since),
      "observed again",
    ) ?? { kind: "clear" }
  );
}
