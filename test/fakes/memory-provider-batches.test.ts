import { describeProviderBatches } from "../contracts/describe-provider-batches.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryProviderBatches } from "./memory-provider-batches.ts";

describeProviderBatches("Memory", async () => createMemoryProviderBatches(createFakeClock()));
