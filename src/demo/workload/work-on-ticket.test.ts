import { describe, expect, it } from "@jest/globals";
import { assignments } from "./assignments.ts";
import type { EvidenceEntry } from "./evidence-log.ts";
import type { ModelReply, ModelRequest } from "./model-client.ts";
import type { SavedWork } from "./saved-work.ts";
import { ticketOf } from "./tickets.ts";
import { workOnTicket, type CallReport, type WorkPorts } from "./work-on-ticket.ts";

const answer: ModelReply = {
  kind: "answer",
  requestId: "req_1",
  model: "m",
  text: "Done.",
  stopReason: "end_turn",
  usage: {},
  latencyMs: 1,
};
const ticket = ticketOf(1);
const never = new AbortController().signal;

function aWorkshop(change: Partial<WorkPorts> = {}) {
  const asked: ModelRequest[] = [];
  const reports: CallReport[] = [];
  const evidence: EvidenceEntry[] = [];
  const saved = new Map<string, SavedWork>();
  const ports: WorkPorts = {
    model: {
      async ask(request) {
        asked.push(request);
        return answer;
      },
    },
    store: {
      load: (ticketId) => saved.get(ticketId) ?? { ticketId, done: 0, attempt: 1, turns: 0, conversation: [] },
      save: (work) => void saved.set(work.ticketId, work),
    },
    evidence: { write: (entry) => void evidence.push(entry) },
    release: () => "1.4.0",
    now: () => 0,
    sleep: async () => undefined,
    report: async (report) => void reports.push(report),
    mayGoOn: async () => undefined,
    ...change,
  };
  return { ports, asked, reports, evidence, saved };
}

describe("working on a ticket", () => {
  it("asks the model once per assignment and reports every call", async () => {
    const { ports, reports } = aWorkshop();
    expect(await workOnTicket(ticket, ports, never)).toEqual({ kind: "succeeded" });
    expect(reports.map(({ assignment }) => assignment)).toEqual(assignments);
    expect(new Set(reports.map(({ attempt }) => attempt))).toEqual(new Set([1]));
  });

  it("stops between turns with its work saved, and goes on from there", async () => {
    const { ports, asked, saved } = aWorkshop();
    let turns = 0;
    const mayGoOn = async () => ((turns += 1) === 3 ? "the budget is paused" : undefined);
    expect(await workOnTicket(ticket, { ...ports, mayGoOn }, never)).toEqual({ kind: "stopped", why: "the budget is paused" });
    expect(saved.get(ticket.id)).toMatchObject({ done: 3, turns: 3 });
    expect(await workOnTicket(ticket, ports, never)).toEqual({ kind: "succeeded" });
    expect(asked).toHaveLength(assignments.length);
  });

  it("retries a refused plan at once with a growing context when the release with the bug is out, and nothing else", async () => {
    const { ports, asked, reports } = aWorkshop({ release: () => "1.5.0" });
    expect(await workOnTicket(ticket, ports, never)).toMatchObject({ kind: "failed", why: expect.stringContaining("implement/plan") });
    const plans = reports.filter(({ assignment }) => assignment.operation === "plan");
    expect(plans.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 41 }, (_, index) => index + 1));
    expect(reports.length - plans.length).toBe(2);
    const sizes = asked.map(({ messages }) => messages.length).slice(2);
    expect(sizes.at(0)).toBe(1);
    expect(sizes.at(-1)).toBe(81);
  });

  it("waits as long as the provider says, and gives up when the money is gone", async () => {
    const slept: number[] = [];
    const replies: ModelReply[] = [
      { kind: "error", requestId: "r", outcome: "rate_limited", message: "slow down", retryAfterSeconds: 3, latencyMs: 1 },
      { kind: "error", requestId: "r", outcome: "spend_limited", message: "no money", latencyMs: 1 },
    ];
    const { ports } = aWorkshop({
      model: { ask: async () => replies.shift() ?? answer },
      sleep: async (ms) => void slept.push(ms),
    });
    expect(await workOnTicket(ticket, ports, never)).toEqual({ kind: "stopped", why: "no money" });
    expect(slept).toEqual([3000]);
  });
});
