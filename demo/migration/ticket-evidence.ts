import { z } from "zod";

const modelName = z.string();

/** One ticket as the application saw itself work on it. Times are UTC in ms of its own clock. */
export const ticketLineSchema = z.object({
  kind: z.literal("ticket"),
  process: z.string(),
  ticketId: z.string(),
  /** The route as this process knew it when it assigned the ticket. */
  route: z.object({
    version: z.number(),
    baseline: modelName,
    candidate: modelName.nullable(),
    share: z.number(),
    salt: z.string(),
  }),
  /** False: the process ignored what it was served, and its route is the one that it knew long before. */
  follows: z.boolean(),
  /** What was told to runbookd, with the share as the process knew it or null; null without a rollout. */
  assignment: z.object({ rollout: z.string(), arm: z.enum(["baseline", "canary"]), share: z.number().nullable() }).nullable(),
  /** When permission was asked for, and when it came. */
  askedAt: z.number(),
  admittedAt: z.number(),
  endedAt: z.number(),
  /** The model of each call, as the provider named it in its replies. */
  models: z.array(modelName),
  outcome: z.enum(["succeeded", "failed"]),
  costMicroUsd: z.number(),
});

/** See {@link ticketLineSchema}. */
export type MigratedTicket = z.output<typeof ticketLineSchema>;

/** Reads the application's evidence. A last line that is not whole yet is left out. */
export function readTickets(text: string): readonly MigratedTicket[] {
  const lines = text.split("\n");
  lines.pop();
  return lines.filter((line) => line !== "").map((line) => ticketLineSchema.parse(JSON.parse(line)));
}
