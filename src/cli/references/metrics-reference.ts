import type { MetricRegistry } from "../../platform/telemetry/declare-metric.ts";

/** Every metric of a registry as a document. */
export async function renderMetricsReference(registry: MetricRegistry): Promise<string> {
  const metrics = await registry.getMetricsAsJSON();
  const labels = new Map(registry.getMetricsAsArray().map((metric) => [metric.name, labelNames(metric)]));
  const rows = metrics
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(
      (metric) =>
        `| \`${metric.name}\` | ${String(metric.type)} | ${
          labels
            .get(metric.name)
            ?.map((label) => `\`${label}\``)
            .join(", ") ?? ""
        } | ${metric.help.replaceAll("|", "\\|")} |`,
    );
  const [runbookd, workload] = [
    rows.filter((row) => row.startsWith("| `runbookd_")),
    rows.filter((row) => !row.startsWith("| `runbookd_")),
  ];
  return `# Metrics

Generated from the registry by \`npm run docs\`. Labels come from closed or capped sets; labels of alerts never become labels of metrics. A gauge whose value cannot be read is absent, never its last value.

## runbookd itself

${table(runbookd)}
## The workload

${table(workload)}`;
}

function table(rows: readonly string[]): string {
  return `| metric | type | labels | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

// prom-client keeps the label names of a metric in a property that its types do not declare.
function labelNames(metric: object): readonly string[] {
  const names: unknown = Reflect.get(metric, "labelNames");
  return Array.isArray(names) ? names.map(String) : [];
}
