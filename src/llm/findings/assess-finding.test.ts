import { expect, it } from "@jest/globals";
import type { SecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { aSecurityFinding } from "../../../test/contracts/describe-security-findings.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { createMemoryExploitation } from "../../rehearsal/memory-exploitation.ts";
import { createAssessment } from "./assess-finding.ts";

const cve = "CVE-2026-1234";
const clock = createFakeClock(1_800_000_000_000);
const aFinding = (change: Partial<SecurityFinding> = {}): SecurityFinding => ({
  ...aSecurityFinding({ kind: "vulnerability", weakness: { cwe: [], owasp: [], cve }, facts: { sourceSeverity: "low" } }),
  id: "finding-1",
  firstSeenAt: 0,
  verdict: null,
  ...change,
});

it("contains what CISA lists although its source calls it low, and leaves the finding as its source reported it", async () => {
  const store = createMemoryExploitation();
  const finding = aFinding();
  expect(await createAssessment(store, clock)(finding, undefined)).toMatchObject({ class: "medium", contain: false });
  await store.putCatalog({ cves: [cve], released: "2026-11-29T15:00:00Z", complete: true }, clock.now());
  const verdict = await createAssessment(store, clock)(finding, undefined);
  expect(verdict).toMatchObject({ class: "high", contain: true, unknown: expect.not.arrayContaining(["knownExploited"]) });
  expect(finding.facts).toEqual({ sourceSeverity: "low" });
});

it("judges by the finding's own facts alone where no feed is read, or the finding has no CVE", async () => {
  const store = createMemoryExploitation();
  await store.putCatalog({ cves: [cve], released: "", complete: true }, clock.now());
  expect(await createAssessment(undefined, clock)(aFinding(), undefined)).toMatchObject({ contain: false });
  const away = { read: async () => Promise.reject(new Error("It was asked.")) };
  const without = aFinding({ weakness: { cwe: ["CWE-89"], owasp: [] } });
  expect(await createAssessment(away, clock)(without, undefined)).toMatchObject({ contain: false });
});

it("gives no verdict while what is kept of the CVE cannot be read", async () => {
  const away = { read: async () => Promise.reject(new StoreUnavailable(new Error("away"))) };
  await expect(createAssessment(away, clock)(aFinding(), undefined)).rejects.toThrow(StoreUnavailable);
});
