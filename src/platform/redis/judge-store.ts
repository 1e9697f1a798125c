import type { Finding } from "../../core/diagnosis.ts";
import { type DurabilitySource, judgeRedis, type RedisFacts } from "./judge-redis.ts";
import { judgeSchema } from "./judge-schema.ts";

/** Everything that the judgement of a store rests on. */
export interface StoreFacts extends RedisFacts {
  /** Version of the layout that the store is marked with; undefined: there is no mark. */
  readonly schema: number | undefined;
}

/** `unfit`: its writes could be lost or misread. `not_judged`: nothing is known about it now. Both mean that nothing is accepted or claimed. */
export type StoreJudgement =
  | { readonly kind: "fit"; readonly warnings: readonly Finding[] }
  | { readonly kind: "unfit"; readonly faults: readonly Finding[] }
  | { readonly kind: "not_judged"; readonly reason: "no_answer" | "connection_changed" };

/** Whether a store may be used. `durableBy`: REDIS_DURABLE_BY, which counts only for what Redis does not say. */
export function judgeStore(facts: StoreFacts, durableBy?: DurabilitySource): Exclude<StoreJudgement, { readonly kind: "not_judged" }> {
  const findings = [...judgeRedis(facts, durableBy), judgeSchema(facts.schema)];
  const faults = findings.filter(({ verdict }) => verdict === "fault");
  if (faults.length > 0) return { kind: "unfit", faults };
  return { kind: "fit", warnings: findings.filter(({ verdict }) => verdict === "warning") };
}

/** The judgement in one sentence; undefined when the store is fit. */
export function unfitReason(judgement: StoreJudgement): string | undefined {
  switch (judgement.kind) {
    case "fit":
      return undefined;
    case "unfit":
      return judgement.faults.map(({ name, detail }) => `${name}: ${detail}.`).join(" ");
    case "not_judged":
      return judgement.reason === "no_answer" ? "Redis does not answer." : "The connection to Redis is new; its settings are being read.";
  }
}
