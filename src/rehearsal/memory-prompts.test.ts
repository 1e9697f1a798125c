import { describePromptRolloutStore } from "../../test/contracts/describe-prompt-rollout-store.ts";
import { describePromptStore } from "../../test/contracts/describe-prompt-store.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryPromptRollouts, createMemoryPrompts } from "./memory-prompts.ts";

describePromptStore("memory", async () => createMemoryPrompts(createFakeClock()));
describePromptRolloutStore("memory", async () => createMemoryPromptRollouts());
