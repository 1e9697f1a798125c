import { laneOf, type MailState, type Outbox, type OutboxRow } from "../../src/core/outbox.ts";

interface Held {
  readonly row: OutboxRow;
  state: MailState;
  attempts: number;
  due: number | undefined;
}

/** The outbox in memory. */
export function createMemoryOutbox(): Outbox {
  const rows = new Map<string, Held>();
  const waiting = () => [...rows.values()].filter((held) => held.state.state === "waiting");
  return {
    async put(row) {
      if (rows.has(row.key)) return { put: false };
      rows.set(row.key, { row, state: { state: "waiting", attempts: 0 }, attempts: 0, due: row.putAt });
      return { put: true };
    },
    async lanes() {
      return [...new Set(waiting().map(({ row }) => laneOf(row)))];
    },
    async claim(lane, now, leaseMs) {
      const [first] = waiting()
        .filter((held) => laneOf(held.row) === lane && held.due !== undefined && held.due <= now)
        .sort((a, b) => (a.due ?? 0) - (b.due ?? 0));
      if (first === undefined) return undefined;
      first.due = Math.ceil(now + leaseMs);
      return { row: first.row, lane, attempts: first.attempts, token: String(first.due) };
    },
    async settle(claimed, settlement) {
      const held = rows.get(claimed.row.key);
      if (held === undefined || held.due === undefined || String(held.due) !== claimed.token) return false;
      switch (settlement.kind) {
        case "later":
          held.due = settlement.dueAt;
          return true;
        case "retry":
          held.attempts += 1;
          held.due = settlement.dueAt;
          held.state = { state: "waiting", attempts: held.attempts, error: settlement.error };
          return true;
        case "sent":
          held.due = undefined;
          held.state = { state: "sent", at: settlement.at, messageId: settlement.messageId };
          return true;
        case "gave_up":
          held.due = undefined;
          held.state = { state: "gave_up", at: settlement.at, error: settlement.error };
          return true;
      }
    },
    async find(key) {
      return rows.get(key)?.state;
    },
    async status() {
      const open = waiting();
      return {
        waiting: open.length,
        gaveUp: [...rows.values()].filter((held) => held.state.state === "gave_up").length,
        ...(open.length > 0 && { oldestPutAt: Math.min(...open.map((held) => held.row.putAt)) }),
      };
    },
  };
}
