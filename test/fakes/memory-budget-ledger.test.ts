import { contractTimes, describeBudgetLedger } from "../contracts/describe-budget-ledger.ts";
import { describeUsageRecording } from "../contracts/describe-usage-recording.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryBudgetLedger } from "./memory-budget-ledger.ts";

describeBudgetLedger("memory", async () => {
  const clock = createFakeClock();
  return { clock, ledger: createMemoryBudgetLedger({ clock, times: contractTimes, maxBudgets: 3 }) };
});

describeUsageRecording("memory", async () => {
  const clock = createFakeClock();
  return { clock, ledger: createMemoryBudgetLedger({ clock, times: contractTimes }) };
});
