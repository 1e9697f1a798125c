import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { words } from "./page-format.ts";
import { Loading, TroubleBanner } from "./pieces.tsx";
import type { Reading } from "./resource.ts";
import { type Filter, queryOf } from "./router.ts";
import { useReading, useServices } from "./services.ts";

/** One page of a list as the API answers it. */
export interface ListAnswer<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

const hourMs = 3_600_000;

/** How far back the filter of time goes. */
const spans: Readonly<Record<string, { readonly text: string; readonly ms: number }>> = {
  "1h": { text: "the last hour", ms: hourMs },
  "24h": { text: "the last day", ms: 24 * hourMs },
  "7d": { text: "the last week", ms: 7 * 24 * hourMs },
};

/** Reads the page of a list that the filter names. */
export function useList<Item>(path: string, filter: Filter): Reading<ListAnswer<Item>> {
  const { clock } = useServices();
  const url = useMemo(() => {
    const { since, ...others } = filter;
    const span = since === undefined ? undefined : spans[since];
    // Whole minutes, so that reading the list again asks for the same page.
    const from = span === undefined ? {} : { since: String(Math.floor((clock.now() - span.ms) / 60_000) * 60_000) };
    return `${path}${queryOf({ ...others, ...from })}`;
  }, [path, queryOf(filter), clock]);
  return useReading<ListAnswer<Item>>(url);
}

/** One filter: a choice, a text or a time. */
export type FilterField =
  | {
      readonly name: string;
      readonly label: string;
      readonly choices: readonly string[];
      readonly wordOf?: (choice: string) => string;
      /** What the list shows while nothing is chosen; `any` when absent. */
      readonly unset?: string;
    }
  | { readonly name: string; readonly label: string };

/** The field that filters by time. */
export const timeField: FilterField = {
  name: "since",
  label: "Time",
  choices: Object.keys(spans),
  wordOf: (choice) => spans[choice]?.text ?? choice,
};

/** What the frame of a list is drawn from. */
export interface ListFrameProps {
  readonly title: string;
  /** The path of the page, such as `/runs`. */
  readonly path: string;
  readonly fields: readonly FilterField[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
  readonly reading: Reading<ListAnswer<unknown>>;
  readonly children: ComponentChildren;
}

/** A list with its filters, and the ways to its older and newest page. */
export function ListFrame({ title, path, fields, filter, onFilter, reading, children }: ListFrameProps) {
  const { body, trouble, readAt } = reading;
  const { cursor, ...first } = filter;
  const next = body?.nextCursor;
  return (
    <>
      <h1>{title}</h1>
      <Filters label={title} fields={fields} filter={first} onFilter={onFilter} />
      {trouble === undefined ? null : <TroubleBanner trouble={trouble} readAt={readAt} />}
      {body === undefined ? trouble === undefined ? <Loading what="the list" /> : null : children}
      {cursor === undefined && next === undefined ? null : (
        <nav class="pages" aria-label="Pages of this list">
          {cursor === undefined ? null : (
            <a class="button" href={`${path}${queryOf(first)}`}>
              Newest
            </a>
          )}
          {next === undefined ? null : (
            <a class="button" href={`${path}${queryOf({ ...first, cursor: next })}`}>
              Older
            </a>
          )}
        </nav>
      )}
    </>
  );
}

function Filters(props: {
  readonly label: string;
  readonly fields: readonly FilterField[];
  readonly filter: Filter;
  readonly onFilter: (filter: Filter) => void;
}) {
  const { label: title, fields, filter, onFilter } = props;
  const change = (name: string, value: string) => {
    const { [name]: _previous, ...others } = filter;
    onFilter(value === "" ? others : { ...others, [name]: value });
  };
  return (
    <form class="filters" role="search" aria-label={title} onSubmit={(event) => event.preventDefault()}>
      {fields.map((field) => (
        <label key={field.name}>
          {field.label}
          {"choices" in field ? (
            <select value={filter[field.name] ?? ""} onChange={(event) => change(field.name, event.currentTarget.value)}>
              <option value="">{field.unset ?? "any"}</option>
              {field.choices.map((choice) => (
                <option value={choice}>{(field.wordOf ?? words)(choice)}</option>
              ))}
            </select>
          ) : (
            <input
              type="text"
              value={filter[field.name] ?? ""}
              onChange={(event) => change(field.name, event.currentTarget.value.trim())}
            />
          )}
        </label>
      ))}
      {Object.keys(filter).length === 0 ? null : (
        <button class="button" type="button" onClick={() => onFilter({})}>
          Show all
        </button>
      )}
    </form>
  );
}
