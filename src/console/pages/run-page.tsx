import type { DocumentTree } from "../../../packages/sdk/src/wire/document-tree.ts";
import type { RunRecord } from "../../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../../packages/sdk/src/wire/questions.ts";
import { Icon } from "../icons.tsx";
import { figure, span, titleText, visibleText, words } from "../page-format.ts";
import { Loading, Pill, Time, TroubleBanner, WithCode } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { Announcer } from "../run/announcer.tsx";
import { RunDocument, stepsOf } from "../run/run-document.tsx";
import { firstChangeMs, runEvents, trackedSamples } from "../run/run-events.ts";
import { currentStates } from "../run/run-step.tsx";
import { SampleChart } from "../run/sample-chart.tsx";
import { runView } from "../run/state-words.ts";
import { StepLog } from "../run/step-log.tsx";
import { openQuestionOf, type StepStory, stepStories, withUnmentioned } from "../run/step-stories.ts";
import { StepTrack } from "../run/step-track.tsx";
import { StopPanel } from "../run/stop-panel.tsx";
import { type Concern, useNow, useReading } from "../services.ts";
import { useHashScroll, useInView, useTitle } from "../use-page.ts";

/** Reads a run and its document, and shows them. */
export function RunPage({ id }: { readonly id: string }) {
  const address = `/api/runs/${encodeURIComponent(id)}`;
  const isAbout: Concern = (news) => news.event === "run" && news.data.id === id;
  // The review is written after the end.
  const isOpen = ({ body }: Reading<RunRecord>) => body?.summary.state !== "ended" || body.report === undefined;
  const record = useReading<RunRecord>(address, isOpen, isAbout);
  const now = useNow(record.body !== undefined && record.body.summary.state !== "ended");
  const document = useReading<DocumentTree>(`${address}/document`);
  useHashScroll(record.body !== undefined && (document.body !== undefined || document.trouble !== undefined));
  return <RunView id={id} record={record} document={document} now={now} />;
}

/** What the page of a run is drawn from. */
export interface RunViewProps {
  readonly id: string;
  readonly record: Reading<RunRecord>;
  readonly document: Reading<DocumentTree>;
  readonly now: number;
}

/** The page of a run: what it is about, where it is, its document, and what happened. */
export function RunView({ id, record, document, now }: RunViewProps) {
  const { body } = record;
  useTitle(body === undefined ? "Run" : titleOf(body, document.body));
  if (body === undefined) {
    return (
      <>
        <h1>Run {visibleText(id, 60)}</h1>
        {record.trouble === undefined ? <Loading what="the run" /> : <TroubleBanner trouble={record.trouble} />}
      </>
    );
  }
  const { journal, summary } = body;
  const steps = stepsOf(document.body?.children ?? []);
  const mentioned = stepStories(journal, summary);
  const stories = withUnmentioned(
    mentioned,
    steps.map((step) => step.id),
    summary,
  );
  const question = openQuestionOf(journal, summary);
  return (
    <>
      {record.trouble === undefined ? null : <TroubleBanner trouble={record.trouble} readAt={record.readAt} />}
      <RunHead record={body} document={document.body} now={now} question={question} />
      <Announcer journal={journal} nameOf={(step) => stepName(steps, step)} />
      <StopPanel summary={summary} />
      <Stakes record={body} />
      {steps.length === 0 ? null : <StepTrack steps={steps} stories={stories} />}
      {question === undefined ? null : <Duty question={question} step={steps.find((step) => step.id === question.stepId)?.number} />}
      <div class="columns">
        <article class="sheet document" aria-label="The document of the run">
          {document.body === undefined ? (
            <WithoutDocument reading={document} stories={mentioned} now={now} />
          ) : (
            <RunDocument tree={document.body} stories={stories} journal={journal} now={now} />
          )}
        </article>
        <Rail record={body} />
      </div>
    </>
  );
}

function stepName(steps: ReturnType<typeof stepsOf>, id: string): string {
  const step = steps.find((one) => one.id === id);
  return step === undefined ? words(id) : `Step ${step.number}`;
}

function titleOf({ journal, summary }: RunRecord, document: DocumentTree | undefined): string {
  const name = titleText(document?.title ?? summary.runbookId);
  const target = summary.target === undefined ? "" : `, ${summary.target}`;
  const state = runView(summary, openQuestionOf(journal, summary) !== undefined).word;
  return visibleText(`${state}: ${name}${target}`, 160);
}

function RunHead(props: {
  readonly record: RunRecord;
  readonly document: DocumentTree | undefined;
  readonly now: number;
  readonly question: Question | undefined;
}) {
  const { record, document, now, question } = props;
  const { summary, journal } = record;
  const steps = stepsOf(document?.children ?? []);
  const stories = stepStories(journal, summary);
  const current = steps.find(({ id }) =>
    question === undefined ? currentStates.has(stories.get(id)?.state ?? "to_come") : id === question.stepId,
  );
  const { endedAt: end, note: why } = summary;
  return (
    <header class="run-head">
      <h1>{titleText(document?.title ?? summary.runbookId)}</h1>
      <p class="lede">
        <Pill view={runView(summary, question !== undefined)} />
        {current === undefined ? null : (
          <span>
            step {current.number} of {steps.length}
          </span>
        )}
        <span class="number">
          {end === undefined ? `${span(now - summary.acceptedAt)} since it was accepted` : `took ${span(end - summary.acceptedAt)}`}
        </span>
        {summary.target === undefined ? null : <span>{visibleText(summary.target, 120)}</span>}
        {summary.mode === "observe" ? <span>only observes</span> : null}
      </p>
      {why === undefined || question !== undefined ? null : <p class="why">{visibleText(why, 600)}</p>}
    </header>
  );
}

/** The tracked metrics, each with its value before. */
function Stakes({ record: { journal, summary } }: { readonly record: RunRecord }) {
  const tracked = [...trackedSamples(journal)].slice(0, 3);
  const firstChange = firstChangeMs(journal);
  if (tracked.length === 0 && firstChange === undefined) return null;
  return (
    <dl class="stakes">
      {tracked.map(([name, samples]) => {
        const [before, last] = [samples[0]?.value, samples.at(-1)?.value];
        return (
          <div>
            <dt>{words(name)}</dt>
            <dd>
              {last === null || last === undefined ? "unknown" : figure(last)}
              <small>{before === null || before === undefined ? "unknown at the start" : `was ${figure(before)} at the start`}</small>
            </dd>
          </div>
        );
      })}
      <div>
        <dt>First change</dt>
        <dd>
          {firstChange === undefined ? "none" : span(firstChange)}
          <small>
            {firstChange === undefined ? (summary.state === "ended" ? "nothing was changed" : "so far") : "after it was accepted"}
          </small>
        </dd>
      </div>
    </dl>
  );
}

/** The open question in one line, with the way to it. */
function Duty({ question, step }: { readonly question: Question; readonly step: number | undefined }) {
  // A telephone shows this as a bar, which goes while the question itself is on the screen.
  const isInView = useInView(`question-${question.id}`);
  return (
    <p class={isInView ? "duty in-view" : "duty"}>
      <Icon name="person" />
      <span>
        <b>{step === undefined ? "The run asks:" : `Step ${step} asks:`}</b> <WithCode text={visibleText(question.text, 200)} />
      </span>
      <a class="button primary" href={step === undefined ? `/questions/${encodeURIComponent(question.id)}` : `#step-${step}`}>
        Read it
      </a>
    </p>
  );
}

/** Without its document a run still has its journal. */
function WithoutDocument(props: {
  readonly reading: Reading<DocumentTree>;
  readonly stories: ReadonlyMap<string, StepStory>;
  readonly now: number;
}) {
  const { reading, stories } = props;
  if (reading.trouble === undefined) return <Loading what="the document" />;
  return (
    <>
      <h2>Steps</h2>
      <p class="quiet">The document cannot be shown: {reading.trouble.detail} Below is what the journal says.</p>
      {[...stories].map(([id, story]) => (
        <section>
          <h3 class="named">{words(id)}</h3>
          <StepLog lines={story.log} />
        </section>
      ))}
    </>
  );
}

function Rail({ record }: { readonly record: RunRecord }) {
  const { summary, journal, report } = record;
  const [accepted] = journal;
  const alert = accepted?.kind === "accepted" ? accepted.request.alert : undefined;
  return (
    <aside class="rail" aria-label="About this run">
      {[...trackedSamples(journal)].map(([name, samples]) =>
        samples.filter(({ value }) => value !== null).length < 2 ? null : (
          <section class="sheet">
            <h2>{words(name)}</h2>
            <div class="inner">
              <SampleChart name={name} samples={samples} />
            </div>
          </section>
        ),
      )}
      <section class="sheet">
        <h2>What happened</h2>
        <div class="inner">
          <StepLog lines={runEvents(journal)} />
          <p class="quiet">Times are in UTC.</p>
        </div>
      </section>
      <section class="sheet">
        <h2>This run</h2>
        <dl class="facts inner">
          <dt>Run</dt>
          <dd>
            <code>{visibleText(summary.id, 80)}</code>
          </dd>
          <dt>Accepted</dt>
          <dd>
            <Time at={summary.acceptedAt} day />
          </dd>
          <dt>Runbook</dt>
          <dd>
            <a href={`/runbooks/${encodeURIComponent(summary.runbookId)}`}>{visibleText(summary.runbookId, 80)}</a>, as of{" "}
            <code>{summary.runbookSha.slice(0, 12)}</code>
          </dd>
          <dt>Mode</dt>
          <dd>{summary.mode}</dd>
          {alert === undefined ? null : <AlertFacts labels={alert.labels} summary={alert.annotations["summary"]} />}
          <dt>JSON</dt>
          <dd>
            <a href={`/api/runs/${encodeURIComponent(summary.id)}`}>the run and its journal</a>
          </dd>
          <dt>Command</dt>
          <dd>
            <code>runbookd runs show {visibleText(summary.id, 80)}</code>
          </dd>
        </dl>
      </section>
      {report === undefined ? null : (
        <section class="sheet">
          <h2>Review</h2>
          <details class="inner">
            <summary>Read the review</summary>
            <pre class="code">{visibleText(report.text, 60_000)}</pre>
          </details>
        </section>
      )}
    </aside>
  );
}

function AlertFacts({ labels, summary }: { readonly labels: { readonly [name: string]: string }; readonly summary: string | undefined }) {
  return (
    <>
      <dt>Alert</dt>
      <dd>
        {visibleText(labels["alertname"] ?? "without a name", 120)}
        {summary === undefined ? null : `: ${visibleText(summary, 300)}`}
      </dd>
      {labels["severity"] === undefined ? null : (
        <>
          <dt>Severity</dt>
          <dd>{visibleText(labels["severity"], 60)}</dd>
        </>
      )}
    </>
  );
}
