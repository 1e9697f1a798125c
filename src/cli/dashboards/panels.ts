import {
  BigValueColorMode,
  LegendDisplayMode,
  LegendPlacement,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import {
  type Dashboard,
  DashboardBuilder,
  DatasourceVariableBuilder,
  type Panel,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from "@grafana/grafana-foundation-sdk/dashboard";
import { DataqueryBuilder } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeseriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** One query of a panel and the text of its legend. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** One panel, as data. */
export interface PanelSpec {
  readonly title: string;
  /** What a reader should conclude from it; shown behind the panel's information mark. */
  readonly description: string;
  /** A unit of Grafana, e.g. `currencyUSD`, `s`, `percentunit`, `short`. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** One number with this value on, or a curve over time. */
  readonly show: "number" | "curve";
  /** Value from which it turns red. */
  readonly alarmAt?: number;
  readonly width?: number;
}

/** A row of panels under a heading. */
export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

const datasource = { type: "prometheus", uid: "${datasource}" };

/** A dashboard whose every query reads the Prometheus that the reader selects. Panels have ids, so that links to them stay valid. */
export function buildDashboard({
  uid,
  title,
  description,
  rows,
  variables = [],
}: {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly RowSpec[];
  readonly variables?: readonly Parameters<DashboardBuilder["withVariable"]>[0][];
}): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(["runbookd"])
    .timezone("browser")
    .time({ from: "now-6h", to: "now" })
    .refresh("30s")
    .readonly()
    .withVariable(new DatasourceVariableBuilder("datasource").label("Prometheus").type("prometheus"));
  for (const variable of variables) builder.withVariable(variable);
  let id = 1;
  for (const row of rows) {
    builder.withRow(new RowBuilder(row.title).id(id++));
    for (const panel of row.panels) builder.withPanel(panel.show === "number" ? number(panel, id++) : curve(panel, id++));
  }
  return builder.build();
}

function number(spec: PanelSpec, id: number): { build(): Panel } {
  const builder = new StatBuilder()
    .colorMode(BigValueColorMode.Value)
    .noValue("unknown")
    .height(4)
    .span(spec.width ?? 4);
  return describe(builder, spec, id);
}

function curve(spec: PanelSpec, id: number): { build(): Panel } {
  const builder = new TimeseriesBuilder()
    .fillOpacity(8)
    .lineWidth(2)
    .legend(new VizLegendOptionsBuilder().displayMode(LegendDisplayMode.List).placement(LegendPlacement.Bottom).showLegend(true))
    .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
    .min(0)
    .height(8)
    .span(spec.width ?? 8);
  return describe(builder, spec, id);
}

function describe<Builder extends StatBuilder | TimeseriesBuilder>(builder: Builder, spec: PanelSpec, id: number): Builder {
  builder.id(id).title(spec.title).description(spec.description).unit(spec.unit).datasource(datasource);
  const steps = [{ value: null, color: "green" }, ...(spec.alarmAt === undefined ? [] : [{ value: spec.alarmAt, color: "red" }])];
  builder.thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps));
  spec.queries.forEach(({ expr, legend }, index) => {
    const query = new DataqueryBuilder()
      .refId(String.fromCodePoint(65 + index))
      .expr(expr)
      .legendFormat(legend);
    builder.withTarget(spec.show === "number" ? query.instant() : query.range());
  });
  return builder;
}
