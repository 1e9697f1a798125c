import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";

/** The kill switch, as people hold it. Rejects with `StoreUnavailable` when it cannot be made durable. */
export interface FreezeService {
  /** Every freeze that stands, that of a file included. */
  list(): Promise<readonly Freeze[]>;
  put(freeze: Freeze): Promise<void>;
  /** False: there is no such freeze that could be lifted here. */
  remove(scope: string, by: string): Promise<boolean>;
}
