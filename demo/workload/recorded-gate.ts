import type { RunbookdClient } from "../../packages/sdk/src/client.ts";
import type { EvidenceLog } from "./evidence-log.ts";

/** The part of the client that lets tickets begin and end. */
export type Gate = Pick<RunbookdClient, "admit" | "extend" | "release">;

/**
 * The same gate, with evidence of every ticket that begins, stops or ends: a permission for a ticket that is not being worked on is a beginning.
 * What is recorded is what the application did, whatever anybody else says about it.
 */
export function recordGate(gate: Gate, evidence: EvidenceLog, now: () => number): Gate {
  const working = new Set<string>();
  return {
    async admit(request) {
      const askedAt = now();
      const answer = await gate.admit(request);
      const { ticketId, turn = 0 } = request;
      if (answer.kind === "admitted" && !working.has(ticketId)) {
        working.add(ticketId);
        evidence.write({ kind: "ticket_started", at: now(), askedAt, ticketId, resumed: turn > 0 });
      }
      return answer;
    },
    extend: (budget, leaseId) => gate.extend(budget, leaseId),
    async release(release) {
      const { ticketId, outcome } = release;
      const wasWorking = working.delete(ticketId);
      if (outcome !== undefined) evidence.write({ kind: "ticket_ended", at: now(), ticketId, outcome });
      else if (wasWorking) evidence.write({ kind: "ticket_stopped", at: now(), ticketId });
      await gate.release(release);
    },
  };
}
