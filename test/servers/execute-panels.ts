/** A query of a panel and what a real Prometheus answered to it. */
export interface PanelResult {
  readonly dashboard: string;
  readonly panel: string;
  readonly expr: string;
  /** `empty`: no sample, or none that is a number. */
  readonly kind: "data" | "empty" | "error";
  readonly detail: string;
}

/** From and to in UTC milliseconds; `stepSeconds` is also what `$__rate_interval` becomes, four times over. */
export interface PanelRange {
  readonly from: number;
  readonly to: number;
  readonly stepSeconds: number;
}

interface DashboardJson {
  readonly title: string;
  readonly panels: readonly {
    readonly title?: string;
    readonly targets?: readonly { readonly expr: string }[];
    readonly panels?: DashboardJson["panels"];
  }[];
}

/** Executes every query of Grafana dashboards (their JSON texts) over a range, as Grafana would with every variable on *All*. */
export async function executePanels(
  dashboards: readonly string[],
  prometheusUrl: string,
  range: PanelRange,
): Promise<readonly PanelResult[]> {
  const results: PanelResult[] = [];
  for (const text of dashboards) {
    const dashboard: DashboardJson = JSON.parse(text);
    for (const panel of dashboard.panels.flatMap((row) => [row, ...(row.panels ?? [])])) {
      for (const { expr } of panel.targets ?? []) {
        const answer = await execute(substitute(expr, range), prometheusUrl, range);
        results.push({ dashboard: dashboard.title, panel: panel.title ?? "", expr, ...answer });
      }
    }
  }
  return results;
}

function substitute(expr: string, { from, to, stepSeconds }: PanelRange): string {
  return expr
    .replaceAll("$__rate_interval", `${Math.max(1, Math.round(stepSeconds * 4))}s`)
    .replaceAll("$__interval", `${Math.max(1, Math.round(stepSeconds))}s`)
    .replaceAll("$__range", `${Math.max(1, Math.round((to - from) / 1000))}s`)
    .replaceAll(/"\$\{?[a-z_]+\}?"/g, '".+"');
}

async function execute(
  query: string,
  prometheusUrl: string,
  { from, to, stepSeconds }: PanelRange,
): Promise<Pick<PanelResult, "kind" | "detail">> {
  const parameters = new URLSearchParams({ query, start: String(from / 1000), end: String(to / 1000), step: String(stepSeconds) });
  const response = await fetch(`${prometheusUrl}/api/v1/query_range?${parameters.toString()}`, { signal: AbortSignal.timeout(10_000) });
  const answer: { status: string; error?: string; data?: { result: { values: [number, string][] }[] } } = JSON.parse(await response.text());
  if (answer.status !== "success" || answer.data === undefined) return { kind: "error", detail: answer.error ?? `HTTP ${response.status}` };
  const numbers = answer.data.result.flatMap(({ values }) => values).filter(([, value]) => Number.isFinite(Number(value)));
  if (numbers.length === 0) return { kind: "empty", detail: query };
  return { kind: "data", detail: `${answer.data.result.length} series, ${numbers.length} samples` };
}
