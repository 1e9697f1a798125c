import { z } from "zod";
import { type AdmissionAnswer, admissionReasons } from "./admission.ts";
import { usageAnomalies } from "./token-partition.ts";

/** The answer to an admission on the wire: `{leaseId}`, `{wait}` or `{stop}`, each with what belongs to it. */
export const admissionWireSchema = z.union([
  z.object({ leaseId: z.string(), leaseMs: z.number() }),
  z.object({ wait: z.literal(true), reason: z.enum(admissionReasons), detail: z.string(), retryAfterMs: z.number() }),
  z.object({ stop: z.literal(true), reason: z.enum(admissionReasons), detail: z.string(), retryAfterMs: z.number() }),
]);

/** See {@link admissionWireSchema}. */
export type AdmissionWire = z.output<typeof admissionWireSchema>;

/** An answer as it goes over the wire. */
export function admissionToWire(answer: AdmissionAnswer): AdmissionWire {
  if (answer.kind === "admitted") return { leaseId: answer.leaseId, leaseMs: answer.leaseMs };
  const { reason, detail, retryAfterMs } = answer;
  return answer.kind === "wait" ? { wait: true, reason, detail, retryAfterMs } : { stop: true, reason, detail, retryAfterMs };
}

/** An answer as it came over the wire. */
export function admissionFromWire(wire: AdmissionWire): AdmissionAnswer {
  if ("leaseId" in wire) return { kind: "admitted", ...wire };
  const { reason, detail, retryAfterMs } = wire;
  return { kind: "wait" in wire ? "wait" : "stop", reason, detail, retryAfterMs };
}

/** Most events of one request. */
export const mostEventsPerReport = 1000;

/** Most bytes of one request's body, and of the events that a client puts into one: reading them keeps nobody waiting for long. */
export const mostReportBytes = { body: 4 * 1024 * 1024, events: 1024 * 1024 } as const;

/** What became of one reported event. `invalid`: it does not fit the schema; `issues` say where, and it was not counted. */
export const usageResultSchema = z.object({
  id: z.string(),
  result: z.enum(["accepted", "duplicate", "unknown_budget", "invalid"]),
  costMicroUsd: z.number().optional(),
  unpriced: z.string().optional(),
  anomaly: z.enum(usageAnomalies).optional(),
  issues: z.array(z.string()).optional(),
  /** What is wrong with the prefix; the event was counted, its prefix was not kept. */
  prefixIssues: z.array(z.string()).optional(),
});

/** See {@link usageResultSchema}. */
export type UsageResult = z.output<typeof usageResultSchema>;

/** The answer to a report of usage; one result per event, in order. */
export const usageReplySchema = z.object({ results: z.array(usageResultSchema) });
