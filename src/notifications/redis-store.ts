import { join } from "node:path";
import type { Redis } from "ioredis";
import { z } from "zod";
import { sha256 } from "../core/json.ts";
import type { MailSettlement, MailState, Outbox, OutboxRow } from "../core/outbox.ts";
import { loadScript } from "../platform/redis/script.ts";

const keepDays = 30;

const keys = {
  row: (id: string) => `{rb}:outbox:row:${id}`,
  due: "{rb}:outbox:due",
  waiting: "{rb}:outbox:waiting",
  gaveUp: "{rb}:outbox:gave-up",
} as const;

const rowSchema = z.object({
  key: z.string(),
  to: z.string(),
  target: z.string().optional(),
  putAt: z.number(),
  content: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("review"), runId: z.string() }),
    z.object({ kind: z.literal("message"), runId: z.string(), subject: z.string(), text: z.string() }),
  ]),
});

/** The outbox in Redis: as durable as the ledger beside it. Rows are kept for 30 days after they were sent or given up. */
export function createOutbox(redis: Redis): Outbox {
  const put = loadScript(join(import.meta.dirname, "lua/outbox-put.lua"));
  const claim = loadScript(join(import.meta.dirname, "lua/outbox-claim.lua"));
  const settle = loadScript(join(import.meta.dirname, "lua/outbox-settle.lua"));

  return {
    async put(row) {
      const id = sha256(row.key);
      return { put: (await put.run(redis, [keys.row(id), keys.due, keys.waiting], [id, JSON.stringify(row), row.putAt])) === 1 };
    },

    async claim(now, leaseMs) {
      const until = Math.ceil(now + leaseMs);
      const id = await claim.run(redis, [keys.due], [now, until]);
      if (typeof id !== "string") return undefined;
      const found = await redis.hgetall(keys.row(id));
      const row = parseRow(found["row"]);
      if (row !== undefined) return { row, attempts: Number(found["attempts"] ?? 0), token: String(until) };
      // A row that nobody can read would be claimed for ever.
      await settle.run(redis, settleKeys(id), [id, until, "gave_up", now, "the row is corrupt", keepDays]);
      return undefined;
    },

    async settle(claimed, settlement) {
      const id = sha256(claimed.row.key);
      const { at, text } = told(settlement);
      return (await settle.run(redis, settleKeys(id), [id, claimed.token, settlement.kind, at, text, keepDays])) === 1;
    },

    async find(key) {
      return stateOf(await redis.hgetall(keys.row(sha256(key))));
    },

    async status() {
      const [waiting, gaveUp, oldest] = await Promise.all([
        redis.zcard(keys.waiting),
        redis.zcard(keys.gaveUp),
        redis.zrange(keys.waiting, "0", "0", "WITHSCORES"),
      ]);
      return { waiting, gaveUp, ...(oldest[1] !== undefined && { oldestPutAt: Number(oldest[1]) }) };
    },
  };
}

function settleKeys(id: string): readonly string[] {
  return [keys.row(id), keys.due, keys.waiting, keys.gaveUp];
}

function told(settlement: MailSettlement): { readonly at: number; readonly text: string } {
  switch (settlement.kind) {
    case "sent":
      return { at: settlement.at, text: settlement.messageId };
    case "gave_up":
      return { at: settlement.at, text: settlement.error };
    case "retry":
      return { at: settlement.dueAt, text: settlement.error };
    case "later":
      return { at: settlement.dueAt, text: "" };
  }
}

function parseRow(text: string | undefined): OutboxRow | undefined {
  if (text === undefined) return undefined;
  try {
    const { target, ...row } = rowSchema.parse(JSON.parse(text));
    return { ...row, ...(target !== undefined && { target }) };
  } catch {
    return undefined;
  }
}

function stateOf(fields: Readonly<Record<string, string>>): MailState | undefined {
  const { state, at, messageId, error, attempts } = fields;
  if (state === "sent") return { state, at: Number(at), messageId: messageId ?? "" };
  if (state === "gave_up") return { state, at: Number(at), error: error ?? "" };
  if (state === "waiting") return { state, attempts: Number(attempts ?? 0), ...(error !== undefined && { error }) };
  return undefined;
}
