import { describeAttackReplays } from "../../test/contracts/describe-attack-replays.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryAttackReplays } from "./memory-attack-replays.ts";

describeAttackReplays("memory", async () => {
  const clock = createFakeClock(1000);
  return { store: createMemoryAttackReplays(clock), pass: async (ms) => clock.advance(ms) };
});
