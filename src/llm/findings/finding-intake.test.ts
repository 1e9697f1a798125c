import { expect, it } from "@jest/globals";
import { aSecurityFinding, aVerdict } from "../../../test/contracts/describe-security-findings.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import type { Feature } from "../../core/feature.ts";
import { createMemorySecurityFindings } from "../../rehearsal/memory-security-findings.ts";
import type { AssessFinding } from "./assess-finding.ts";
import { createFindingIntake } from "./finding-intake.ts";
import { maxOpenFindings, type SecurityFindingStore } from "./security-finding-store.ts";

const feature: Feature = {
  name: "export",
  flags: [],
  budgets: [],
  keys: [],
  versionUrls: [],
  repository: "acme/desk",
  paths: ["src/export"],
};

function anIntake(given: { readonly assess?: AssessFinding; readonly store?: Partial<SecurityFindingStore> } = {}) {
  const clock = createFakeClock(1_000_000);
  const store = { ...createMemorySecurityFindings(clock), ...given.store };
  const assess: AssessFinding = given.assess ?? ((finding) => aVerdict(finding.facts.sourceSeverity ?? "critical"));
  return { clock, store, intake: createFindingIntake({ store, features: [feature], assess, clock }) };
}

const reported = (change: Parameters<typeof aSecurityFinding>[0] = {}) => {
  const { feature: _feature, ...finding } = aSecurityFinding(change);
  return finding;
};

it("keeps a finding in its feature, with a verdict on it at once", async () => {
  const asked: unknown[] = [];
  const { store, intake } = anIntake({
    assess: (finding, ofFeature) => {
      asked.push([finding.ref, ofFeature?.name]);
      return aVerdict("high");
    },
  });
  const results = await intake.take([reported(), reported({ ref: "2", location: {} })]);
  expect(results).toMatchObject([
    { kind: "created", finding: { feature: "export", verdict: { class: "high" } } },
    {
      kind: "created",
      finding: { feature: "unknown", verdict: { class: "high" } },
      reason: "The report names neither a feature nor a repository.",
    },
  ]);
  expect(asked).toEqual([
    ["sql-injection", "export"],
    ["2", undefined],
  ]);
  expect(await store.openCounts()).toHaveLength(2);
});

it("judges anew what has changed, and leaves the verdict on what has not", async () => {
  let judgments = 0;
  const { intake } = anIntake({
    assess: () => {
      judgments += 1;
      return aVerdict("low");
    },
  });
  await intake.take([reported()]);
  await intake.take([reported({ updatedAt: 2000 })]);
  expect(judgments).toBe(1);
  await intake.take([reported({ updatedAt: 3000, facts: {} })]);
  expect(judgments).toBe(2);
});

it("judges what an earlier try has left unjudged", async () => {
  const { store, intake } = anIntake();
  await store.report(aSecurityFinding());
  expect(await intake.take([reported()])).toMatchObject([{ kind: "unchanged", finding: { verdict: { class: "medium" } } }]);
});

it("refuses a time that lies ahead, which would keep every later report away", async () => {
  const { store, intake, clock } = anIntake();
  const results = await intake.take([
    reported({ updatedAt: clock.now() + 3_600_001 }),
    reported({ ref: "2", updatedAt: clock.now() + 3_600_000 }),
  ]);
  expect(results).toMatchObject([
    { kind: "refused", reason: expect.stringContaining("ahead of this server's clock") },
    { kind: "created" },
  ]);
  expect(await store.list({}, 5)).toHaveLength(1);
});

it("says that no more findings can be kept", async () => {
  const { intake } = anIntake({ store: { report: async () => ({ kind: "full" }) } });
  expect(maxOpenFindings).toBeGreaterThan(1000);
  expect(await intake.take([reported()])).toMatchObject([{ kind: "refused", reason: expect.stringContaining("as can be kept") }]);
});

it("has a result for each of many findings, in their order, and cleans their texts", async () => {
  const { store, intake } = anIntake();
  const results = await intake.take(Array.from({ length: 120 }, (_, nth) => reported({ ref: String(nth), title: `<i>${nth}</i>` })));
  expect(results.map((result) => (result.kind === "created" ? result.finding.title : ""))).toEqual(
    Array.from({ length: 120 }, (_, nth) => String(nth)),
  );
  expect(await store.list({}, 200)).toHaveLength(120);
});
