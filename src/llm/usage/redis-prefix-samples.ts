import { promisify } from "node:util";
import { deflateRaw, inflateRaw } from "node:zlib";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { SampleGroup } from "../../../packages/sdk/src/wire/caches.ts";
import type { PrefixSample } from "../../core/prefix-sample.ts";
import { available } from "../../platform/redis/available.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { defaultSampleCaps, type PrefixSampleStore, type SampleCaps } from "./prefix-samples.ts";

// Most of a sample are names and equal beginnings: it shrinks to a fifth, off the main thread.
const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

const groupTuple = z.tuple([z.string(), z.string(), z.string()]);
const textEntry = z.object({ id: z.string(), texts: z.array(z.object({ block: z.number(), text: z.string() })) });

/** Prefix samples in Redis: one capped list a group. Rejects with StoreUnavailable when Redis does not answer. */
export function createPrefixSampleStore(redis: Redis, caps: SampleCaps = defaultSampleCaps): PrefixSampleStore {
  const addGroup = async (member: string, samples: readonly PrefixSample[]): Promise<void> => {
    const packed = await Promise.all(
      samples.slice(-caps.samples).map(async (sample) => deflate(JSON.stringify({ ...sample, texts: undefined }))),
    );
    const texts = samples.flatMap(({ id, texts: sampleTexts }) =>
      sampleTexts === undefined ? [] : [JSON.stringify({ id, texts: sampleTexts })],
    );
    const newest = Math.max(...samples.map(({ at }) => at));
    const key = keys.samples(member);
    const pipeline = redis.multi().zadd(keys.sampleGroups, "GT", String(newest), member).pexpire(keys.sampleGroups, caps.retentionMs);
    pipeline
      .rpush(key, ...packed)
      .ltrim(key, -caps.samples, -1)
      .pexpire(key, caps.retentionMs);
    if (texts.length > 0) {
      const textKey = keys.sampleTexts(member);
      pipeline
        .rpush(textKey, ...texts)
        .ltrim(textKey, -caps.texts, -1)
        .pexpire(textKey, caps.retentionMs);
    }
    // An error inside the transaction is in its reply, not thrown.
    for (const [error] of (await pipeline.exec()) ?? []) if (error !== null) throw error;
  };

  const dropOldGroups = async (): Promise<void> => {
    const surplus = (await redis.zcard(keys.sampleGroups)) - caps.groups;
    if (surplus <= 0) return;
    const old = await redis.zrange(keys.sampleGroups, 0, String(surplus - 1));
    await redis
      .multi()
      .del(...old.flatMap((member) => [keys.samples(member), keys.sampleTexts(member)]))
      .zrem(keys.sampleGroups, ...old)
      .exec();
  };

  return {
    add: (samples) =>
      available(async () => {
        const byGroup = new Map<string, PrefixSample[]>();
        for (const sample of samples) byGroup.set(memberOf(sample), [...(byGroup.get(memberOf(sample)) ?? []), sample]);
        for (const [member, groupSamples] of byGroup) await addGroup(member, groupSamples);
        await dropOldGroups();
      }),
    groups: () =>
      available(async () => {
        const members = await redis.zrevrange(keys.sampleGroups, 0, -1);
        const lengths = await Promise.all(members.map(async (member) => redis.llen(keys.samples(member))));
        return members.filter((_, index) => (lengths[index] ?? 0) > 0).map(groupOf);
      }),
    read: (group, limit) =>
      available(async () => {
        const member = memberOf(group);
        const [packed, textRows] = await Promise.all([
          redis.lrangeBuffer(keys.samples(member), -Math.max(1, limit), -1),
          redis.lrange(keys.sampleTexts(member), 0, -1),
        ]);
        const texts = new Map(
          textRows.map((row) => textEntry.parse(JSON.parse(row))).map(({ id, texts: sampleTexts }) => [id, sampleTexts]),
        );
        return Promise.all(
          packed.map(async (bytes) => {
            const sample: PrefixSample = JSON.parse((await inflate(bytes)).toString("utf8"));
            const sampleTexts = texts.get(sample.id);
            return sampleTexts === undefined ? sample : { ...sample, texts: sampleTexts };
          }),
        );
      }),
  };
}

function memberOf({ prompt, provider, model }: SampleGroup): string {
  return JSON.stringify([prompt, provider, model]);
}

function groupOf(member: string): SampleGroup {
  const [prompt, provider, model] = groupTuple.parse(JSON.parse(member));
  return { prompt, provider, model };
}
