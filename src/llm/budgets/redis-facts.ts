import { z } from "zod";
import { batchStates } from "../../../packages/sdk/src/wire/batches.ts";
import type { Budget } from "../../../packages/sdk/src/wire/budgets.ts";
import type { Instant } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { AdmissionFacts } from "./admission.ts";
import { type BatchFacts, readLimits } from "./batch-admission.ts";
import { periodAt } from "./budget-allowance.ts";
import { controlsSchema } from "./controls.ts";

/** The facts, the definition that they rest on, and its version. */
export interface ReadFacts {
  readonly facts: AdmissionFacts;
  readonly definition: Budget;
  readonly definitionVersion: number;
  /** The part of the period's spend that is an estimate. */
  readonly estimatedMicroUsd: MicroUsd;
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
const json = z.string().transform((text): unknown => JSON.parse(text));

const factsSchema = z.tuple([
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
  z.string(), // '1' when the ticket has begun
  z.array(z.string()), // the batch
  amount, // the part of spent that is an estimate
]);

/** The batch's part of the reply, in the order of admission-facts.lua. */
const batchFactsSchema = z.tuple([
  z.enum(["open", "paused"]).catch("open"), // gate
  z.string(), // reason
  amount, // spent
  z.enum(batchStates).catch("open"),
  z.string(), // limits JSON
  z.string(), // concurrency as adapted
  z.string(), // the minute of …
  amount, // … so many starts
  amount, // begun
  amount, // of these ended
  z.string(), // '1' when it was led
  amount, // succeeded
  amount, // failed
  amount, // dead
  amount, // quarantined
  amount, // reserved and taken by no lease
  amount, // reserved by its leases
  amount, // leases
]);

function readBatchFacts(raw: readonly string[], minute: number): BatchFacts | undefined {
  if (raw.length === 0) return undefined;
  const [gate, reason, spent, state, limits, adapted, startedMinute, started, ...remaining] = batchFactsSchema.parse(raw);
  const [begun, begunEnded, pilotPassed, succeeded, failed, dead, quarantined, unleased, inFlight, running] = remaining;
  const configured = readLimits(limits);
  return {
    state,
    gate,
    reason,
    limits: { ...configured, concurrency: adapted === "" ? configured.concurrency : Number(adapted) },
    spentMicroUsd: spent,
    inFlightMicroUsd: inFlight,
    reservedMicroUsd: unleased,
    running,
    startedThisMinute: startedMinute === String(minute) ? started : 0,
    begun,
    begunEnded,
    succeeded,
    unsuccessful: failed + dead + quarantined,
    pilotPassed: pilotPassed === "1",
  };
}

/** Proves the reply of admission-facts.lua. Undefined: there is no such budget. */
export function readFacts(
  raw: unknown,
  asked: { readonly leaseId: string; readonly now: Instant; readonly minuteMs: number },
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
    ...remaining
  ] = factsSchema.parse(raw);
  const [lease, reserved, begun, rawBatch, estimated] = remaining;
  const batch = readBatchFacts(rawBatch, Math.floor(asked.now / asked.minuteMs));
  const { pausedUntil, stopBefore, ...always } = controls;
  return {
    definition: bareBudget(definition),
    definitionVersion,
    estimatedMicroUsd: estimated,
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
      ticketBegun: begun === "1",
      ...(batch === undefined ? {} : { batch }),
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
