import type { ExplainedDecision } from "../../../packages/sdk/src/wire/alerts.ts";
import { timeForReader, visibleText } from "../page-format.ts";
import { Pill, Time, WithCode } from "../pieces.tsx";
import { runPath } from "../router.ts";
import { decisionViews } from "./decision-views.ts";

/** Decisions about alerts: what came in, what was decided, why, and what would change it. */
export function DecisionList({ decisions }: { readonly decisions: readonly ExplainedDecision[] }) {
  return (
    <ul class="sheet list">
      {decisions.map((decision) => (
        <li key={decision.id} class="decision">
          <div class="what">
            <AlertName decision={decision} />
            <Labels labels={decision.labels ?? {}} />
            <p>
              <WithCode text={visibleText(decision.why, 600)} />
            </p>
            {decision.remedy === undefined ? null : (
              <p class="remedy">
                <WithCode text={visibleText(decision.remedy, 600)} />
              </p>
            )}
            <Ways decision={decision} />
          </div>
          <Pill view={decisionViews[decision.decision]} />
          <p class="at">
            <Time at={decision.at} day />
            <Repeats decision={decision} />
          </p>
        </li>
      ))}
    </ul>
  );
}

function AlertName({ decision: { alertName, fingerprint } }: { readonly decision: ExplainedDecision }) {
  const text = alertName === undefined ? "An alert without a name" : visibleText(alertName, 200);
  return fingerprint === "" ? (
    <b>{text}</b>
  ) : (
    <a href={`/alerts?fingerprint=${encodeURIComponent(fingerprint)}`} title="Every decision about this alert">
      {text}
    </a>
  );
}

const maxLabels = 8;

function Labels({ labels }: { readonly labels: Readonly<Record<string, string>> }) {
  const entries = Object.entries(labels);
  if (entries.length === 0) return null;
  const shown = entries.slice(0, maxLabels).map(([name, value]) => `${visibleText(name, 60)}=${visibleText(value, 100)}`);
  const more = entries.length > maxLabels ? ` and ${entries.length - maxLabels} more` : "";
  return (
    <p class="quiet">
      {shown.join(", ")}
      {more}
    </p>
  );
}

function Ways({ decision: { runId, runbook } }: { readonly decision: ExplainedDecision }) {
  if (runId === undefined && runbook === undefined) return null;
  return (
    <p class="ways">
      {runId === undefined ? null : <a href={runPath(runId)}>Open the run</a>}
      {runbook === undefined ? null : <a href={`/runbooks/${encodeURIComponent(runbook)}`}>Runbook {visibleText(runbook, 100)}</a>}
    </p>
  );
}

function Repeats({ decision: { count, lastAt } }: { readonly decision: ExplainedDecision }) {
  return count === 1 ? null : (
    <span class="quiet">
      {count.toLocaleString("en-US")} times, last {timeForReader(lastAt)}
    </span>
  );
}
