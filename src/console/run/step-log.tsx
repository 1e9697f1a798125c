import { Time, WithCode } from "../pieces.tsx";
import type { LogLine } from "./step-stories.ts";

const maxLines = 200;

/** Lines of a journal with their times in UTC; the newest ones when there are many. */
export function StepLog({ lines }: { readonly lines: readonly LogLine[] }) {
  const hidden = Math.max(0, lines.length - maxLines);
  return (
    <>
      {hidden > 0 ? <p class="quiet">{hidden} earlier lines are in the JSON of the run.</p> : null}
      <ol class="log">
        {lines.slice(hidden).map(({ at, text, tone }) => (
          <li class={tone}>
            <Time at={at} />
            <span>
              <WithCode text={text} />
            </span>
          </li>
        ))}
      </ol>
    </>
  );
}
