import { describeSecurityFindings } from "../../test/contracts/describe-security-findings.ts";
import { createMemorySecurityFindings } from "./memory-security-findings.ts";

describeSecurityFindings("memory", async ({ clock, retentionMs }) => createMemorySecurityFindings(clock, retentionMs));
