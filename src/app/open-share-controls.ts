import type { Redis } from "ioredis";
import { withRouteChanges } from "../llm/changes/change-log.ts";
import { createFlagShare } from "../llm/flags/flag-share.ts";
import { createPromptShare } from "../llm/prompts/prompt-share.ts";
import { createHoneytokenStore } from "../llm/prompts/redis-honeytokens.ts";
import { createPromptRolloutStore } from "../llm/prompts/redis-store.ts";
import { createFollowerBook } from "../llm/rollouts/redis-followers.ts";
import type { ShareControls } from "../llm/rollouts/share-control.ts";
import { createModelRoutingStore } from "../llm/routing/redis-store.ts";
import { createRouteShare } from "../llm/routing/route-share.ts";
import { openFlags } from "./open-flags.ts";
import { openPrompts } from "./open-prompts.ts";
import type { Runtime } from "./runtime.ts";

/** What rollouts change: the models of routes, the versions of prompts and the variants of flags. */
export function openShareControls(runtime: Runtime, redis: Redis): ShareControls {
  const { clock, random, changeRecorder } = runtime;
  const followers = createFollowerBook({ redis, clock });
  const routes = withRouteChanges(createModelRoutingStore({ redis, clock }), changeRecorder);
  return {
    model: createRouteShare({ routes, followers, clock }),
    prompt: createPromptShare({
      prompts: openPrompts(runtime, redis),
      rollouts: createPromptRolloutStore(redis),
      honeytokens: createHoneytokenStore(redis, random),
      followers,
    }),
    flag: createFlagShare({ flags: openFlags(runtime, redis), followers }),
  };
}
