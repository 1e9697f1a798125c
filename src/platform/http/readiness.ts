import type { Condition } from "../../../packages/sdk/src/wire/service.ts";
/** Asked by /readyz; never rejects and answers within two seconds. */
export interface Readiness {
  conditions(): Promise<readonly Condition[]>;
}
