import type { ExplainedDecision } from "../../../packages/sdk/src/wire/alerts.ts";
import type { Freeze } from "../../../packages/sdk/src/wire/freezes.ts";
import type { AskedQuestion } from "../../../packages/sdk/src/wire/questions.ts";
import type { RunSummary } from "../../../packages/sdk/src/wire/runs.ts";
import type { HealthCheck } from "../../../packages/sdk/src/wire/service.ts";
import { DecisionList } from "../alerts/decision-list.tsx";
import { idleKinds } from "../alerts/decision-views.ts";
import { Icon } from "../icons.tsx";
import type { ListAnswer } from "../list-page.tsx";
import { timeForReader, visibleText } from "../page-format.ts";
import { Empty, Loading, TroubleBanner, WithCode } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { QuestionList } from "../run/question-list.tsx";
import { type Concern, useReading, useServices } from "../services.ts";
import { useTitle } from "../use-page.ts";
import { RunList } from "./runs-page.tsx";

const always = () => true;
const ofRuns: Concern = (news) => news.event === "run";
const ofFreezes: Concern = (news) => news.event === "freeze";
/** No hint says that this changed: it is read now and then. */
const ofNothing: Concern = () => false;
const failed = new Set(["failed", "ineffective", "inconclusive", "aborted"]);
const dayMs = 86_400_000;

/** Reads what waits, runs, failed and started nothing, and shows it. */
export function NowPage() {
  const { clock } = useServices();
  return (
    <NowView
      questions={useReading<ListAnswer<AskedQuestion>>("/api/approvals", always, ofRuns)}
      open={useReading<ListAnswer<RunSummary>>("/api/runs?state=open", always, ofRuns)}
      ended={useReading<ListAnswer<RunSummary>>("/api/runs?state=ended&limit=50", always, ofRuns)}
      decisions={useReading<ListAnswer<ExplainedDecision>>("/api/decisions", always, ofNothing)}
      freezes={useReading<ListAnswer<Freeze>>("/api/freeze", always, ofFreezes)}
      health={useReading<ListAnswer<HealthCheck>>("/api/health", always, ofNothing)}
      now={clock.now()}
    />
  );
}

/** What the first page is drawn from. */
export interface NowViewProps {
  readonly questions: Reading<ListAnswer<AskedQuestion>>;
  readonly open: Reading<ListAnswer<RunSummary>>;
  readonly ended: Reading<ListAnswer<RunSummary>>;
  readonly decisions: Reading<ListAnswer<ExplainedDecision>>;
  readonly freezes: Reading<ListAnswer<Freeze>>;
  readonly health: Reading<ListAnswer<HealthCheck>>;
  readonly now: number;
}

const shownAtOnce = 10;

/** The first page: what waits for people, what is frozen or unwell, what runs, what failed, and what started nothing. */
export function NowView({ questions, open, ended, decisions, freezes, health, now }: NowViewProps) {
  const asked = questions.body?.items ?? [];
  const title = questions.body === undefined ? "Now" : waiting(asked.length);
  useTitle(title);
  const readings = [questions, open, ended, decisions, freezes, health];
  const cut = readings.find(({ trouble }) => trouble !== undefined);
  const running = open.body?.items ?? [];
  const troubled = (ended.body?.items ?? []).filter(
    ({ outcome, endedAt = 0 }) => outcome !== undefined && failed.has(outcome) && endedAt > now - dayMs,
  );
  const idle = (decisions.body?.items ?? []).filter(({ decision, lastAt }) => idleKinds.has(decision) && lastAt > now - dayMs);
  return (
    <>
      <h1>{title}</h1>
      {cut?.trouble === undefined ? null : <TroubleBanner trouble={cut.trouble} readAt={cut.readAt} />}
      <Freezes freezes={freezes.body?.items ?? []} />
      <Health checks={health.body?.items} isStale={health.trouble !== undefined} />
      {asked.length === 0 ? null : (
        <section aria-labelledby="open-questions">
          <h2 id="open-questions">Questions, by what they hold up</h2>
          <QuestionList asked={asked} now={now} />
        </section>
      )}
      <section aria-labelledby="open-runs">
        <h2 id="open-runs">Runs under way</h2>
        {open.body === undefined ? (
          open.trouble === undefined ? (
            <Loading what="the runs" />
          ) : null
        ) : running.length === 0 ? (
          <Empty>No run is under way.</Empty>
        ) : (
          <>
            <RunList runs={running.slice(0, shownAtOnce)} now={now} />
            {running.length <= shownAtOnce ? null : (
              <p>
                <a href="/runs?state=open">{open.body.nextCursor === undefined ? `All ${running.length} open runs` : "All open runs"}</a>
              </p>
            )}
          </>
        )}
      </section>
      {troubled.length === 0 ? null : (
        <section aria-labelledby="failed-runs">
          <h2 id="failed-runs">Runs of the last day that did not help</h2>
          <RunList runs={troubled.slice(0, shownAtOnce)} now={now} />
        </section>
      )}
      {idle.length === 0 ? null : (
        <section aria-labelledby="idle-alerts">
          <h2 id="idle-alerts">Alerts that started nothing</h2>
          <DecisionList decisions={idle.slice(0, shownAtOnce)} />
        </section>
      )}
      <p class="ways">
        <a href="/runs">All runs</a>
        <a href="/alerts">All decisions about alerts</a>
        <a href="/approvals?state=answered">Answered questions</a>
      </p>
    </>
  );
}

function waiting(count: number): string {
  if (count === 0) return "No question waits";
  return count === 1 ? "1 question waits for a person" : `${count} questions wait for a person`;
}

function Freezes({ freezes }: { readonly freezes: readonly Freeze[] }) {
  return (
    <>
      {freezes.map(({ scope, by, at, reason, undo }) => (
        <section class="banner busy" aria-label="Freeze" key={scope}>
          <Icon name="cold" />
          <p>
            <b>{scope === "all" ? "Everything is frozen" : `${visibleText(scope, 200)} is frozen`}</b> by {visibleText(by, 100)} since{" "}
            {timeForReader(at)}: {visibleText(reason, 300).replace(/[.\s]*$/u, ".")}
            {undo ? "" : " Nothing is undone either."} <code>runbookd unfreeze{scope === "all" ? "" : ` ${visibleText(scope, 200)}`}</code>{" "}
            lifts it.
          </p>
        </section>
      ))}
    </>
  );
}

const tones = { ok: "good", bad: "bad", unknown: "wait" } as const;
const icons = { ok: "check", bad: "warning", unknown: "doubt" } as const;
const stateWords = { ok: "well", bad: "not well", unknown: "unknown" } as const;

/** One line while all is well; what is not well has a line of its own. */
function Health({ checks, isStale }: { readonly checks: readonly HealthCheck[] | undefined; readonly isStale: boolean }) {
  if (checks === undefined || isStale) return null;
  const well = checks.filter(({ state }) => state === "ok");
  const others = checks.filter(({ state }) => state !== "ok");
  return (
    <ul class="health" aria-label="Health">
      {others.map(({ name, state, detail }) => (
        <li class={tones[state]} key={name}>
          <Icon name={icons[state]} label={stateWords[state]} />
          <span>
            <WithCode text={visibleText(detail, 300)} />
          </span>
        </li>
      ))}
      {well.length === 0 ? null : (
        <li class="good">
          <Icon name="check" label="well" />
          <span>{well.map(({ detail }) => visibleText(detail, 200)).join(" ")}</span>
        </li>
      )}
    </ul>
  );
}
