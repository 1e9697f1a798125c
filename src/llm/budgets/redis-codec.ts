import type { Redis } from "ioredis";
import { z } from "zod";
import { type AdmissionLogEntry, admissionReasons } from "../../../packages/sdk/src/wire/admissions.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { overflowRow, type RowKey, type RowPart } from "./spend-row.ts";

const logFields = z.object({
  kind: z.enum(["admitted", "wait", "stop", "gate"]),
  at: z.coerce.number(),
  budget: z.string(),
  ticket: z.string().default(""),
  starts: z.string().default("0"),
  reason: z.string().default(""),
  gate: z.enum(["open", "paused"]).default("open"),
  until: z.string().default(""),
  by: z.string().default(""),
});

/** One entry of the admission log from its stream fields. */
export function readLogEntry(fields: readonly string[]): AdmissionLogEntry {
  const pairs: [string, string][] = [];
  for (let index = 0; index < fields.length; index += 2) pairs.push([fields[index] ?? "", fields[index + 1] ?? ""]);
  const { kind, at, budget, ticket, starts, reason, gate, until, by } = logFields.parse(Object.fromEntries(pairs));
  if (kind === "gate") return { kind, at, budget, gate, by, ...(until === "" ? {} : { pausedUntil: Number(until) }) };
  const parsedReason = z.enum(admissionReasons).safeParse(reason);
  return { kind, at, budget, ticketId: ticket, starts: starts === "1", ...(parsedReason.success ? { reason: parsedReason.data } : {}) };
}

/** Every row has a field that begins so. */
const requestsPrefix = "requests:";

/** The rows of one bucket of a budget's spend. */
export async function readRows(redis: Redis, budget: string, index: number): Promise<RowPart[]> {
  const [sums, members] = await Promise.all([redis.hgetall(keys.rows(budget, index)), redis.smembers(keys.rowTickets(budget, index))]);
  const attempts = new Map<string, string[]>();
  for (const member of members) {
    const [row, attempt] = z.tuple([z.string(), z.string()]).parse(JSON.parse(member));
    attempts.set(row, [...(attempts.get(row) ?? []), attempt]);
  }
  return Object.keys(sums)
    .filter((field) => field.startsWith(requestsPrefix))
    .map((field) => {
      const row = field.slice(requestsPrefix.length);
      const sum = (kind: string) => Number(sums[`${kind}:${row}`] ?? 0);
      return {
        key: readRowKey(row),
        costMicroUsd: sum("cost"),
        estimatedMicroUsd: sum("estimated"),
        requests: sum("requests"),
        inputTokens: sum("input_tokens"),
        outputTokens: sum("output_tokens"),
        unpricedTokens: sum("unpriced_tokens"),
        attempts: attempts.get(row) ?? [],
      };
    });
}

function readRowKey(row: string): RowKey {
  const parsed = z.tuple([z.string(), z.string(), z.string(), z.string()]).safeParse(JSON.parse(row));
  return parsed.success ? parsed.data : overflowRow;
}
