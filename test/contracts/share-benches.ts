import type { Clock } from "../../src/core/clock.ts";
import { definitionOf, type FlagStore, flagDocument, flagTag } from "../../src/llm/flags/flag.ts";
import { createFlagShare } from "../../src/llm/flags/flag-share.ts";
import { type PromptStore, productionLabel } from "../../src/llm/prompts/prompt.ts";
import type { PromptRolloutStore } from "../../src/llm/prompts/prompt-rollout-store.ts";
import { createPromptShare } from "../../src/llm/prompts/prompt-share.ts";
import { promptDocument, readServed } from "../../src/llm/prompts/served-prompt.ts";
import { entityTagOf } from "../../src/llm/rollouts/entity-tag.ts";
import type { FollowerBook } from "../../src/llm/rollouts/followers.ts";
import { type ModelRoutingStore, routeDocument, servedRoute } from "../../src/llm/routing/model-route.ts";
import { createRouteShare } from "../../src/llm/routing/route-share.ts";
import { aDefinition } from "./describe-flag-store.ts";
import { aNewVersion } from "./describe-prompt-store.ts";
import type { ShareBench } from "./describe-share-control.ts";

const [from, to, third] = ["old", "new", "third"].map((model) => ({ provider: "anthropic", model }));

/** The route `implement` with one model. */
export async function aRouteBench(stores: {
  readonly routes: ModelRoutingStore;
  readonly followers: FollowerBook;
  readonly clock: Pick<Clock, "now">;
}): Promise<ShareBench> {
  const { routes, followers, clock } = stores;
  const id = "implement";
  if (from === undefined || to === undefined || third === undefined) throw new Error("There are three models.");
  await routes.set({ id, expected: 0, targets: { baseline: from, candidate: null, fallback: [] }, by: "anna", reason: "first" });
  const read = async () => {
    const route = await routes.read(id);
    if (route === undefined) throw new Error("The route is gone.");
    return route;
  };
  const write = async (change: object) => {
    const { baseline, candidate, fallback, version } = await read();
    await routes.set({ id, expected: version, targets: { baseline, candidate, fallback, ...change }, by: "bert", reason: "other" });
  };
  return {
    control: createRouteShare(stores),
    subject: { kind: "model", route: id, from, to },
    unknown: { kind: "model", route: "nothing", from, to },
    async served() {
      const { baseline, candidate } = await read();
      if (candidate === null) return { main: baseline };
      const { provider, model, share, salt, rollout } = candidate;
      return { main: baseline, trial: { variant: { provider, model }, share, salt, rollout } };
    },
    putOnTrial: async ({ variant, ...trial }) => write({ candidate: { ...(variant === "third" ? third : to), ...trial } }),
    replaceMain: async () => write({ baseline: third }),
    async follow(instance, held) {
      const { tag } = servedRoute(await read(), clock.now());
      await followers.record({ document: routeDocument(id), instance, tag: held === "newest" ? tag : '"older"' });
    },
  };
}

/** The flag `export`, which is on, with four variants and a default of the first. */
export async function aFlagBench(stores: { readonly flags: FlagStore; readonly followers: FollowerBook }): Promise<ShareBench> {
  const { flags, followers } = stores;
  const key = "export";
  const definition = aDefinition({
    type: "string",
    variants: { none: "none", old: "one", new: "two", third: "three" },
    offVariant: "none",
    defaultVariant: "old",
  });
  await flags.set({ key, expected: 0, definition, by: "anna", reason: "first" });
  const read = async () => {
    const flag = await flags.read(key);
    if (flag === undefined) throw new Error("The flag is gone.");
    return flag;
  };
  const write = async (change: object) => {
    const flag = await read();
    await flags.set({ key, expected: flag.version, definition: { ...definitionOf(flag), ...change }, by: "bert", reason: "other" });
  };
  return {
    control: createFlagShare(stores),
    subject: { kind: "flag", flag: key, from: "old", to: "new" },
    unknown: { kind: "flag", flag: "nothing", from: "old", to: "new" },
    async served() {
      const { defaultVariant, rollout: trial } = await read();
      if (trial === null) return { main: defaultVariant };
      const { variant, share, salt, rollout } = trial;
      return { main: defaultVariant, trial: { variant, share, salt, rollout } };
    },
    putOnTrial: async (trial) => write({ rollout: trial }),
    replaceMain: async () => write({ defaultVariant: "third" }),
    async follow(instance, held) {
      await followers.record({ document: flagDocument(key), instance, tag: held === "newest" ? flagTag(await read()) : "older" });
    },
  };
}

/** The prompt `implement` with three versions, the first of them in production. */
export async function aPromptBench(stores: {
  readonly prompts: PromptStore;
  readonly rollouts: PromptRolloutStore;
  readonly followers: FollowerBook;
}): Promise<ShareBench> {
  const { prompts, rollouts, followers } = stores;
  const prompt = "implement";
  for (const text of ["one", "two", "three"]) await prompts.create(prompt, aNewVersion(text), "anna");
  await prompts.moveLabel({ prompt, label: productionLabel, expected: null, to: 1, by: "anna" });
  const production = async () => (await prompts.read(prompt))?.labels[productionLabel] ?? null;
  return {
    control: createPromptShare(stores),
    subject: { kind: "prompt", prompt, from: 1, to: 2 },
    unknown: { kind: "prompt", prompt: "nothing", from: 1, to: 2 },
    async served() {
      const canary = await rollouts.read(prompt);
      const main = await production();
      if (canary === null) return { main };
      const { version, share, salt, rollout } = canary;
      return { main, trial: { variant: version, share, salt, rollout } };
    },
    async putOnTrial({ variant, ...trial }) {
      await rollouts.compareAndSet(prompt, await rollouts.read(prompt), { version: variant === "third" ? 3 : 2, ...trial });
    },
    async replaceMain() {
      await prompts.moveLabel({ prompt, label: productionLabel, expected: await production(), to: 3, by: "bert" });
    },
    async follow(instance, held) {
      const served = await readServed(prompt, stores);
      const tag = served === undefined || held === "older" ? '"older"' : entityTagOf(served);
      await followers.record({ document: promptDocument(prompt), instance, tag });
    },
  };
}
