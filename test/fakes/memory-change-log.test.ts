import { describeChangeLog } from "../contracts/describe-change-log.ts";
import { createMemoryChangeLog } from "./memory-change-log.ts";

describeChangeLog("memory", async () => createMemoryChangeLog());
