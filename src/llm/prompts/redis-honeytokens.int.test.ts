import { describeHoneytokens } from "../../../test/contracts/describe-honeytokens.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createSystemRandom } from "../../core/random.ts";
import { createHoneytokenStore } from "./redis-honeytokens.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeHoneytokens("Redis", async () => {
  await held.redis.flushall();
  return createHoneytokenStore(held.redis, createSystemRandom());
});
