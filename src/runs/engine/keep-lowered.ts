import type { EntryBody } from "./move.ts";
import type { DoneEffect } from "./run-view.ts";

/** The entry for an effect that an undo leaves as it is, because it lowers risk or spend: what was stopped must not begin again with the run that stopped it. */
export function keepLowered({ step, state }: DoneEffect): EntryBody {
  const note = state === "done" ? "it lowers" : "it lowers; an earlier version had begun to undo it, so look at the target";
  return { kind: "undone", step, note, kept: "lowers" };
}
