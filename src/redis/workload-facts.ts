import { z } from "zod";
import type { Instant } from "../core/clock.ts";
import type { AdmissionFacts } from "../workload/admission.ts";
import type { Budget } from "../workload/budget.ts";
import { periodAt } from "../workload/budget-allowance.ts";
import { controlsSchema } from "../workload/controls.ts";

/** The facts, the definition that they rest on, and its version. */
export interface ReadFacts {
  readonly facts: AdmissionFacts;
  readonly definition: Budget;
  readonly definitionVersion: number;
}

/** A budget as it is stored. */
export const budgetSchema = z.strictObject({
  id: z.string(),
  limitMicroUsd: z.int().min(0),
  periodMs: z.int().min(1),
  periodStartsAt: z.int(),
  profile: z.array(z.number().min(0)).length(168).optional(),
  profileHourMs: z.number().positive().optional(),
});

const amount = z.union([z.literal("").transform(() => 0), z.coerce.number()]);
const limit = z.union([z.literal("").transform(() => null), z.coerce.number()]);
const json = z.string().transform((text): unknown => JSON.parse(text));

const reply = z.tuple([
  json.pipe(budgetSchema), // definition
  z.coerce.number(), // its version
  json.pipe(controlsSchema),
  z.coerce.number(), // their version
  amount, // spent
  amount, // committed
  amount, // running
  amount, // started this minute
  amount, // spent this minute
  amount, // the ticket's spend
  z.string(), // cancelled
  z.string(), // lease JSON
  amount, // reserved by the lease
  z.string(), // the batch's gate
  z.string(), // why
  amount, // the batch's spend
  limit, // the batch's limit
  limit, // the batch's cap per ticket
]);

/** Proves the reply of wl-facts. Undefined: there is no such budget. */
export function readFacts(
  raw: unknown,
  asked: { readonly leaseId: string; readonly hasBatch: boolean; readonly now: Instant; readonly minuteMs: number },
): ReadFacts | undefined {
  if (Array.isArray(raw) && raw.length === 0) return undefined;
  const [
    definition,
    definitionVersion,
    controls,
    version,
    spent,
    committed,
    running,
    started,
    spentMinute,
    ticketSpent,
    cancelled,
    ...rest
  ] = reply.parse(raw);
  const [lease, reserved, gate, reason, batchSpent, maxCost, ticketCap] = rest;
  const { pausedUntil, stopBefore, ...always } = controls;
  return {
    definition: bareBudget(definition),
    definitionVersion,
    facts: {
      limitMicroUsd: definition.limitMicroUsd,
      controls: {
        ...always,
        version,
        ...(pausedUntil === undefined ? {} : { pausedUntil }),
        ...(stopBefore === undefined ? {} : { stopBefore }),
      },
      spentMicroUsd: spent,
      committedMicroUsd: committed,
      running,
      startedThisMinute: started,
      spentThisMinuteMicroUsd: spentMinute,
      ticketSpentMicroUsd: ticketSpent,
      ticketCancelled: cancelled !== "",
      ...(lease === "" ? {} : { lease: { leaseId: asked.leaseId, since: sinceOf(lease), reservedMicroUsd: reserved } }),
      ...(asked.hasBatch && gate !== ""
        ? {
            batch: {
              gate: gate === "paused" ? "paused" : "open",
              reason,
              spentMicroUsd: batchSpent,
              maxCostMicroUsd: maxCost,
              perTicketCapMicroUsd: ticketCap,
            },
          }
        : {}),
      minuteMs: asked.minuteMs,
      periodEndsAt: periodAt(bareBudget(definition), asked.now).endsAt,
    },
  };
}

/** zod's optional members may be present and undefined; ours are absent. */
export function bareBudget({ profile, profileHourMs, ...budget }: z.output<typeof budgetSchema>): Budget {
  return { ...budget, ...(profile === undefined ? {} : { profile }), ...(profileHourMs === undefined ? {} : { profileHourMs }) };
}

function sinceOf(lease: string): Instant {
  return z.object({ since: z.number() }).parse(JSON.parse(lease)).since;
}
