import { describeCanaryStore } from "../testing/describe-canary-store.ts";
import { describePromptStore } from "../testing/describe-prompt-store.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createMemoryCanaries, createMemoryPrompts } from "./memory-prompts.ts";

describePromptStore("memory", async () => createMemoryPrompts(createFakeClock()));
describeCanaryStore("memory", async () => createMemoryCanaries());
