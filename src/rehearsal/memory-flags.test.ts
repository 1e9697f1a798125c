import { describeFlagStore } from "../../test/contracts/describe-flag-store.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createMemoryFlags } from "./memory-flags.ts";

describeFlagStore("memory", async () => createMemoryFlags(createFakeClock()));
