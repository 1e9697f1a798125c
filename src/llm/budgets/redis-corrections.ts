import type { Redis } from "ioredis";
import type { UsageEvent } from "../../../packages/sdk/src/wire/usage.ts";
import type { Instant } from "../../core/clock.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { identityOf } from "../usage/counted-report.ts";
import { noTokens } from "../usage/token-partition.ts";
import type { BudgetLedger, CorrectionOutcome, CostCorrection } from "./budget-ledger.ts";
import type { ReportIdentity, UsageRecorder } from "./redis-recorder.ts";
import { readUnreportedId, unreportedName } from "./unreported-turn.ts";

/** Another report of the id came in between this often only when the store is at fault. */
const maxRounds = 20;

type UsagePages = Pick<BudgetLedger, "usagePages">;

interface CorrectionDeps {
  readonly redis: Redis;
  readonly recorder: UsageRecorder;
  readonly reader: UsagePages;
  readonly now: Instant;
}

/** Sets the cost of one report, or of a turn that ended without one. The event is read for its ticket and row; without it only the budget is corrected. */
export async function correctCost(
  correction: CostCorrection,
  { redis, recorder, reader, now }: CorrectionDeps,
): Promise<CorrectionOutcome> {
  const { budget, provider, usageId } = correction;
  if ((await redis.exists(keys.budget(budget))) === 0) return { kind: "unknown_budget" };
  const identity = { budget, provider, id: usageId };
  for (let round = 0; round < maxRounds; round += 1) {
    const before = await recorder.remembered(identityOf(identity));
    const turn = provider === unreportedName ? readUnreportedId(usageId) : undefined;
    if (before === undefined && (turn === undefined || !(await isCharged(redis, budget, turn)))) return { kind: "unknown_id" };
    const historyId = turn === undefined ? usageId : `corrected:${usageId}`;
    const original = before === undefined ? undefined : await readEvent(reader, { ...identity, id: historyId }, before.report.at);
    const event = original ?? placeholderOf({ ...identity, id: historyId }, turn, before?.report.at ?? turn?.at ?? now);
    const { by, reason, costMicroUsd } = correction;
    const { estimated: _, conflict: __, ...kept } = event;
    const usage = await recorder.overwrite(identity, { ...kept, costMicroUsd, correction: { by, reason } }, before);
    if (usage !== undefined) return { kind: "corrected", usage };
  }
  throw new Error(`usage ${usageId} of budget ${budget} was changed by others ${maxRounds} times in a row`);
}

type TurnName = NonNullable<ReturnType<typeof readUnreportedId>>;

async function isCharged(redis: Redis, budget: string, { attempt, turn, at, ticketId }: TurnName): Promise<boolean> {
  return (await redis.hexists(keys.ticketSpend(budget, ticketId), `unreported:${attempt}:${turn}:${at}`)) === 1;
}

/** All events of an id have the time of its first report. */
async function readEvent(reader: UsagePages, identity: ReportIdentity, at: Instant): Promise<UsageEvent | undefined> {
  const name = identityOf(identity);
  let newest: UsageEvent | undefined;
  for await (const page of reader.usagePages(at, at + 1)) newest = page.findLast((event) => identityOf(event) === name) ?? newest;
  return newest;
}

/** An event for what is no longer kept, or was never reported. */
function placeholderOf(identity: ReportIdentity, turn: TurnName | undefined, at: Instant): UsageEvent {
  return {
    ...identity,
    at,
    model: unreportedName,
    operation: unreportedName,
    prompt: unreportedName,
    queue: "default",
    ticketId: turn?.ticketId ?? unreportedName,
    attempt: turn?.attempt ?? 1,
    turn: turn?.turn ?? 0,
    variant: "baseline",
    outcome: "ok",
    tokens: noTokens,
    costMicroUsd: 0,
  };
}
