import { describeCacheBoard } from "../contracts/describe-cache-board.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryCacheBoard } from "./memory-cache-board.ts";

describeCacheBoard("memory", async () => {
  const clock = createFakeClock();
  return { board: createMemoryCacheBoard(clock), wait: async (ms) => clock.advance(ms) };
});
