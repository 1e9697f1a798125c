import { z } from "zod";
import type { Instant } from "../../src/core/clock.ts";
import { formatShare } from "../../src/core/share.ts";
import type { ModelCall } from "../simulators/model-server/model-call.ts";

const workedSchema = z.object({
  kind: z.literal("ticket_worked"),
  at: z.number(),
  beganAt: z.number(),
  ticketId: z.string(),
  version: z.number(),
  variant: z.string(),
  ok: z.boolean(),
});

/** One ticket as the application saw itself work on it. */
export type WorkedEntry = z.output<typeof workedSchema>;

/** What a version did, by the provider's own bill. */
export interface BilledVersion {
  readonly tickets: number;
  /** Input tokens read from the cache, of all, 0 to 1. */
  readonly hit: number;
  readonly costPerTicketMicroUsd: number;
}

/** What the demo saw from outside; absent means: not seen. */
export interface CacheObservations {
  trafficAt?: Instant | undefined;
  alertFiringAt?: Instant | undefined;
  acceptedAt?: Instant | undefined;
  draftedAt?: Instant | undefined;
  evaluatedAt?: Instant | undefined;
  canaryAt?: Instant | undefined;
  allTicketsAt?: Instant | undefined;
  promotedAt?: Instant | undefined;
  verifiedAt?: Instant | undefined;
  reportSentAt?: Instant | undefined;
  outcome?: string | undefined;
  run?: string | undefined;
  version?: number | undefined;
  before?: BilledVersion | undefined;
  predicted?: { readonly hit: number; readonly costRatio: number } | undefined;
  after?: BilledVersion | undefined;
  /** With `--kill-worker`: what the journal says against the run after the kill. */
  restartFault?: string | undefined;
  golden?: { readonly tickets: number; readonly unchanged: number } | undefined;
}

/** The stages of the loop. Each must be observed, or the demo has failed. */
export const cacheMilestones: readonly { readonly key: keyof CacheObservations; readonly label: string }[] = [
  { key: "trafficAt", label: "Tickets are worked on with a badly laid out prompt" },
  { key: "alertFiringAt", label: "Prometheus fires: writes are paid and nothing is read" },
  { key: "acceptedAt", label: "Alertmanager calls, runbookd accepts" },
  { key: "draftedAt", label: "A version that says the same in a better order is drafted" },
  { key: "evaluatedAt", label: "The golden tickets come out no worse" },
  { key: "canaryAt", label: "A tenth of the tickets has it" },
  { key: "allTicketsAt", label: "Half, then all of the tickets have it" },
  { key: "promotedAt", label: "It is labelled production" },
  { key: "verifiedAt", label: "The result is verified" },
  { key: "reportSentAt", label: "The report is mailed" },
];

/** Measured hit ratio of what was predicted. */
const minOfPrediction = 0.9;
/** Cost per ticket must fall by this much. */
const minSaving = 0.7;

/** Reads the application's evidence. A last line that is not whole yet is left out. */
export function readWorked(text: string): readonly WorkedEntry[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.filter((line) => line !== "").map((line) => workedSchema.parse(JSON.parse(line)));
}

/** What the provider billed for exactly these tickets. Undefined when there is none. */
export function billedFor(tickets: readonly WorkedEntry[], calls: readonly ModelCall[]): BilledVersion | undefined {
  const ticketIds = new Set(tickets.filter(({ ok }) => ok).map(({ ticketId }) => ticketId));
  if (ticketIds.size === 0) return undefined;
  let read = 0;
  let total = 0;
  let cost = 0;
  for (const { userId = "", tokens, costMicroUsd } of calls) {
    if (!ticketIds.has(userId)) continue;
    read += tokens.read;
    total += tokens.read + tokens.uncached + tokens.write5m + tokens.write1h;
    cost += costMicroUsd;
  }
  return { tickets: ticketIds.size, hit: total === 0 ? 0 : read / total, costPerTicketMicroUsd: Math.round(cost / ticketIds.size) };
}

/** The last line of `--json`; the names are a contract. Times are ISO 8601 in UTC, null when not observed; ratios are 0 to 1. */
export function cacheResultLine(observations: CacheObservations): string {
  const iso = (at: Instant | undefined) => (at === undefined ? null : new Date(at).toISOString());
  const { before, predicted, after } = observations;
  return JSON.stringify({
    outcome: observations.outcome ?? null,
    run: observations.run ?? null,
    version: observations.version ?? null,
    before: before ?? null,
    predicted:
      predicted === undefined || before === undefined
        ? null
        : { hit: predicted.hit, costPerTicketMicroUsd: Math.round(before.costPerTicketMicroUsd * predicted.costRatio) },
    after: after ?? null,
    costReduction: savingOf(observations) ?? null,
    golden: observations.golden ?? null,
    ...Object.fromEntries(
      cacheMilestones.map(({ key }) => {
        const at = observations[key];
        return [key, typeof at === "number" ? iso(at) : null];
      }),
    ),
  });
}

/** What speaks against success, one sentence each; empty only when everything was observed and is as good as promised. */
export function cacheFaults(observations: CacheObservations): readonly string[] {
  const faults = cacheMilestones.filter(({ key }) => observations[key] === undefined).map(({ label }) => `Not observed: ${label}.`);
  if (observations.outcome !== "succeeded")
    faults.push(observations.outcome === undefined ? "Not observed: the end of the run." : `The run ended ${observations.outcome}.`);
  if (observations.restartFault !== undefined) faults.push(observations.restartFault);
  const { after, predicted, golden } = observations;
  if (after === undefined || predicted === undefined) faults.push("The effect was not measured.");
  else if (after.hit < minOfPrediction * predicted.hit)
    faults.push(
      `The provider read ${formatShare(after.hit, { decimals: 1 })} from the cache; ${formatShare(minOfPrediction, { decimals: 1 })} of ${formatShare(predicted.hit, { decimals: 1 })} was promised.`,
    );
  const saving = savingOf(observations);
  if (saving === undefined || saving < minSaving)
    faults.push(
      `Cost per ticket fell by ${saving === undefined ? "an unknown share" : formatShare(saving, { decimals: 1 })}; ${formatShare(minSaving, { decimals: 1 })} is expected.`,
    );
  if (golden === undefined || golden.unchanged < golden.tickets)
    faults.push(`Golden tickets with the same answers: ${golden?.unchanged ?? "unknown"} of ${golden?.tickets ?? "unknown"}.`);
  return faults;
}

/** Share by which the cost per ticket fell. */
export function savingOf({ before, after }: CacheObservations): number | undefined {
  if (before === undefined || after === undefined || before.costPerTicketMicroUsd === 0) return undefined;
  return 1 - after.costPerTicketMicroUsd / before.costPerTicketMicroUsd;
}
