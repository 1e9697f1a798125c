import { expect, it } from "@jest/globals";
import { createExposition } from "../../platform/telemetry/exposition.ts";
import { declareUsageMetrics } from "../usage/metrics.ts";
import { createFeatureReports } from "./feature-reports.ts";
import { countFeatureRequests, declareFeatureMetrics } from "./metrics.ts";

it("counts a report once, however often it is sent, and the next one of the same process", () => {
  const reports = createFeatureReports();
  const report = (reporter: string, sequence: number) => reports.take({ reporter, sequence, counts: [] });
  expect([report("process-1", 1), report("process-1", 1), report("process-2", 1)]).toEqual(["counted", "duplicate", "counted"]);
  expect([report("process-1", 3), report("process-1", 2), report("process-1", 3)]).toEqual(["counted", "duplicate", "duplicate"]);
});

it("remembers the processes that reported last", () => {
  const reports = createFeatureReports();
  for (let nth = 0; nth <= 20_000; nth += 1) reports.take({ reporter: `process-${nth}`, sequence: 1, counts: [] });
  expect(reports.take({ reporter: "process-1", sequence: 1, counts: [] })).toBe("duplicate");
  expect(reports.take({ reporter: "process-0", sequence: 1, counts: [] })).toBe("counted");
});

it("shows a feature at zero before its first request, and at most 40 of them under their name", async () => {
  const exposition = createExposition();
  const metrics = { ...declareUsageMetrics(exposition.registry), ...declareFeatureMetrics(exposition.registry) };
  countFeatureRequests(metrics, [{ feature: "export", served: 0, refused: 0 }]);
  expect((await exposition.metrics()).match(/llm_feature_requests_total\{.*/g)).toEqual([
    'llm_feature_requests_total{feature="export",outcome="served"} 0',
    'llm_feature_requests_total{feature="export",outcome="refused"} 0',
  ]);
  countFeatureRequests(metrics, [{ feature: "export", served: 2, refused: 3 }]);
  for (let nth = 0; nth < 50; nth += 1) countFeatureRequests(metrics, [{ feature: `other-${nth}`, served: 1, refused: 0 }]);
  const text = await exposition.metrics();
  expect(text).toContain('llm_feature_requests_total{feature="export",outcome="served"} 2');
  expect(text).toContain('llm_feature_requests_total{feature="export",outcome="refused"} 3');
  expect(text).toContain('llm_feature_requests_total{feature="other",outcome="served"} 11');
});
