import type { Redis } from "ioredis";
import { withFlagChanges } from "../llm/changes/change-log.ts";
import type { FlagStore } from "../llm/flags/flag.ts";
import { createFlagStore } from "../llm/flags/redis-store.ts";
import type { Runtime } from "./runtime.ts";

/** The flags of this runbookd; each change of one is noted as a change of the workload. */
export function openFlags({ clock, changeRecorder }: Pick<Runtime, "clock" | "changeRecorder">, redis: Redis): FlagStore {
  return withFlagChanges(createFlagStore({ redis, clock }), changeRecorder);
}
