import { z } from "zod";
import { jsonSchema } from "../../../packages/sdk/src/wire/json.ts";
import { minuteMs } from "../../core/duration.ts";
import { StepFailure } from "../../core/failure.ts";
import type { LongWork, LongWorkCall } from "../../core/long-work.ts";

/** What a step keeps of work in another system from call to call. */
export const workProgressSchema = z.object({
  /** What the system handed back; absent before its first answer. */
  handle: jsonSchema.exactOptional(),
  /** Calls in a row that came to no answer. */
  unknowns: z.int().min(0),
});

/** See {@link workProgressSchema}. */
export type WorkProgress = z.output<typeof workProgressSchema>;

/** Work that was not begun yet. */
export const noWork: WorkProgress = { unknowns: 0 };

/** Where work is after one call. */
export type PolledWork<Result> =
  | { readonly kind: "running"; readonly afterMs: number; readonly work: WorkProgress; readonly sentence: string }
  | { readonly kind: "done"; readonly result: Result };

/** Calls in a row without an answer before that is the step's failure. */
const maxUnknowns = 3;
const minPollMs = 250;
const maxPollMs = 60_000;
const firstRepeatMs = 2000;
/** A limit of the other system is waited for, and not longer than this. */
const maxLimitMs = 15 * minuteMs;

/**
 * Calls once, and says where the work is. A call of unknown outcome is made again with the same key, because the same key is the same work; so is one that does
 * not reach its system, or that its system refuses for now.
 * @throws StepFailure of the work, and of calls without an answer once there were too many in a row.
 */
export async function pollWork<Result>(
  call: (call: LongWorkCall) => Promise<LongWork<Result>>,
  { key, work, signal }: { readonly key: string; readonly work: WorkProgress; readonly signal: AbortSignal },
): Promise<PolledWork<Result>> {
  try {
    const answer = await call({ key, progress: work.handle, signal });
    if (answer.kind === "done") return answer;
    const afterMs = Math.min(maxPollMs, Math.max(minPollMs, answer.afterMs));
    return { kind: "running", afterMs, work: { handle: answer.progress, unknowns: 0 }, sentence: answer.sentence };
  } catch (error) {
    if (!(error instanceof StepFailure) || signal.aborted || work.unknowns + 1 >= maxUnknowns || !mayPass(error.failure, work)) throw error;
    return {
      kind: "running",
      afterMs: Math.max(Math.min(maxPollMs, firstRepeatMs * 2 ** work.unknowns), Math.min(maxLimitMs, error.failure.retryAfterMs ?? 0)),
      work: { ...work, unknowns: work.unknowns + 1 },
      sentence: `The last call came to no answer and is repeated: ${error.failure.message}`,
    };
  }
}

function mayPass({ reason, applied }: StepFailure["failure"], { handle }: WorkProgress): boolean {
  if (reason === "unknown_outcome" || reason === "timeout") return applied === "unknown" || handle !== undefined;
  return reason === "overloaded" || (handle !== undefined && reason === "not_reachable");
}
