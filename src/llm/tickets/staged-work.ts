import { z } from "zod";
import type { Json } from "../../../packages/sdk/src/wire/json.ts";
import { type Checkpoint, omittedFrom } from "./checkpoint.ts";
import { type TicketPhase, ticketPhases } from "./ticket-phase.ts";

const pointer = z.object({
  n: z.int().min(1),
  commit: z.string(),
  tree: z.string(),
  /** What was in the workspace and the checkpoint could not keep; absent when that was nothing. */
  omitted: z.array(z.string()).exactOptional(),
});

/** How a ticket's work names a checkpoint. */
export function pointerTo(checkpoint: Checkpoint): z.output<typeof pointer> {
  const { n, commit, tree } = checkpoint;
  const omitted = omittedFrom(checkpoint);
  return omitted.length === 0 ? { n, commit, tree } : { n, commit, tree, omitted: [...omitted] };
}

const stagedWorkSchema = z.object({
  /** Stages that are done, in their order, each with the checkpoint after it. */
  done: z.array(pointer.extend({ stage: z.enum(ticketPhases) })).default([]),
  /** What the next try begins with, when it is not the last done stage's work. */
  resume: pointer.optional(),
  /** The workspace is made anew before the next stage. */
  fresh: z.boolean().default(false),
  /** The conversation is to be shortened before the next call. */
  compact: z.boolean().default(false),
  /** What the tests or the reviewer said last. */
  complaint: z.string().default(""),
  /** Commit that was published. */
  published: z.string().optional(),
});

/** How far a ticket that is code work is: what its `saved` holds. The work itself is in its checkpoints. */
export type StagedWork = z.output<typeof stagedWorkSchema>;

/** Reads what a ticket has saved; whatever is not ours is a ticket that has done nothing. */
export function parseStagedWork(saved: Json): StagedWork {
  const parsed = stagedWorkSchema.safeParse(saved ?? {});
  return parsed.success ? parsed.data : stagedWorkSchema.parse({});
}

/** The form that is stored. */
export function storedWork(work: StagedWork): Json {
  return z.json().parse(JSON.parse(JSON.stringify(work)));
}

/** The stage that comes next, or undefined when all are done. */
export function nextPhase({ done }: Pick<StagedWork, "done">): TicketPhase | undefined {
  return ticketPhases.find((phase) => !done.some((one) => one.stage === phase));
}
