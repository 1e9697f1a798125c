import type { Ticket } from "../../packages/sdk/src/wire/tickets.ts";
import type { Clock, Instant } from "../core/clock.ts";
import type { CheckpointRepository } from "../llm/tickets/checkpoint.ts";
import type { RecoveryPorts } from "../llm/tickets/recovery-ports.ts";
import { parseStagedWork, type StagedWork, storedWork } from "../llm/tickets/staged-work.ts";
import { hasEnded, lostReason, recoveryReason } from "../llm/tickets/ticket.ts";
import { createMemoryCheckpoints } from "./memory-checkpoints.ts";
import type { SimulatedTicket } from "./rehearsal.ts";

/** How long a stage takes that goes well. */
const phaseMs = 60_000;
/** How long the tickets have been silent when the alert comes. */
const silentMs = 600_000;

/**
 * Tickets that are code work, as they stand when the alert comes, over a repository in memory. One that is given back to its queue finishes a stage a minute
 * later, unless the rehearsal says that it does not. `changed` hears every change as one line.
 */
export async function createSimulatedTickets(
  written: readonly SimulatedTicket[],
  clock: Pick<Clock, "now">,
  changed: (line: string) => void,
): Promise<RecoveryPorts> {
  const start = clock.now();
  const inner = createMemoryCheckpoints({ "README.md": "base" });
  const tickets = new Map<string, { ticket: Ticket; holder: string; queuedAt?: Instant }>();
  const silent = new Set<string>();

  for (const one of written) {
    const done: StagedWork["done"] = [];
    for (const stage of one.done) {
      inner.write(one.id, { [`${stage}.txt`]: stage });
      const saved = await inner.save(one.id, { stage, green: one.green.includes(stage), conversation: `${stage} done` });
      if (saved !== undefined) done.push({ stage, n: saved.n, commit: saved.commit, tree: saved.tree });
    }
    if (one.work) inner.write(one.id, { "unfinished.txt": one.stage });
    if (one.conflicts.length > 0) inner.conflict(one.id, one.conflicts);
    for (const n of one.broken) inner.damage(one.id, n);
    const published = one.published === "no" ? {} : { published: await inner.publish(one.id, "published") };
    if (one.published === "moved" || one.published === "merged") inner.publishedIs(one.id, one.published);
    const { id, queue, budget, state, reason, attempt, stage, failures } = one;
    const ticket: Ticket = {
      id,
      queue,
      budget,
      state,
      reason,
      attempt,
      stage,
      failures,
      kind: "ticket",
      payload: null,
      variant: "baseline",
      maxAttempts: 10,
      turn: done.length,
      estimateMicroUsd: 0,
      saved: storedWork({ ...parseStagedWork(null), done, ...published }),
      createdAt: start - silentMs,
      updatedAt: start - silentMs,
    };
    tickets.set(id, { ticket, holder: "dead worker" });
    if (state === "running" || reason === lostReason) silent.add(id);
  }

  const read = (id: string): Ticket | undefined => {
    const entry = tickets.get(id);
    const goesOn = written.find((one) => one.id === id)?.goesOn === true;
    if (entry?.queuedAt === undefined || !goesOn || clock.now() < entry.queuedAt + phaseMs) return entry?.ticket;
    const { ticket } = entry;
    tickets.set(id, { holder: "another worker", ticket: { ...ticket, state: "running", turn: ticket.turn + 1 } });
    return tickets.get(id)?.ticket;
  };
  const put = (id: string, next: Ticket, holder: string) => {
    const before = tickets.get(id)?.ticket;
    tickets.set(id, { ticket: next, holder, ...(next.state === "queued" && { queuedAt: clock.now() }) });
    const of = ({ state, reason }: Ticket) => (state === "waiting" ? `${state} (${reason})` : state);
    const tries = before?.attempt === next.attempt ? "" : `, try ${next.attempt}`;
    if (before !== undefined && of(before) !== of(next)) changed(`ticket/${id}: ${of(before)} -> ${of(next)}${tries}`);
  };

  const checkpoints: CheckpointRepository = {
    ...inner,
    async save(id, record) {
      const before = (await inner.list(id)).length;
      const saved = await inner.save(id, record);
      if (saved !== undefined && saved.n > before) changed(`ticket/${id}: checkpoint ${saved.n} (${saved.stage})`);
      return saved;
    },
    async restore(id, commit) {
      const [before, n] = [
        inner.files(id),
        (await inner.list(id)).findIndex((one) => one.kind === "whole" && one.checkpoint.commit === commit) + 1,
      ];
      await inner.restore(id, commit);
      if (JSON.stringify(before) !== JSON.stringify(inner.files(id))) changed(`ticket/${id}: its work is checkpoint ${n}`);
    },
    async withdraw(id, commit) {
      const done = await inner.withdraw(id, commit);
      if (done.kind === "withdrawn" || done.kind === "reverted") changed(`ticket/${id}: what it published is ${done.kind}`);
      return done;
    },
  };

  return {
    checkpoints,
    wakeQueue: { enqueue: async () => undefined },
    store: {
      get: async (id) => read(id),
      async standing(_before, limit) {
        const all = [...tickets.keys()].flatMap((id) => {
          const ticket = read(id);
          const back = written.find((one) => one.id === id)?.backAfterMs ?? Number.POSITIVE_INFINITY;
          return ticket !== undefined && silent.has(id) && clock.now() < start + back
            ? [{ id, queue: ticket.queue, stage: ticket.stage }]
            : [];
        });
        return all.slice(0, limit);
      },
      async list({ state }) {
        const items = [...tickets.keys()].flatMap((id) => read(id) ?? []);
        return { items: items.filter((ticket) => state === undefined || ticket.state === state) };
      },
      async recover(id, holder) {
        const ticket = read(id);
        if (ticket === undefined || (hasEnded(ticket.state) && ticket.state !== "dead")) return undefined;
        put(id, { ...ticket, state: "waiting", reason: recoveryReason }, holder);
        return read(id);
      },
      async write(id, holder, change) {
        const ticket = read(id);
        if (ticket === undefined || tickets.get(id)?.holder !== holder || hasEnded(ticket.state)) return false;
        put(id, { ...ticket, ...change }, holder);
        if (change.state !== undefined && change.state !== "waiting") silent.delete(id);
        return true;
      },
    },
  };
}
