import { z } from "zod";
import type { BatchView } from "../../../../packages/sdk/src/wire/batches.ts";
import { defineAction } from "../../../actions/define-action.ts";
import { durationParameter, millisecondsOf } from "../../../actions/parameter-types.ts";
import { formatUsd, oneUsd } from "../../../core/money.ts";
import { type BatchControl, isThrough } from "../batch-control.ts";
import { batchesOf, batchOrQueue, readBatch } from "./batch-target.ts";

const progressSchema = z.object({
  ids: z.array(z.string()),
  /** What a report tells; it changes with every tenth of the tickets. */
  headline: z.string(),
  note: z.string(),
  /** Tickets that had ended at the last look at which one more had, and when that was. */
  ended: z.number(),
  since: z.number(),
});

/** Waits until batches are through or have stopped. It holds no worker between looks, and what it sees is the run's progress. */
export const watchBatch = defineAction({
  name: "watch-batch",
  summary:
    "Watches batches until each has ended, has stopped itself or is paused. The run occupies no worker between two looks, and shows progress, forecast and ETA.",
  parameters: z.strictObject({
    ...batchOrQueue,
    every: durationParameter("Time between two looks.").default("30s"),
    stalled_after: durationParameter("So long without an ended ticket is a standstill.").default("30m"),
  }),
  result: {
    batches: "ids that were watched",
    tickets: "how many they have",
    ended: "how many have ended",
    succeeded: "how many were successful",
    unsuccessful: "how many were neither successful nor cancelled",
    through: "whether every one is through",
    stopped: "why the first of them admits nothing any more, or empty",
    stalled: "whether none of their tickets ended for a long time",
    paused: "whether one of them is paused",
    spent_usd: "what they have cost",
    forecast_usd: "what they will have cost",
    per_minute: "tickets that ended per minute, or null",
  },
  effect: "read",
  risk: "none",
  timeoutMs: 30_000,
  probes: false,
  undoes: false,
  behave(parameters, { batches }: { readonly batches: BatchControl }) {
    const everyMs = millisecondsOf(parameters.every);
    const stalledMs = millisecondsOf(parameters.stalled_after);
    return {
      async plan() {
        const ids = await batchesOf(batches, parameters);
        return {
          summary: `Watch ${ids.length === 0 ? "no batch: none is open" : ids.join(", ")}`,
          targets: ids.map((id) => `batch/${id}`),
          changes: [],
          reversible: true,
          data: { ids },
        };
      },
      async run(plan, { progress, clock }) {
        // The ids are those of the plan: a batch that comes later is another run's.
        const before = progress === undefined ? undefined : progressSchema.parse(progress);
        const ids = before?.ids ?? z.object({ ids: z.array(z.string()) }).parse(plan.data).ids;
        const views = await Promise.all(ids.map(async (id) => readBatch(batches, id)));
        const sum = (of: (batch: BatchView) => number) => views.reduce((total, batch) => total + of(batch), 0);
        const ended = sum(({ progress: { ended: one } }) => one);
        const now = clock.now();
        const since = before === undefined || before.ended !== ended ? now : before.since;
        const goesOn = views.some((batch) => !isThrough(batch) && batch.stop === null && batch.gate === "open" && batch.state === "open");
        const stalled = goesOn && now - since >= stalledMs;
        if (goesOn && !stalled) {
          return {
            kind: "continue",
            afterMs: everyMs,
            progress: { ids: [...ids], headline: headlineOf(views), note: detailOf(views), ended, since },
          };
        }
        const rates = views.flatMap(({ progress: { perMinute } }) => (perMinute === null ? [] : [perMinute]));
        const succeeded = sum(({ counts }) => counts.succeeded);
        return {
          kind: "done",
          output: {
            batches: [...ids],
            tickets: sum(({ progress: { tickets } }) => tickets),
            ended,
            succeeded,
            unsuccessful: ended - succeeded - sum(({ counts }) => counts.cancelled),
            through: views.every((batch) => isThrough(batch)),
            stopped: views.find(({ stop }) => stop !== null)?.stop?.hold ?? "",
            stalled,
            paused: views.some(({ gate }) => gate === "paused"),
            spent_usd: sum(({ spentMicroUsd }) => spentMicroUsd) / oneUsd,
            forecast_usd: sum(({ progress: { forecastMicroUsd } }) => forecastMicroUsd) / oneUsd,
            per_minute: rates.length === 0 ? null : rates.reduce((total, rate) => total + rate, 0),
          },
        };
      },
    };
  },
});

function headlineOf(views: readonly BatchView[]): string {
  return views
    .map(
      ({ id, progress: { ended, tickets } }) =>
        `${id}: ${Math.floor((10 * ended) / Math.max(1, tickets)) * 10} % of ${tickets} tickets have ended`,
    )
    .join("; ");
}

function detailOf(views: readonly BatchView[]): string {
  return views
    .map(({ id, progress: { ended, tickets, forecastMicroUsd, etaAt }, spentMicroUsd }) => {
      const eta = etaAt === null ? "" : `, ETA ${new Date(etaAt).toISOString().slice(11, 16)} UTC`;
      return `${id}: ${ended} of ${tickets}, ${formatUsd(spentMicroUsd)} of ~${formatUsd(forecastMicroUsd)}${eta}`;
    })
    .join("; ");
}
