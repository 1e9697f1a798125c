import { expect, it } from "@jest/globals";
import { aSecurityFinding, aVerdict } from "../../../test/contracts/describe-security-findings.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import type { Feature } from "../../core/feature.ts";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { createMemorySecurityFindings } from "../../rehearsal/memory-security-findings.ts";
import { declareFindingMetrics, observeSecurityFindings } from "./metrics.ts";

const feature: Feature = { name: "export", flags: [], budgets: [], keys: [], paths: [], versionUrls: [] };

function aScrape() {
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareFindingMetrics(exposition.registry) };
  const store = createMemorySecurityFindings(createFakeClock());
  observeSecurityFindings(metrics, store, [feature]);
  const lines = async (begin: string) => (await metrics.metrics()).split("\n").filter((line) => line.startsWith(`${begin}{`));
  const serious = async () => lines("llm_security_finding_open");
  return {
    store,
    serious,
    open: async () => lines("llm_security_findings_open"),
    up: async () => lines("llm_security_source_up"),
    metrics,
  };
}

const series = (severityClass: string, name: string, source: string, count: number) =>
  `llm_security_findings_open{severity_class="${severityClass}",feature="${name}",source="${source}"} ${count}`;

it("shows every feature, class and source from zero on", async () => {
  const { store, open, up } = aScrape();
  expect(await open()).toEqual([]);
  await store.recordSource({ source: "semgrep", up: true });
  expect(await up()).toEqual(['llm_security_source_up{source="semgrep"} 1']);
  expect((await open()).toSorted()).toEqual(
    ["critical", "high", "low", "medium"].flatMap((one) => ["export", "unknown"].map((name) => series(one, name, "semgrep", 0))).toSorted(),
  );
});

it("counts open findings by their class: raised or critical until they are judged", async () => {
  const { store, open } = aScrape();
  const result = await store.report(aSecurityFinding());
  await store.report(aSecurityFinding({ ref: "2", facts: {} }));
  await store.report(aSecurityFinding({ ref: "3", state: "fixed" }));
  expect(await open()).toEqual(
    expect.arrayContaining([series("high", "export", "semgrep", 1), series("critical", "export", "semgrep", 1)]),
  );
  if (result.kind === "full") throw new Error("The store is full.");
  await store.judge({ finding: result.finding, verdict: aVerdict("low") });
  expect(await open()).toEqual(expect.arrayContaining([series("high", "export", "semgrep", 0), series("low", "export", "semgrep", 1)]));
});

it("shows no zero of a source that is down, and what is open by its last word", async () => {
  const { store, open, up } = aScrape();
  await store.report(aSecurityFinding());
  await store.recordSource({ source: "semgrep", up: false, reason: "It answers 403." });
  await store.recordSource({ source: "gitleaks", up: false });
  expect(await open()).toEqual([series("high", "export", "semgrep", 1)]);
  expect(await up()).toEqual(['llm_security_source_up{source="gitleaks"} 0', 'llm_security_source_up{source="semgrep"} 0']);
  await store.recordSource({ source: "semgrep", up: true });
  expect(await open()).toHaveLength(8);
});

it("gives each serious finding a series, which says whether it is to be contained", async () => {
  const { store, serious } = aScrape();
  const result = await store.report(aSecurityFinding());
  await store.report(aSecurityFinding({ ref: "2", facts: { sourceSeverity: "low" } }));
  if (result.kind === "full") throw new Error("The store is full.");
  const { finding } = result;
  const line = (contain: string) =>
    `llm_security_finding_open{finding="${finding.id}",severity_class="high",feature="export",source="semgrep",contain="${contain}"} 1`;
  expect(await serious()).toEqual([line("yes")]);
  await store.judge({ finding, verdict: aVerdict("high") });
  expect(await serious()).toEqual([line("no")]);
  await store.judge({ finding, verdict: aVerdict("low") });
  expect(await serious()).toEqual([]);
});

it("shows nothing when the store does not answer", async () => {
  const exposition = createExposition();
  const metrics = { ...exposition, ...declareFindingMetrics(exposition.registry) };
  const store = createMemorySecurityFindings(createFakeClock());
  await store.report(aSecurityFinding());
  let isAway = false;
  observeSecurityFindings(
    metrics,
    {
      sources: async () => store.sources(),
      openSerious: async () => store.openSerious(),
      openCounts: async () => (isAway ? Promise.reject(new Error("away")) : store.openCounts()),
    },
    [],
  );
  const before = await metrics.metrics();
  expect(before).toContain("llm_security_findings_open{");
  expect(before).toContain("llm_security_finding_open{");
  isAway = true;
  expect(await metrics.metrics()).not.toMatch(/llm_security_(?:findings_open|finding_open|source_up)\{/);
});

it("gives further sources and features one series, which is up when all of them are", async () => {
  const { store, open, up } = aScrape();
  for (let nth = 0; nth < 30; nth += 1) {
    await store.report(aSecurityFinding({ ref: String(nth), source: `scanner-${nth}`, feature: `feature-${nth}` }));
    await store.recordSource({ source: `scanner-${nth}`, up: nth !== 29 });
  }
  const lines = await up();
  expect(lines).toHaveLength(21);
  expect(lines.filter((line) => line.endsWith(" 0"))).toHaveLength(1);
  expect((await open()).some((line) => line.includes('source="other"'))).toBe(true);
});
