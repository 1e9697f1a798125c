import { describeCacheAnalysisStore } from "../contracts/describe-cache-analysis-store.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryCacheAnalysisStore } from "./memory-cache-analysis-store.ts";

describeCacheAnalysisStore("memory", async () => {
  const clock = createFakeClock();
  return { board: createMemoryCacheAnalysisStore(clock), wait: async (ms) => clock.advance(ms) };
});
