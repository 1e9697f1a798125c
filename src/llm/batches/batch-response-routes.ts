import type { BatchView } from "../../../packages/sdk/src/wire/batches.ts";
import { type HandlerResponse, json, problem, type Refusal } from "../../platform/http/route.ts";
import type { BatchControl } from "./batch-control.ts";

/** The batch as it is now. */
export async function batchResponse(control: Pick<BatchControl, "get">, id: string): Promise<HandlerResponse<BatchView>> {
  const batch = await control.get(id);
  return batch === undefined ? noBatch(id) : json(batch);
}

/** There is no batch of this id. */
export function noBatch(id: string): Refusal {
  return problem("not-found", `There is no batch ${JSON.stringify(id.slice(0, 60))}; GET /api/batches lists them.`);
}
