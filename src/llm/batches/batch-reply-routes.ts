import { json, problem, type Reply } from "../../platform/http/route.ts";
import type { BatchControl } from "./batch-control.ts";

/** The batch as it is now, with `more` beside it. */
export async function batchReply(control: Pick<BatchControl, "look">, id: string, status = 200, more: object = {}): Promise<Reply> {
  const batch = await control.look(id);
  return batch === undefined ? noBatch(id) : json(status, { ...batch, ...more });
}

/** There is no batch of this id. */
export function noBatch(id: string): Reply {
  return problem("not-found", `There is no batch ${JSON.stringify(id.slice(0, 60))}; GET /api/batches lists them.`);
}
