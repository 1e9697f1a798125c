import { useSignal } from "@preact/signals";
import type { RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import { span, visibleText, words } from "../page-format.ts";
import { Empty, Loading, Pill, Time, TroubleBanner } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { type FilterName, queryOf, type RunsFilter, runPath } from "../router.ts";
import { outcomeNames, runView, stateNames } from "../run/state-words.ts";
import { useReading, useServices } from "../services.ts";
import { useTitle } from "../use-page.ts";

/** One page of the list of runs. */
export interface RunsAnswer {
  readonly items: readonly RunSummary[];
  readonly nextCursor?: string;
}

/** Reads the runs of a filter and shows them. */
export function RunsPage({ filter }: { readonly filter: RunsFilter }) {
  const { clock, router } = useServices();
  const cursor = useSignal<string | undefined>(undefined);
  const query = new URLSearchParams({ ...filter, ...(cursor.value !== undefined && { cursor: cursor.value }) });
  const reading = useReading<RunsAnswer>(`/api/runs${query.size === 0 ? "" : `?${query}`}`);
  return (
    <RunsView
      reading={reading}
      filter={filter}
      now={clock.now()}
      onFilter={(next) => router.go(`/runs${queryOf(next)}`)}
      onMore={(next) => {
        cursor.value = next;
      }}
    />
  );
}

/** What the list of runs is drawn from. */
export interface RunsViewProps {
  readonly reading: Reading<RunsAnswer>;
  readonly filter: RunsFilter;
  readonly now: number;
  readonly onFilter: (filter: RunsFilter) => void;
  readonly onMore: (cursor: string) => void;
}

/** The list of runs with its filters. */
export function RunsView({ reading, filter, now, onFilter, onMore }: RunsViewProps) {
  useTitle("Runs");
  const { body, trouble, readAt } = reading;
  const next = body?.nextCursor;
  return (
    <>
      <h1>Runs</h1>
      <Filters filter={filter} onFilter={onFilter} />
      {trouble === undefined ? null : <TroubleBanner trouble={trouble} readAt={readAt} />}
      {body === undefined ? (
        trouble === undefined ? (
          <Loading what="the runs" />
        ) : null
      ) : (
        <RunList runs={body.items} now={now} isFiltered={queryOf(filter) !== ""} />
      )}
      {next === undefined ? null : (
        <button class="button" type="button" onClick={() => onMore(next)}>
          Older runs
        </button>
      )}
    </>
  );
}

const labels = { state: "State", outcome: "Outcome", runbook: "Runbook", target: "Target" } as const;

function Filters({ filter, onFilter }: Pick<RunsViewProps, "filter" | "onFilter">) {
  const change = (name: FilterName, value: string) => {
    const { [name]: _previous, ...others } = filter;
    onFilter(value === "" ? others : { ...others, [name]: value });
  };
  const select = (name: "state" | "outcome", options: readonly string[]) => (
    <label>
      {labels[name]}
      <select value={filter[name] ?? ""} onChange={(event) => change(name, event.currentTarget.value)}>
        <option value="">any</option>
        {options.map((option) => (
          <option value={option}>{words(option)}</option>
        ))}
      </select>
    </label>
  );
  const input = (name: "runbook" | "target") => (
    <label>
      {labels[name]}
      <input type="text" value={filter[name] ?? ""} onChange={(event) => change(name, event.currentTarget.value.trim())} />
    </label>
  );
  return (
    <form class="filters" role="search" aria-label="Runs" onSubmit={(event) => event.preventDefault()}>
      {select("state", stateNames)}
      {select("outcome", outcomeNames)}
      {input("runbook")}
      {input("target")}
      {queryOf(filter) === "" ? null : (
        <button class="button" type="button" onClick={() => onFilter({})}>
          Show all
        </button>
      )}
    </form>
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
          <Pill view={runView(run)} />
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

/** Why a run waits, or ended otherwise than with success. */
function Why({ run: { outcome, note: why } }: { readonly run: RunSummary }) {
  return why === undefined || outcome === "succeeded" ? null : <p class="quiet">{visibleText(why, 240)}</p>;
}
