import { StepFailure } from "../../src/core/failure.ts";
import type { Operation } from "./operations.ts";

/** What a decision other than 0 does to a world. Names that occur more often are drawn more often. */
export const faultKinds = [
  "other",
  "other",
  "other",
  "advance",
  "advance",
  "crash",
  "crash_after",
  "lose_reply",
  "lose_reply",
  "refuse",
  "resend",
  "stop_process",
  "stop_process_after",
  "hold",
  "wake",
  "person",
  "person_stops",
  "freeze",
  "unfreeze",
  "clock",
  "fail_over",
  "fail_over",
  "restart_store",
  "unfit",
  "edit",
  "drain",
  "namesake",
  "plant",
  "crash_sent",
  "authority",
  "late_answer",
] as const;

/** See {@link faultKinds}. */
export type FaultKind = (typeof faultKinds)[number];

/** A decision as what it does, and a number from which the details follow. Undefined for 0. `focus`: places of the only kinds that happen; empty: all do. */
export function faultOf(decision: number, focus: readonly number[]): { readonly kind: FaultKind; readonly argument: number } | undefined {
  if (decision === 0) return undefined;
  const place = (decision - 1) % faultKinds.length;
  const kind = faultKinds[focus[place % Math.max(1, focus.length)] ?? place] ?? "other";
  return { kind, argument: Math.floor((decision - 1) / faultKinds.length) };
}

/** A connection that broke; the only error of the store that is no defect of the product. */
export class ConnectionLost extends Error {
  constructor(label: string) {
    super(`The connection broke: ${label}`);
    this.name = "ConnectionLost";
  }
}

/** What the caller sees of a call whose reply was lost (`applied: unknown`), or that never left (`no`). */
export function errorOf({ port, label }: Operation, applied: "no" | "unknown"): Error {
  if (port !== "target") return new ConnectionLost(label);
  const reason = applied === "no" ? "not_reachable" : "unknown_outcome";
  return new StepFailure({ reason, message: `Simulated: ${label}.`, applied });
}

/** For how long a process is stopped: shorter than its lease, longer, and longer than lease and quarantine together. */
export const stopLengthsMs = [2500, 7000, 13_000, 30_000] as const;

/** How long the network holds a request; a request is over before its quarantine is. */
export const holdLengthsMs = [300, 1500, 4000] as const;

/** By how much the clock of the store is set. */
export const clockJumpsMs = [-5000, 5000, -60_000, 60_000, -3_600_000, 3_600_000] as const;
