import { contractTimes, describeWorkloadLedger } from "../contracts/describe-workload-ledger.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryLedger } from "./memory-ledger.ts";

describeWorkloadLedger("memory", async () => {
  const clock = createFakeClock();
  return { clock, ledger: createMemoryLedger({ clock, times: contractTimes }) };
});
