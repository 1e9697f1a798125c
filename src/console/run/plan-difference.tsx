import type { Change, Plan } from "../../../packages/sdk/src/wire/plans.ts";
import { fieldValue, visibleText, words } from "../page-format.ts";

/** One place where two plans differ; a side is absent where a plan does not have the change. */
export interface ChangeDifference {
  readonly target: string;
  readonly field: string;
  readonly read?: Change;
  readonly current?: Change;
}

/** Where the plan that was read and the current one differ, in the order of the current one. */
export function planDifferences(read: Plan, current: Plan): readonly ChangeDifference[] {
  const nameOf = ({ target, field }: Change) => JSON.stringify([target, field]);
  const before = new Map(read.changes.map((change) => [nameOf(change), change]));
  const after = new Map(current.changes.map((change) => [nameOf(change), change]));
  return [...new Set([...after.keys(), ...before.keys()])].flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    const any = now ?? old;
    if (any === undefined || JSON.stringify(old) === JSON.stringify(now)) return [];
    return [{ target: any.target, field: any.field, ...(old !== undefined && { read: old }), ...(now !== undefined && { current: now }) }];
  });
}

const maxShown = 30;

/** What is different in the plan since it was read, and the way to go on. */
export function PlanDifference(props: { readonly read: Plan; readonly current: Plan; readonly onRead: () => void }) {
  const { read, current, onRead } = props;
  const differences = planDifferences(read, current);
  return (
    <div class="banner wait changed" role="alert">
      <div>
        <p>
          <b>The plan changed while you read it. Nothing was sent.</b>
        </p>
        <ul>
          {differences.slice(0, maxShown).map((difference) => (
            <li>{sentenceOf(difference)}</li>
          ))}
          {differences.length > maxShown ? <li>{differences.length - maxShown} more differences</li> : null}
          {differences.length === 0 ? <li>{visibleText(current.summary, 400)}</li> : null}
        </ul>
        <button class="button" type="button" onClick={onRead}>
          I have read the new plan
        </button>
      </div>
    </div>
  );
}

function sentenceOf({ target, field, read, current }: ChangeDifference): string {
  const name = `${words(field)} of ${visibleText(target, 120)}`;
  const arrow = (change: Change) => `${fieldValue(field, change.before)} → ${fieldValue(field, change.after)}`;
  if (current === undefined) return `${name}: no longer in the plan`;
  return read === undefined ? `${name}: new, ${arrow(current)}` : `${name}: ${arrow(current)}, when you read it ${arrow(read)}`;
}
