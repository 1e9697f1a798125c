import { describeEvidence } from "../../test/contracts/describe-evidence.ts";
import { createMemoryEvidence } from "./memory-evidence.ts";

describeEvidence("memory", async () => createMemoryEvidence());
