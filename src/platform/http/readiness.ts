import type { Condition } from "../../../packages/sdk/src/wire/service.ts";

/** One condition. `detail` is for every caller: it names nobody and repeats nothing that a person wrote. */
export interface ReadinessCondition extends Condition {
  /** What callers with a person's token read instead of `detail`. */
  readonly detailForPeople?: string;
}

/** Asked by /readyz; never rejects and answers within two seconds. */
export interface Readiness {
  conditions(): Promise<readonly ReadinessCondition[]>;
}
