import { expect, it } from "@jest/globals";
import { describeFollowerBook } from "../../../test/contracts/describe-follower-book.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { workloadKeys } from "../../platform/redis/workload-keys.ts";
import { createFollowerBook } from "./redis-followers.ts";

const held = holdRedis(["--appendfsync", "no"]);

describeFollowerBook("Redis", async (clock) => {
  await held.redis.flushall();
  return createFollowerBook({ redis: held.redis, clock });
});

it("leaves nothing of a document that is not followed any more, and no name of a process", async () => {
  await held.redis.flushall();
  const book = createFollowerBook({ redis: held.redis, clock: createFakeClock() });
  await book.record({ document: "route/implement", instance: "host-7.example", tag: '"1"' });
  const key = workloadKeys.followers("route/implement");
  expect(await held.redis.pttl(key)).toBeGreaterThan(0);
  expect(JSON.stringify(await held.redis.hgetall(key))).not.toContain("host-7");
});
