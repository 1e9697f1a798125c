import { expect, it } from "@jest/globals";
import { aBlock, aPrefixSample } from "../../../test/builders/a-prefix-sample.ts";
import { describePrefixSamples } from "../../../test/contracts/describe-prefix-samples.ts";
import { holdRedis } from "../../../test/servers/hold-redis.ts";
import { createPrefixSampleStore } from "./redis-prefix-samples.ts";

const held = holdRedis(["--appendfsync", "no"]);

describePrefixSamples("Redis", async (caps) => {
  await held.redis.flushall();
  return createPrefixSampleStore(held.redis, caps);
});

it("a full group of long conversations stays within a few megabytes", async () => {
  await held.redis.flushall();
  const store = createPrefixSampleStore(held.redis);
  const blocks = Array.from({ length: 100 }, (_, index) => aBlock(`block ${index}`, 500, { role: "user", layer: "history" }));
  for (let start = 0; start < 2000; start += 500)
    await store.add(Array.from({ length: 500 }, (_, index) => aPrefixSample({ id: `s${start + index}`, at: start + index, blocks })));
  const [key] = await held.redis.keys("{wl}:prefix-samples:*[0-9a-f]");
  const bytes = Number(await held.redis.memory("USAGE", key ?? "", "SAMPLES", 0));
  expect(await held.redis.llen(key ?? "")).toBe(2000);
  expect(bytes).toBeLessThan(6_000_000);
});
