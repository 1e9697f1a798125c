import type { Redis } from "ioredis";
import { z } from "zod";
import { canonicalJson, jsonSchema } from "../../../packages/sdk/src/wire/json.ts";
import { promptLayoutSchema } from "../../../packages/sdk/src/wire/prompt-layout.ts";
import {
  type PromptRollout,
  type PromptState,
  type PromptVersion,
  promptOrigins,
  promptRolloutSchema,
} from "../../../packages/sdk/src/wire/prompts.ts";
import type { Clock } from "../../core/clock.ts";
import { available } from "../../platform/redis/available.ts";
import { resultList } from "../../platform/redis/script.ts";
import { workloadKeys as keys } from "../../platform/redis/workload-keys.ts";
import { layoutHash, type PromptStore } from "./prompt.ts";
import type { PromptRolloutStore } from "./prompt-rollout-store.ts";
import { promptScripts } from "./redis-scripts.ts";

const stored = z.object({
  prompt: z.string(),
  layout: promptLayoutSchema,
  hash: z.string(),
  origin: z.enum(promptOrigins),
  parent: z.number().optional(),
  note: z.string(),
  evidence: jsonSchema.optional(),
  createdAt: z.number(),
  createdBy: z.string(),
});

/** Fields of a prompt that hold the version of a label begin so. */
const labelPrefix = "label:";

/** Prompts in Redis. Rejects with StoreUnavailable when Redis does not answer. */
export function createPromptStore({ redis, clock }: { readonly redis: Redis; readonly clock: Pick<Clock, "now"> }): PromptStore {
  const version = async (prompt: string, number: number): Promise<PromptVersion | undefined> => {
    const text = await redis.hget(keys.promptVersions(prompt), String(number));
    return text === null ? undefined : readVersion(text, number);
  };
  const read = async (name: string): Promise<PromptState | undefined> => {
    const fields = await redis.hgetall(keys.prompt(name));
    const { latest, ...labelFields } = fields;
    if (latest === undefined) return undefined;
    const labels = Object.entries(labelFields).map(([field, value]) => [field.slice(labelPrefix.length), Number(value)] as const);
    return { name, latest: Number(latest), labels: Object.fromEntries(labels) };
  };

  return {
    create: (prompt, wanted, by) =>
      available(async () => {
        const hash = layoutHash(wanted.layout);
        const body: Omit<PromptVersion, "version"> = { ...wanted, prompt, hash, createdAt: clock.now(), createdBy: by };
        const result = await promptScripts.createVersion.run(redis, {
          keys: { prompt: keys.prompt(prompt), versions: keys.promptVersions(prompt), prompts: keys.prompts },
          args: { name: prompt, layoutHash: hash, versionJson: JSON.stringify(body) },
        });
        const number = Number(result);
        const made = await version(prompt, number);
        if (made === undefined) throw new Error(`Version ${number} of prompt ${prompt} was written and is not there.`);
        return made;
      }),
    version: (prompt, number) => available(() => version(prompt, number)),
    read: (prompt) => available(() => read(prompt)),
    versions: (prompt, limit) =>
      available(async () => {
        const latest = Number((await redis.hget(keys.prompt(prompt), "latest")) ?? 0);
        const numbers = Array.from({ length: Math.min(limit, latest) }, (_, index) => latest - index);
        const loadedVersions = await Promise.all(numbers.map((number) => version(prompt, number)));
        return loadedVersions.filter((one) => one !== undefined);
      }),
    list: ({ after, limit }) =>
      available(async () => {
        const names = await redis.zrangebylex(keys.prompts, after === undefined ? "-" : `(${after}`, "+", "LIMIT", 0, limit);
        const states = await Promise.all(names.map((name) => read(name)));
        return states.filter((one) => one !== undefined);
      }),
    moveLabel: ({ prompt, label, expected, to }) =>
      available(async () => {
        const result = await promptScripts.moveLabel.run(redis, {
          keys: { prompt: keys.prompt(prompt), versions: keys.promptVersions(prompt) },
          args: { label, expectedVersion: expected ?? "", newVersion: to ?? "" },
        });
        const [kind, present] = resultList(result);
        if (kind === "moved") return { kind: "moved", before: expected, after: to };
        if (kind === "not_found") return { kind: "not_found" };
        return { kind: "conflict", present: present === "" ? null : Number(present) };
      }),
  };
}

/** Canaries in Redis, one value a prompt. Rejects with StoreUnavailable when Redis does not answer. */
export function createPromptRolloutStore(redis: Redis): PromptRolloutStore {
  const parse = (text: string | null): PromptRollout | null =>
    text === null || text === "" ? null : promptRolloutSchema.parse(JSON.parse(text));
  const write = (rollout: PromptRollout | null) => (rollout === null ? "" : canonicalJson(rollout));
  return {
    read: (prompt) => available(async () => parse(await redis.get(keys.promptRollout(prompt)))),
    compareAndSet: (prompt, expected, next) =>
      available(async () => {
        const result = await promptScripts.setRollout.run(redis, {
          keys: { rollout: keys.promptRollout(prompt) },
          args: { expected: write(expected), newRollout: write(next) },
        });
        const [kind, present] = resultList(result);
        return kind === "set" ? { set: true, rollout: next } : { set: false, rollout: parse(String(present ?? "")) };
      }),
  };
}

function readVersion(text: string, version: number): PromptVersion {
  const { parent, evidence, ...fields } = stored.parse(JSON.parse(text));
  return { ...fields, version, ...(parent === undefined ? {} : { parent }), ...(evidence === undefined ? {} : { evidence }) };
}
