import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { createMetrics } from "../src/app/metrics.ts";
import { automationDashboard } from "../src/cli/dashboards/automation-dashboard.ts";
import { batchesDashboard } from "../src/cli/dashboards/batches-dashboard.ts";
import { cachingDashboard } from "../src/cli/dashboards/caching-dashboard.ts";
import { costDashboard } from "../src/cli/dashboards/cost-dashboard.ts";
import { dashboardFiles } from "../src/cli/dashboards/dashboard-files.ts";
import { rolloutDashboard } from "../src/cli/dashboards/rollout-dashboard.ts";
import { securityDashboard } from "../src/cli/dashboards/security-dashboard.ts";
import { seriesNames } from "../src/platform/telemetry/exposition.ts";
import { readPromql } from "../src/runbooks/expressions/promql.ts";

const root = join(import.meta.dirname, "..");
const text = (path: string) => readFileSync(join(root, path), "utf8");

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { readonly record?: string; readonly alert?: string; readonly expr: string }[] }[];
}
const ruleFiles = readdirSync(join(root, "alerts/rules")).map((name) => `alerts/rules/${name}`);
const rules = ruleFiles.flatMap((file) => {
  const { groups }: RuleFile = parse(text(file));
  return groups.flatMap((group) => group.rules.map((rule) => ({ file, ...rule })));
});

const { registry } = createMetrics();
const recorded = rules.flatMap(({ record }) => record ?? []);
const known = new Set([...seriesNames(registry), ...recorded, "up"]);
const labelsOf = new Map(
  registry.getMetricsAsArray().flatMap((metric) => {
    const names = "labelNames" in metric && Array.isArray(metric.labelNames) ? metric.labelNames.map(String) : [];
    return [metric.name, `${metric.name}_bucket`, `${metric.name}_sum`, `${metric.name}_count`].map((name) => [name, names] as const);
  }),
);
// What a scrape adds, and what histograms and recording rules carry.
const everywhere = ["job", "instance", "le", "budget"];

const queries = [
  ...rules.map(({ file, alert, record, expr }) => ({ where: `${file} ${alert ?? record}`, expr })),
  ...[costDashboard(), cachingDashboard(), batchesDashboard(), rolloutDashboard(), securityDashboard(), automationDashboard()].flatMap(
    (dashboard) =>
      (dashboard.panels ?? []).flatMap((panel) =>
        ("targets" in panel ? (panel.targets ?? []) : []).map((target) => ({
          where: `${dashboard.title} › ${panel.title}`,
          expr: "expr" in target ? String(target.expr).replaceAll("$__rate_interval", "1m") : "",
        })),
      ),
  ),
];

describe("rules and dashboards", () => {
  it("are read as PromQL, every one", () => {
    expect(queries.length).toBeGreaterThan(90);
    expect(queries.filter(({ expr }) => expr === "" || readPromql(expr).errorAt !== undefined)).toEqual([]);
  });

  it("read only metrics that are declared or recorded", () => {
    const unknown = queries.flatMap(({ where, expr }) =>
      readPromql(expr)
        .selectors.filter(({ metric }) => metric === undefined || !known.has(metric))
        .map(({ metric }) => `${where}: ${metric}`),
    );
    expect(unknown).toEqual([]);
  });

  it("select only by labels that the metric has", () => {
    const unknown = queries.flatMap(({ where, expr }) =>
      readPromql(expr).selectors.flatMap(({ metric = "", matchers }) =>
        matchers
          .filter(({ label }) => !everywhere.includes(label) && labelsOf.get(metric)?.includes(label) !== true)
          .map(({ label }) => `${where}: ${metric} has no label ${label}`),
      ),
    );
    expect(unknown).toEqual([]);
  });

  it("record each name once", () => {
    expect(recorded.filter((name, index) => recorded.indexOf(name) !== index)).toEqual([]);
  });
});

describe("grafana/dashboards", () => {
  it("holds what the code builds; `npm run dashboards` writes it", () => {
    expect(readdirSync(join(root, "grafana/dashboards")).sort()).toEqual(
      dashboardFiles()
        .map(({ name }) => name)
        .sort(),
    );
    for (const file of dashboardFiles()) expect(text(`grafana/dashboards/${file.name}`)).toBe(file.text);
  });

  it("gives every panel its own id, a description and a place that overlaps no other", () => {
    for (const { text: json } of dashboardFiles()) {
      const {
        panels,
      }: { panels: { id: number; type: string; description?: string; gridPos: { x: number; y: number; w: number; h: number } }[] } =
        JSON.parse(json);
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
      expect(panels.filter(({ type, description = "" }) => type !== "row" && description === "")).toEqual([]);
      const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
        Array.from({ length: w * h }, (_, index) => `${x + (index % w)},${y + Math.floor(index / w)}`),
      );
      expect(new Set(cells).size).toBe(cells.length);
    }
  });

  it("is what the alerts link to", () => {
    const uids = dashboardFiles().map(({ text: json }) => {
      const { uid }: { uid: string } = JSON.parse(json);
      return uid;
    });
    const linked = new Set(
      [
        ...ruleFiles
          .map(text)
          .join("\n")
          .matchAll(/dashboard_url: \S+\/d\/([a-z-]+)\//g),
      ].map((match) => match[1]),
    );
    expect(linked).toEqual(new Set(uids));
  });
});
