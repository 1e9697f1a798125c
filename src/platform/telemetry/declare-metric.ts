import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Where metrics are declared, each name once. */
export type MetricRegistry = Registry;

/** A metric as its slice declares it. */
export interface MetricDeclaration<Label extends string> {
  readonly name: string;
  /** Becomes the metric's HELP line and its row in docs/reference/metrics.md. */
  readonly help: string;
  readonly labels?: readonly Label[];
}

/** Declares a counter. The series of `known` label values exist at zero, so that the first event is a visible increase. */
export function counter<Label extends string = never>(
  registry: MetricRegistry,
  {
    name,
    help,
    labels = [],
    initialLabels = [],
  }: MetricDeclaration<Label> & { readonly initialLabels?: readonly Readonly<Record<Label, string>>[] },
): Counter<Label> {
  const declared = new Counter({ name, help, labelNames: labels, registers: [registry] });
  for (const values of initialLabels) declared.inc(values, 0);
  return declared;
}

/** Declares a gauge. It has no series until it is set: an unknown value is never shown as 0. */
export function gauge<Label extends string = never>(
  registry: MetricRegistry,
  { name, help, labels = [] }: MetricDeclaration<Label>,
): Gauge<Label> {
  const declared = new Gauge({ name, help, labelNames: labels, registers: [registry] });
  if (labels.length === 0) declared.remove();
  return declared;
}

/** Declares a histogram. `buckets` are upper bounds, ascending. */
export function histogram<Label extends string = never>(
  registry: MetricRegistry,
  { name, help, labels = [], buckets }: MetricDeclaration<Label> & { readonly buckets: readonly number[] },
): Histogram<Label> {
  return new Histogram({ name, help, labelNames: labels, buckets: [...buckets], registers: [registry] });
}
