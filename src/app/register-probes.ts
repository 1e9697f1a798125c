import type { Condition } from "../../packages/sdk/src/wire/service.ts";
import { freezeCondition } from "../freeze/create-freeze-service.ts";
import type { FreezeService } from "../freeze/freeze-service.ts";
import { createProbes } from "../platform/http/probes.ts";
import { unfitReason } from "../platform/redis/judge-store.ts";
import type { Registration, ServerShared } from "./registration.ts";
import type { Runtime } from "./runtime.ts";

/** Whether this process lives, and whether it can accept work. */
export function registerProbes(
  { library, ending, store }: Runtime,
  { redis, tokens }: Pick<ServerShared, "redis" | "tokens">,
  freezes: Pick<FreezeService, "list">,
): Registration {
  const storeCondition = (): Condition => {
    const reason = unfitReason(store.judgement());
    return reason === undefined ? { name: "redis", ok: true } : { name: "redis", ok: false, detail: reason };
  };
  const redisCondition = async (): Promise<Condition> =>
    redis.ping().then(
      () => storeCondition(),
      () => ({ name: "redis", ok: false, detail: "Redis does not answer." }),
    );
  const runbooksCondition = (): Condition =>
    library.list().some(({ runbook }) => runbook !== undefined)
      ? { name: "runbooks", ok: true }
      : { name: "runbooks", ok: false, detail: "No good runbook was found." };
  const conditions = async () => [await redisCondition(), await freezeCondition(freezes), runbooksCondition()];
  return { endpoints: createProbes({ readiness: { conditions }, closing: ending.signal, tokens }) };
}
