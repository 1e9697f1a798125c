import { describeDecisionLog } from "../../test/contracts/describe-decision-log.ts";
import { createMemoryDecisionLog } from "./memory-decision-log.ts";

describeDecisionLog("memory", async (clock, limits) => createMemoryDecisionLog(clock, limits));
