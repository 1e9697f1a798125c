import { describe, expect, it } from "@jest/globals";
import { assignments } from "./assignments.ts";
import type { EvidenceEntry } from "./evidence-log.ts";
import type { ModelRequest, ModelResponse } from "./model-client.ts";
import type { SavedWork } from "./saved-work.ts";
import { type CallReport, type Turn, type TurnPorts, takeTurn } from "./take-turn.ts";
import { ticketOf } from "./tickets.ts";

const answer: ModelResponse = {
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

function aWorkshop(change: Partial<TurnPorts> = {}) {
  const asked: ModelRequest[] = [];
  const reports: CallReport[] = [];
  const evidence: EvidenceEntry[] = [];
  const saved = new Map<string, SavedWork>();
  const ports: TurnPorts = {
    model: {
      async ask(request) {
        asked.push(request);
        return answer;
      },
    },
    store: {
      load: (ticketId) => saved.get(ticketId) ?? { ticketId, done: 0, refusals: 0, conversation: [] },
      save: (work) => void saved.set(work.ticketId, work),
    },
    evidence: { write: (entry) => void evidence.push(entry) },
    release: () => "1.4.0",
    now: () => 0,
    sleep: async () => undefined,
    report: (report) => void reports.push(report),
    ...change,
  };
  return { ports, asked, reports, evidence };
}

async function takeTurns(ports: TurnPorts): Promise<Turn[]> {
  const turns: Turn[] = [];
  for (;;) {
    const turn = await takeTurn(ticket, ports, never);
    turns.push(turn);
    if (turn.kind === "done" || (turn.kind === "failed" && !turn.retry)) return turns;
  }
}

describe("a ticket", () => {
  it("needs one turn per assignment, and every call is reported", async () => {
    const { ports, reports } = aWorkshop();
    const turns = await takeTurns(ports);
    expect(turns.map(({ kind }) => kind)).toEqual([...Array.from({ length: assignments.length - 1 }, () => "continue"), "done"]);
    expect(reports.map(({ assignment }) => assignment)).toEqual(assignments);
  });

  it("goes on from its saved work, whoever takes the next turn", async () => {
    const { ports, asked } = aWorkshop();
    await takeTurn(ticket, ports, never);
    await takeTurn(ticket, { ...ports }, never);
    expect(asked.map(({ messages }) => messages[0]?.content[0]?.text.split("\n").at(-1))).toEqual(
      assignments.slice(0, 2).map(({ instruction }) => instruction),
    );
  });

  it("tries a refused plan again with a growing context when the release with the bug is out, and nothing else", async () => {
    const { ports, asked, reports } = aWorkshop({ release: () => "1.5.0" });
    const turns = await takeTurns(ports);
    expect(turns.at(-1)).toMatchObject({ kind: "failed", done: 2, why: expect.stringContaining("implement/plan"), retry: false });
    const plans = reports.filter(({ assignment }) => assignment.operation === "plan");
    expect([plans.length, reports.length - plans.length]).toEqual([60, 2]);
    const sizes = asked.map(({ messages }) => messages.length).slice(2);
    expect([sizes.at(0), sizes.at(-1)]).toEqual([1, 119]);
  });

  it("waits as long as the provider says, and fails the try when the money is gone", async () => {
    const slept: number[] = [];
    const replies: ModelResponse[] = [
      { kind: "error", requestId: "r", outcome: "rate_limited", message: "slow down", retryAfterSeconds: 3, latencyMs: 1 },
      { kind: "error", requestId: "r", outcome: "spend_limited", message: "no money", latencyMs: 1 },
    ];
    const ask = async () => replies.shift() ?? answer;
    const { ports } = aWorkshop({ model: { ask }, sleep: async (ms) => void slept.push(ms) });
    expect(await takeTurn(ticket, ports, never)).toEqual({ kind: "failed", done: 0, why: "no money", retry: true });
    expect(slept).toEqual([3000]);
  });

  it("leaves evidence of every call before and after it", async () => {
    const { ports, evidence } = aWorkshop();
    await takeTurn(ticket, ports, never);
    expect(evidence).toMatchObject([
      { kind: "model_called", prompt: "triage", operation: "classify", tries: 1 },
      { kind: "model_answered", requestId: "req_1", outcome: "ok" },
    ]);
  });
});
