import type { Redis } from "ioredis";
import { z } from "zod";
import type { Instant } from "../../core/clock.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { effectiveControls } from "./admission.ts";
import { allowanceAt, periodRemainingSeconds } from "./budget-allowance.ts";
import type { BudgetSummary } from "./budget-ledger.ts";
import { controlsSchema } from "./controls.ts";
import { bareBudget, budgetSchema } from "./redis-facts.ts";
import { budgetScripts } from "./redis-scripts.ts";

const fields = ["definition", "controls", "version", "spent", "committed", "period_start", "period_ms", "queues", "estimated"] as const;

/** Budgets of one script call. */
const chunk = 250;

const json = z.string().transform((text): unknown => JSON.parse(text));
const count = z.coerce.number();
const storedSchema = z.tuple([
  json.pipe(budgetSchema),
  json.pipe(controlsSchema),
  count, // version of the controls
  count, // spent
  count, // committed
  count, // beginning of the period that the spend is of
  count, // its length
  z.string(), // queues, separated by spaces
  z.coerce.number(), // the estimated part of the spend; null in what versions before wrote
]);

/** Summaries of all budgets by id, with a number of commands that does not grow with theirs. */
export function createSummaryReader(redis: Redis): (now: Instant) => Promise<readonly BudgetSummary[]> {
  let canSort = true;
  return async (now) => {
    const rows = canSort ? await readSorted(redis) : await readInChunks(redis);
    if (rows === undefined) canSort = false;
    const stored = await withQueues(redis, rows ?? (await readInChunks(redis)));
    return stored.map((row) => summaryOf(row, now)).sort((a, b) => (a.budget.id < b.budget.id ? -1 : 1));
  };
}

/** A budget's id and its fields. */
type StoredRow = readonly [id: string, ...values: readonly (string | null)[]];

/** One command. Undefined: Redis does not permit it, as in a Cluster before 7.4 and for a user who may read some keys only. */
async function readSorted(redis: Redis): Promise<readonly StoredRow[] | undefined> {
  const gets = ["#", ...fields.map((field) => `${keys.budget("*")}->${field}`)];
  try {
    const values = await redis.call("SORT", keys.budgets, "BY", "nosort", ...gets.flatMap((pattern) => ["GET", pattern] as const));
    return rowsOf(values, gets.length);
  } catch (error) {
    if (error instanceof Error && /denied|NOPERM/u.test(error.message)) return undefined;
    throw error;
  }
}

async function readInChunks(redis: Redis): Promise<readonly StoredRow[]> {
  const ids = await redis.smembers(keys.budgets);
  const rows: StoredRow[] = [];
  for (let start = 0; start < ids.length; start += chunk) {
    const part = ids.slice(start, start + chunk);
    const reply = await budgetScripts.readBudgets.run(redis, {
      keys: {},
      args: {},
      moreKeys: part.map((id) => keys.budget(id)),
      moreArgs: fields,
    });
    const values = z.array(z.array(z.string().nullable())).parse(reply);
    rows.push(...part.map((id, index): StoredRow => [id, ...(values[index] ?? [])]));
  }
  return rows;
}

const activitySchema = z.array(z.tuple([z.number(), z.array(z.string())]));

/** How many tickets are in flight on each budget, and the batches that draw on it; in order. */
export async function readActivity(
  redis: Redis,
  ids: readonly string[],
  now: Instant,
): Promise<readonly { readonly running: number; readonly batches: readonly string[] }[]> {
  const parts = Array.from({ length: Math.ceil(ids.length / chunk) }, (_, part) => ids.slice(part * chunk, (part + 1) * chunk));
  const replies = await Promise.all(
    parts.map(async (part) =>
      budgetScripts.readActivity.run(redis, {
        keys: {},
        args: { now },
        moreKeys: part.flatMap((id) => [keys.expiry(id), keys.batches(id)]),
      }),
    ),
  );
  return replies.flatMap((reply) => activitySchema.parse(reply)).map(([running, batches]) => ({ running, batches }));
}

function rowsOf(values: unknown, width: number): readonly StoredRow[] {
  const flat = z.array(z.string().nullable()).parse(values);
  return Array.from({ length: flat.length / width }, (_, row): StoredRow => {
    const [id, ...cells] = flat.slice(row * width, (row + 1) * width);
    return [id ?? "", ...cells];
  });
}

/** Versions that kept queues in their set only wrote no names into the budget; they are added once. */
async function withQueues(redis: Redis, rows: readonly StoredRow[]): Promise<readonly StoredRow[]> {
  const place = fields.indexOf("queues") + 1;
  return Promise.all(
    rows.map(async (row): Promise<StoredRow> => {
      if (row[place] !== null) return row;
      const names = (await redis.smembers(keys.queues(row[0]))).join(" ");
      await redis.hsetnx(keys.budget(row[0]), "queues", names);
      return [row[0], ...row.slice(1).with(place - 1, names)];
    }),
  );
}

function summaryOf([, ...values]: StoredRow, now: Instant): BudgetSummary {
  const [definition, controls, version, spent, committed, periodStart, periodMs, queues, estimated] = storedSchema.parse(values);
  const budget = bareBudget(definition);
  const { pausedUntil, stopBefore, ...always } = controls;
  // The script that begins a period has not run yet when nothing has touched the budget since.
  const isOver = periodMs > 0 && now >= periodStart + periodMs;
  return {
    budget,
    controls: effectiveControls(
      { ...always, version, ...(pausedUntil !== undefined && { pausedUntil }), ...(stopBefore !== undefined && { stopBefore }) },
      now,
    ),
    spentMicroUsd: isOver ? 0 : spent,
    estimatedMicroUsd: isOver ? 0 : estimated,
    committedMicroUsd: committed,
    allowanceMicroUsdPerSecond: allowanceAt(budget, now),
    periodRemainingSeconds: periodRemainingSeconds(budget, now),
    queues: queues === "" ? [] : queues.split(" ").sort(),
  };
}

/** Budgets whose leases are ended at one call. */
const maxEnded = 50;

/** Ends the expired leases of budgets that nothing has touched since. Rejects with Redis' error. */
export async function endExpiredLeases(redis: Redis, now: Instant): Promise<void> {
  const budgets = await redis.zrangebyscore(keys.leasedBudgets, "-inf", now, "LIMIT", 0, maxEnded);
  await Promise.all(
    budgets.map(async (budget) =>
      budgetScripts.endLeases.run(redis, {
        keys: {
          budget: keys.budget(budget),
          expiry: keys.expiry(budget),
          leases: keys.leases(budget),
          reserved: keys.reserved(budget),
          shares: keys.shares(budget),
          leasedBudgets: keys.leasedBudgets,
        },
        args: { now, budgetId: budget },
      }),
    ),
  );
}
