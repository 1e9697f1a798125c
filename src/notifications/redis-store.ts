import type { Redis } from "ioredis";
import { z } from "zod";
import { sha256 } from "../core/json.ts";
import { laneOf, type MailSettlement, type MailState, mailLane, type Outbox, type OutboxRow } from "../core/outbox.ts";
import type { ScriptValue } from "../platform/redis/script.ts";
import { outboxScripts } from "./redis-scripts.ts";

const retentionDays = 30;

const keys = {
  row: (id: string) => `{rb}:outbox:row:${id}`,
  // The lane of mails has the name that all lanes shared before there were lanes: what waits in it from then is delivered.
  due: (lane: string) => (lane === mailLane ? "{rb}:outbox:due" : `{rb}:outbox:due:${lane}`),
  written: (lane: string) => `{rb}:outbox:written:${lane}`,
  lanes: "{rb}:outbox:lanes",
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
    z.object({
      kind: z.literal("message"),
      runId: z.string(),
      subject: z.string(),
      text: z.string(),
      link: z.exactOptional(
        z.object({
          id: z.string(),
          runId: z.string(),
          stepId: z.string(),
          planSha: z.exactOptional(z.string()),
          expiresAt: z.exactOptional(z.number()),
        }),
      ),
      step: z.exactOptional(z.number()),
      group: z.exactOptional(z.string()),
    }),
  ]),
});

/** The outbox in Redis: as durable as the ledger beside it. Rows are kept for 30 days after they were sent or given up. */
export function createOutbox(redis: Redis): Outbox {
  const settle = async ({ id, lane, leaseUntil }: Leased, { kind, at, now, text }: Settled): Promise<boolean> => {
    const result = await outboxScripts.settle.run(redis, {
      keys: {
        row: keys.row(id),
        due: keys.due(lane),
        waiting: keys.waiting,
        gaveUp: keys.gaveUp,
        lanes: keys.lanes,
        written: keys.written(lane),
      },
      args: { id, leaseUntil, result: kind, at, detail: text, retentionDays, lane, now },
    });
    return result === 1;
  };

  return {
    async put(row) {
      const id = sha256(row.key);
      const lane = laneOf(row);
      const result = await outboxScripts.put.run(redis, {
        keys: { row: keys.row(id), due: keys.due(lane), waiting: keys.waiting, lanes: keys.lanes, written: keys.written(lane) },
        args: { id, content: JSON.stringify(row), now: row.putAt, lane },
      });
      return { put: result === 1 };
    },

    async lanes() {
      return [...new Set([mailLane, ...(await redis.smembers(keys.lanes))])];
    },

    async claim(lane, now, leaseMs) {
      const until = Math.ceil(now + leaseMs);
      const id = await outboxScripts.claim.run(redis, {
        keys: { due: keys.due(lane), written: keys.written(lane) },
        args: { now, leaseUntil: until },
      });
      if (typeof id !== "string") return undefined;
      const fields = await redis.hgetall(keys.row(id));
      const row = parseRow(fields["row"]);
      if (row !== undefined) return { row, lane, attempts: Number(fields["attempts"] ?? 0), token: String(until) };
      // A row that nobody can read would be claimed for ever.
      await settle({ id, lane, leaseUntil: until }, { kind: "gave_up", at: now, now, text: "the row is corrupt" });
      return undefined;
    },

    async settle(claimed, settlement) {
      return settle({ id: sha256(claimed.row.key), lane: claimed.lane, leaseUntil: claimed.token }, settledOf(settlement));
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

/** A row that is held. */
interface Leased {
  readonly id: string;
  readonly lane: string;
  readonly leaseUntil: ScriptValue;
}

/** A settlement as the script takes it. */
interface Settled {
  readonly kind: MailSettlement["kind"];
  /** When it was sent or given up, or when it is due again. */
  readonly at: number;
  readonly now: number;
  readonly text: string;
}

function settledOf(settlement: MailSettlement): Settled {
  const { kind } = settlement;
  switch (kind) {
    case "sent":
      return { kind, at: settlement.at, now: settlement.at, text: settlement.messageId };
    case "gave_up":
      return { kind, at: settlement.at, now: settlement.at, text: settlement.error };
    case "retry":
      return { kind, at: settlement.dueAt, now: settlement.at, text: settlement.error };
    case "later":
      return { kind, at: settlement.dueAt, now: settlement.at, text: "" };
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
