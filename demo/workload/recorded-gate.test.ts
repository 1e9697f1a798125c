import { expect, it } from "@jest/globals";
import type { EvidenceEntry } from "./evidence-log.ts";
import { type Gate, recordGate } from "./recorded-gate.ts";

const request = { ticketId: "T", budget: "b", estimateMicroUsd: 1 };

function aGate(answers: readonly Awaited<ReturnType<Gate["admit"]>>[]) {
  const evidence: EvidenceEntry[] = [];
  let asked = 0;
  const gate: Gate = {
    admit: async () => answers[(asked += 1) - 1] ?? { kind: "admitted", leaseId: "l", leaseMs: 1 },
    extend: async () => true,
    release: async () => undefined,
  };
  return { evidence, gate: recordGate(gate, { write: (entry) => void evidence.push(entry) }, () => 5) };
}

it("records a beginning once, and again when the ticket goes on after it stopped", async () => {
  const { gate, evidence } = aGate([]);
  await gate.admit(request);
  await gate.admit({ ...request, turn: 1 });
  await gate.release(request);
  await gate.admit({ ...request, turn: 1 });
  await gate.release({ ...request, outcome: "succeeded" });
  expect(evidence).toEqual([
    { kind: "ticket_started", at: 5, askedAt: 5, ticketId: "T", resumed: false },
    { kind: "ticket_stopped", at: 5, ticketId: "T" },
    { kind: "ticket_started", at: 5, askedAt: 5, ticketId: "T", resumed: true },
    { kind: "ticket_ended", at: 5, ticketId: "T", outcome: "succeeded" },
  ]);
});

it("records nothing for a ticket that has to wait", async () => {
  const { gate, evidence } = aGate([{ kind: "wait", reason: "budget_paused", detail: "", retryAfterMs: 1 }]);
  await gate.admit(request);
  await gate.release(request);
  expect(evidence).toEqual([]);
});
