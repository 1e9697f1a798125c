import { describePrefixSamples } from "../contracts/describe-prefix-samples.ts";
import { createMemoryPrefixSamples } from "./memory-prefix-samples.ts";

describePrefixSamples("memory", async (caps) => createMemoryPrefixSamples(caps));
