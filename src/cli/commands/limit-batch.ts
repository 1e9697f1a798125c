import { z } from "zod";
import { batchViewSchema } from "../../../packages/sdk/src/wire/batches.ts";
import { oneUsd } from "../../core/money.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, textOption } from "../define-command.ts";

const names = {
  maxCostUsd: ["maxCostMicroUsd", oneUsd],
  perTicketUsd: ["perTicketCapMicroUsd", oneUsd],
  concurrency: ["concurrency", 1],
  rate: ["ratePerMinute", 1],
  maxFailureRatio: ["maxFailureRatio", 1],
  leading: ["pilotTickets", 1],
} as const;

/** `runbookd batches limits`: reads the limits, sets those that are named, and fails when another client changed them in between. */
export const limitBatch: CommandDefinition = {
  usage: "limits <batch>",
  summary: "Set limits of a batch; what is not named stays. A batch that a limit has stopped goes on when it allows that",
  examples: ["runbookd batches limits nightly-2026-01-31 --max-failure-ratio 0.5 --concurrency 4"],
  remote: true,
  options: [
    { flags: "--max-cost-usd <usd>", description: "most that the whole batch may cost" },
    { flags: "--per-ticket-usd <usd>", description: "a ticket that has cost more stops at its next turn" },
    { flags: "--concurrency <count>", description: "tickets at once" },
    { flags: "--rate <count>", description: "tickets that may begin per minute" },
    { flags: "--max-failure-ratio <share>", description: "share of failed tickets at which it stops itself" },
    { flags: "--leading <count>", description: "tickets that go first" },
  ],
  async run([id = ""], invocation) {
    const { context } = invocation;
    const wanted: { [limit: string]: number } = {};
    for (const [option, [limit, factor]] of Object.entries(names)) {
      const value = textOption(invocation, option);
      if (value === undefined) continue;
      if (!/^\d+(\.\d+)?$/.test(value)) {
        context.warn(`${value} is no number.\n`);
        return exitCodes.usage;
      }
      wanted[limit] = factor === 1 ? Number(value) : Math.round(Number(value) * factor);
    }
    if (Object.keys(wanted).length === 0) {
      context.warn("No limit is named; see --help.\n");
      return exitCodes.usage;
    }
    const client = await createApiClient(invocation);
    const path = `/api/batches/${encodeURIComponent(id)}`;
    const before = await client.get(path, limitedSchema);
    if (before.kind !== "ok") return reportFailure(invocation, before);
    const answer = await client.patch(
      path,
      { limits: { ...before.body.limits, ...wanted }, version: before.body.version },
      batchViewSchema,
    );
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else
      context.write(
        `The limits of ${id} are set: ${Object.entries(wanted)
          .map(([limit, value]) => `${limit} ${value}`)
          .join(", ")}.\n`,
      );
    return exitCodes.ok;
  },
};

const limitedSchema = z.looseObject({ version: z.number(), limits: z.record(z.string(), z.unknown()) });
