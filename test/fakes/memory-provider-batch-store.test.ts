import { describeProviderBatchStore } from "../contracts/describe-provider-batch-store.ts";
import { createMemoryProviderBatchStore } from "./memory-provider-batch-store.ts";

describeProviderBatchStore("Memory", async () => createMemoryProviderBatchStore());
