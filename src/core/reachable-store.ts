import { StepFailure } from "./failure.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

/** What a store answers. Throws a StepFailure `not_reachable` with `message` when the store does not answer; `applied` says what is certain of the effect then. */
export async function reachableStore<Value>(
  call: Promise<Value>,
  { message, applied }: { readonly message: string; readonly applied: "no" | "unknown" },
): Promise<Value> {
  try {
    return await call;
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    throw new StepFailure({ reason: "not_reachable", message, applied }, { cause: error });
  }
}
