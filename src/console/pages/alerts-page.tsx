import type { ExplainedDecision } from "../../../packages/sdk/src/wire/alerts.ts";
import { DecisionList } from "../alerts/decision-list.tsx";
import { decisionNames, decisionWord } from "../alerts/decision-views.ts";
import { type FilterField, type ListAnswer, ListFrame, timeField, useList } from "../list-page.tsx";
import { Empty } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { type Filter, queryOf } from "../router.ts";
import { useServices } from "../services.ts";
import { useTitle } from "../use-page.ts";

/** Reads the decisions of a filter and shows them. */
export function AlertsPage({ filter }: { readonly filter: Filter }) {
  const { router } = useServices();
  const reading = useList<ExplainedDecision>("/api/decisions", filter);
  return <AlertsView reading={reading} filter={filter} onFilter={(next) => router.go(`/alerts${queryOf(next)}`)} />;
}

const fields: readonly FilterField[] = [
  { name: "decision", label: "Decision", choices: decisionNames, wordOf: decisionWord },
  timeField,
  { name: "alert", label: "Alert" },
  { name: "runbook", label: "Runbook" },
];

/** What the list of decisions is drawn from. */
export interface AlertsViewProps {
  readonly reading: Reading<ListAnswer<ExplainedDecision>>;
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}

/** What came in and what was decided about it. */
export function AlertsView({ reading, filter, onFilter }: AlertsViewProps) {
  useTitle("Alerts");
  const items = reading.body?.items ?? [];
  return (
    <ListFrame title="Alerts" path="/alerts" fields={fields} filter={filter} onFilter={onFilter} reading={reading}>
      {items.length > 0 ? (
        <DecisionList decisions={items} />
      ) : queryOf(filter) === "" ? (
        <Empty>
          No alert has come in within 30 days. <code>runbookd alert test</code> sends one the way of real alerts, and{" "}
          <code>runbookd doctor</code> examines the route to runbookd.
        </Empty>
      ) : (
        <Empty>
          No decision fits this filter. An alert that Alertmanager silences, inhibits or routes elsewhere does not reach runbookd:{" "}
          <code>runbookd doctor</code> examines the route.
        </Empty>
      )}
    </ListFrame>
  );
}
