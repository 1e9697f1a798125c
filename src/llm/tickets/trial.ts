import { z } from "zod";
import type { Ticket } from "../../../packages/sdk/src/wire/tickets.ts";

const trialSchema = z.object({ evaluation: z.object({ ticket: z.string(), model: z.string() }) });

/** What a ticket is tried again for: the ticket that it repeats, and the model that does it, as provider/model. */
export type Trial = z.output<typeof trialSchema>["evaluation"];

/** The trial that a ticket is; undefined for work that is to be published. Nothing of a trial leaves its workspace and its checkpoints. */
export function trialOf({ payload }: Pick<Ticket, "payload">): Trial | undefined {
  const parsed = trialSchema.safeParse(payload);
  return parsed.success ? parsed.data.evaluation : undefined;
}

/** The commit that the ticket's batch named as the base of its work. */
export function baseCommitOf({ payload }: Pick<Ticket, "payload">): string | undefined {
  const named = typeof payload === "object" && payload !== null && "base_sha" in payload ? payload["base_sha"] : undefined;
  return typeof named === "string" && /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(named) ? named : undefined;
}
