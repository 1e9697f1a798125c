import type { Runbook } from "../../packages/sdk/src/wire/runbooks.ts";
import { finiteValues } from "./runbook-set.ts";

/** Runbooks by the alert names that can start them, so that one is compared only with those that could take the same alert. */
export interface TriggerIndex {
  /** Replaces the runbook of the same id. */
  add(runbook: Runbook): void;
  remove(id: string): void;
  get(id: string): Runbook | undefined;
  /** Every runbook that could take an alert of the given runbook, or has its id, in the order of `add`; itself is left out. */
  rivalsOf(runbook: Runbook): readonly Runbook[];
  /** Every runbook that an alert of this name could start, in the order of `add`. */
  startedBy(alertname: string): readonly Runbook[];
}

/** An index without runbooks. */
export function createTriggerIndex(): TriggerIndex {
  /** In the order of `add`, which the positions hold too. */
  const runbooks = new Map<
    string,
    { readonly runbook: Runbook; readonly position: number; readonly names: readonly string[] | undefined }
  >();
  const byName = new Map<string, Set<string>>();
  /** Those with a trigger that names no finite set of alerts. */
  const open = new Set<string>();
  let positions = 0;

  const inOrder = (ids: Iterable<string>): readonly Runbook[] =>
    [...new Set(ids)]
      .flatMap((id) => runbooks.get(id) ?? [])
      .toSorted((a, b) => a.position - b.position)
      .map(({ runbook }) => runbook);

  const remove = (id: string): void => {
    for (const name of runbooks.get(id)?.names ?? []) {
      const ids = byName.get(name);
      ids?.delete(id);
      if (ids?.size === 0) byName.delete(name);
    }
    open.delete(id);
    runbooks.delete(id);
  };

  return {
    add(runbook) {
      remove(runbook.id);
      const names = alertNamesOf(runbook);
      positions += 1;
      runbooks.set(runbook.id, { runbook, position: positions, names });
      if (names === undefined) open.add(runbook.id);
      for (const name of names ?? []) byName.set(name, (byName.get(name) ?? new Set()).add(runbook.id));
    },
    remove,
    get: (id) => runbooks.get(id)?.runbook,
    rivalsOf(runbook) {
      if (runbook.triggers.length === 0) return inOrder([runbook.id]).filter((other) => other !== runbook);
      const names = alertNamesOf(runbook);
      const ids = names === undefined ? runbooks.keys() : [...names.flatMap((name) => [...(byName.get(name) ?? [])]), ...open, runbook.id];
      return inOrder(ids).filter((other) => other !== runbook);
    },
    startedBy: (alertname) => inOrder([...(byName.get(alertname) ?? []), ...open]),
  };
}

/** The values of `alertname` that can start it, or undefined when a trigger does not list them. */
function alertNamesOf({ triggers }: Runbook): readonly string[] | undefined {
  const names = triggers.map(({ matchers }) => finiteValues(matchers.filter(({ label }) => label === "alertname")));
  return names.includes(undefined) ? undefined : [...new Set(names.flatMap((some) => some ?? []))];
}
