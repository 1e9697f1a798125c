import type { Plan } from "../../../packages/sdk/src/wire/plans.ts";
import { Icon } from "../icons.tsx";
import { fieldValue, visibleText, words } from "../page-format.ts";

const maxChanges = 50;

/** What a plan changes: each field before → after, with its target when there are several. */
export function PlanChanges({ plan: { changes } }: { readonly plan: Plan }) {
  if (changes.length === 0) return null;
  const hasTargets = new Set(changes.map(({ target }) => target)).size > 1;
  return (
    <>
      <dl class="changes">
        {changes.slice(0, maxChanges).map(({ target, field, before, after }) => (
          <div>
            <dt>
              {hasTargets ? <span class="target">{visibleText(target, 100)} </span> : null}
              {words(field)}
            </dt>
            <dd class="before">
              <span class="sr">was </span>
              {fieldValue(field, before)}
            </dd>
            <dd class="arrow" aria-hidden="true">
              →
            </dd>
            <dd class="after">
              <span class="sr">becomes </span>
              {fieldValue(field, after)}
            </dd>
          </div>
        ))}
      </dl>
      {changes.length > maxChanges ? (
        <p class="quiet">
          <Icon name="dash" /> {changes.length - maxChanges} more changes; the JSON of the run has all of them.
        </p>
      ) : null}
    </>
  );
}
