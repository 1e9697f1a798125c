import type { Instant } from "../core/clock.ts";
import type { Claim, Verdict } from "../core/verdict.ts";
import { blastRadius } from "./blast-radius.ts";
import { changeRate } from "./change-rate.ts";
import { circuitBreaker } from "./circuit-breaker.ts";
import { explicitTargets } from "./explicit-targets.ts";
import { flapHold } from "./flap-hold.ts";
import { defaultPolicy, type GuardContext, type Guardrail, type GuardrailCandidate, noFacts } from "./guardrail.ts";
import { loop } from "./loop.ts";
import { modeGuardrail } from "./mode.ts";
import { protectedTargets } from "./protected-targets.ts";
import { storm } from "./storm.ts";
import { targetChangeLog } from "./target-change-log.ts";
import { targetLock } from "./target-lock.ts";

/** Every guardrail of a step, in the order in which their refusals are told. A new one is one file and one line here. */
const guardrails: readonly Guardrail[] = [
  modeGuardrail,
  explicitTargets,
  protectedTargets,
  blastRadius,
  circuitBreaker,
  loop,
  storm,
  flapHold,
  changeRate,
  targetLock,
  targetChangeLog,
];

/** Everything that can refuse or ask, at the start of a run or of a step; the closed set of the metric's label. */
export const guardrailNames = [
  "mode",
  "explicit-targets",
  "protected-targets",
  "blast-radius",
  "circuit-breaker",
  "loop",
  "storm",
  "flap-hold",
  "change-rate",
  "target-lock",
  "cooldown",
  "run-rate",
  "stale-plan",
  "freeze",
] as const;

/** Refuse beats ask beats allow; an allow carries the claims of all. Without facts nothing has happened before; without a policy the defaults bind. */
export function evaluateGuardrails(
  candidate: GuardrailCandidate,
  now: Instant,
  { facts = noFacts, policy = defaultPolicy }: Partial<Pick<GuardContext, "facts" | "policy">> = {},
): Verdict {
  const context: GuardContext = { now, facts, policy };
  return combineVerdicts(guardrails.map((guardrail) => guardrail(candidate, context)));
}

/** Of several verdicts the strictest; of several refusals the first that waiting cannot lift. */
export function combineVerdicts(verdicts: readonly Verdict[]): Verdict {
  const refusals = verdicts.filter((verdict) => verdict.kind === "refuse");
  const refusal = refusals.find((verdict) => verdict.retryAt === undefined) ?? refusals[0];
  if (refusal !== undefined) return refusal;
  const question = verdicts.find((verdict) => verdict.kind === "ask");
  if (question !== undefined) return question;
  return { kind: "allow", claims: mergeClaims(verdicts.flatMap((verdict) => (verdict.kind === "allow" ? verdict.claims : []))) };
}

/** The same lock is taken once; buckets are counted as often as they are named. */
function mergeClaims(claims: readonly Claim[]): readonly Claim[] {
  const locks = new Set<string>();
  return claims.filter((claim) => {
    if (!("lock" in claim)) return true;
    if (locks.has(claim.lock)) return false;
    locks.add(claim.lock);
    return true;
  });
}
