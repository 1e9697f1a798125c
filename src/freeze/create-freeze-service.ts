import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import { canonicalScope, describeFreeze } from "../core/freeze.ts";
import type { Log } from "../core/log.ts";
import type { FreezeFile } from "./freeze-file.ts";
import type { FreezeService } from "./freeze-service.ts";
import type { FreezeStore } from "./redis-store.ts";

/** The kill switch as people see it: what stands in Redis and, last, the file's. Every change is logged with who and why. */
export function createFreezeService(freezes: FreezeStore, file: FreezeFile | undefined, log: Log): FreezeService {
  return {
    list: async () => [...(await freezes.list()), ...present(await file?.standing())],
    async put(written) {
      const freeze = { ...written, scope: canonicalScope(written.scope) };
      await freezes.put(freeze);
      log.warn({ scope: freeze.scope, by: freeze.by, reason: freeze.reason, undo: freeze.undo }, "Frozen.");
    },
    async remove(scope, by) {
      const removed = await freezes.remove(canonicalScope(scope));
      if (removed) log.warn({ scope, by }, "The freeze was lifted.");
      return removed;
    },
  };
}

/**
 * The condition that readiness shows. A freeze is no reason to turn alerts away: they are answered `paused`. Who froze and why is in
 * `detailForPeople` alone.
 */
export async function freezeCondition(freezeService: Pick<FreezeService, "list">): Promise<FreezeCondition> {
  const freezes = await freezeService.list().catch(() => []);
  if (freezes.length === 0) return { name: "freeze", ok: true };
  const detail = freezes.length === 1 ? "A freeze is in force." : `${freezes.length} freezes are in force.`;
  return { name: "freeze", ok: true, detail, detailForPeople: freezes.map(describeFreeze).join("; ").slice(0, 500) };
}

/** See {@link freezeCondition}. */
export interface FreezeCondition {
  readonly name: "freeze";
  readonly ok: true;
  readonly detail?: string;
  readonly detailForPeople?: string;
}

function present(freeze: Freeze | undefined): readonly Freeze[] {
  return freeze === undefined ? [] : [freeze];
}
