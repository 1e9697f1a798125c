import { contractTimes, describeBudgetLedger } from "../contracts/describe-budget-ledger.ts";
import { createFakeClock } from "./fake-clock.ts";
import { createMemoryBudgetLedger } from "./memory-budget-ledger.ts";

describeBudgetLedger("memory", async () => {
  const clock = createFakeClock();
  return { clock, ledger: createMemoryBudgetLedger({ clock, times: contractTimes, maxBudgets: 3 }) };
});
