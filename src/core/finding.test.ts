import { expect, it } from "@jest/globals";
import type { FindingComment } from "../../packages/sdk/src/wire/findings.ts";
import { findingStatus } from "./finding.ts";

const note: FindingComment = { status: "accepted", reason: "a nightly job", by: "ada", at: 0, severity: "medium" };

it("a finding is open until a person says something of it, and again when it is graver than it was then", () => {
  expect(findingStatus({ severity: "high" }, undefined)).toBe("open");
  expect(findingStatus({ severity: "medium" }, note)).toBe("accepted");
  expect(findingStatus({ severity: "low" }, note)).toBe("accepted");
  expect(findingStatus({ severity: "high" }, note)).toBe("open");
});
