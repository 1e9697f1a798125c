import type { Redis } from "ioredis";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { type DeliveryLog, deliveryRetentionMs } from "./security-finding-store.ts";

/** Deliveries in Redis, each a key that expires. Rejects with StoreUnavailable when Redis does not answer. */
export function createDeliveryLog(redis: Redis): DeliveryLog {
  return {
    has: (id) => available(async () => (await redis.exists(keys.findingDelivery(id))) === 1),
    record: (id) =>
      available(async () => {
        await redis.set(keys.findingDelivery(id), "1", "PX", deliveryRetentionMs);
      }),
  };
}
