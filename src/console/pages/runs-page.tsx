import type { RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import { type FilterField, type ListAnswer, ListFrame, timeField, useList } from "../list-page.tsx";
import { span, visibleText } from "../page-format.ts";
import { Empty, Pill, Time } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { type Filter, queryOf, runPath } from "../router.ts";
import { outcomeNames, runView, stateNames } from "../run/state-words.ts";
import { useServices } from "../services.ts";
import { useTitle } from "../use-page.ts";

/** One page of the list of runs. */
export type RunsAnswer = ListAnswer<RunSummary>;

/** Reads the runs of a filter and shows them. */
export function RunsPage({ filter }: { readonly filter: Filter }) {
  const { clock, router } = useServices();
  const reading = useList<RunSummary>("/api/runs", filter);
  return <RunsView reading={reading} filter={filter} now={clock.now()} onFilter={(next) => router.go(`/runs${queryOf(next)}`)} />;
}

const fields: readonly FilterField[] = [
  { name: "state", label: "State", choices: ["open", ...stateNames] },
  { name: "outcome", label: "Outcome", choices: outcomeNames },
  timeField,
  { name: "runbook", label: "Runbook" },
  { name: "target", label: "Target" },
  { name: "alert", label: "Alert" },
];

/** What the list of runs is drawn from. */
export interface RunsViewProps {
  readonly reading: Reading<RunsAnswer>;
  readonly filter: Filter;
  readonly now: number;
  readonly onFilter: (filter: Filter) => void;
}

/** The list of runs with its filters. */
export function RunsView({ reading, filter, now, onFilter }: RunsViewProps) {
  useTitle("Runs");
  return (
    <ListFrame title="Runs" path="/runs" fields={fields} filter={filter} onFilter={onFilter} reading={reading}>
      <RunList runs={reading.body?.items ?? []} now={now} isFiltered={queryOf(filter) !== ""} />
    </ListFrame>
  );
}

/** Runs as a list: name, target, state and time of each. */
export function RunList(props: { readonly runs: readonly RunSummary[]; readonly now: number; readonly isFiltered?: boolean }) {
  const { runs, now, isFiltered = false } = props;
  if (runs.length === 0)
    return <Empty>{isFiltered ? "No run fits this filter." : "There is no run yet. An alert that a runbook names starts one."}</Empty>;
  return (
    <ul class="sheet list">
      {runs.map((run) => (
        <li>
          <div class="what">
            <a href={runPath(run.id)}>{visibleText(run.runbookId, 100)}</a>
            <p class="quiet">
              {[run.target, run.alertName, run.state === "ended" ? undefined : run.step]
                .flatMap((part) => (part === undefined ? [] : [visibleText(part, 120)]))
                .join(" · ")}
            </p>
            <Why run={run} />
          </div>
          <Pill view={runView(run, isAsking(run))} />
          <p class="at">
            <Time at={run.acceptedAt} day />
            <span class="quiet">
              {run.endedAt === undefined ? `for ${span(now - run.acceptedAt)}` : `took ${span(run.endedAt - run.acceptedAt)}`}
            </span>
          </p>
        </li>
      ))}
    </ul>
  );
}

/** Whether the run waits for a person. */
function isAsking({ state, note: why }: RunSummary): boolean {
  return state === "suspended" && why?.startsWith("waiting for a person") === true;
}

/** Why a run waits, or ended otherwise than with success. */
function Why({ run }: { readonly run: RunSummary }) {
  const { outcome, note: why } = run;
  return why === undefined || outcome === "succeeded" || isAsking(run) ? null : <p class="quiet">{visibleText(why, 240)}</p>;
}
