import type { BatchView } from "../../../packages/sdk/src/wire/batches.ts";
import { json, problem, type Refusal, type RouteReply } from "../../platform/http/route.ts";
import type { BatchControl } from "./batch-control.ts";

/** The batch as it is now. */
export async function batchReply(control: Pick<BatchControl, "look">, id: string): Promise<RouteReply<BatchView>> {
  const batch = await control.look(id);
  return batch === undefined ? noBatch(id) : json(batch);
}

/** There is no batch of this id. */
export function noBatch(id: string): Refusal {
  return problem("not-found", `There is no batch ${JSON.stringify(id.slice(0, 60))}; GET /api/batches lists them.`);
}
