import { describeCacheAnalysisStore } from "../contracts/describe-cache-analysis-store.ts";
import { createMemoryCacheAnalysisStore } from "./memory-cache-analysis-store.ts";

describeCacheAnalysisStore("memory", async () => createMemoryCacheAnalysisStore());
