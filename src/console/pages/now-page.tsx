import type { AskedQuestion } from "../../../packages/sdk/src/wire/questions.ts";
import { span, visibleText } from "../page-format.ts";
import { Empty, Loading, TroubleBanner } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { useReading, useServices } from "../services.ts";
import { useTitle } from "../use-page.ts";
import { RunList, type RunsAnswer } from "./runs-page.tsx";

/** Open questions as the API answers them. */
export interface QuestionsAnswer {
  readonly items: readonly AskedQuestion[];
}

/** Reads what waits and what runs, and shows it. */
export function NowPage() {
  const { clock } = useServices();
  const questions = useReading<QuestionsAnswer>("/api/approvals", () => true);
  const runs = useReading<RunsAnswer>("/api/runs", () => true);
  return <NowView questions={questions} runs={runs} now={clock.now()} />;
}

/** What the first page is drawn from. */
export interface NowViewProps {
  readonly questions: Reading<QuestionsAnswer>;
  readonly runs: Reading<RunsAnswer>;
  readonly now: number;
}

/** The first page: open questions, then the runs that are not finished, then the latest ones. */
export function NowView({ questions, runs, now }: NowViewProps) {
  const asked = questions.body?.items ?? [];
  const title = questions.body === undefined ? "Now" : waiting(asked.length);
  useTitle(title);
  const trouble = runs.trouble ?? (questions.trouble?.status === 403 ? undefined : questions.trouble);
  const open = runs.body?.items.filter(({ state }) => state !== "ended") ?? [];
  const ended = runs.body?.items.filter(({ state }) => state === "ended").slice(0, 10) ?? [];
  return (
    <>
      <h1>{title}</h1>
      {trouble === undefined ? null : <TroubleBanner trouble={trouble} readAt={runs.readAt} />}
      {asked.length === 0 ? null : (
        <ul class="sheet list hot">
          {asked.map(({ question, missing }) => (
            <li>
              <div class="what">
                <a href={`/questions/${encodeURIComponent(question.id)}`}>{visibleText(question.text, 300)}</a>
                <p class="quiet">
                  {visibleText(question.runbookId, 100)}, asked {span(now - question.askedAt)} ago
                  {question.expiresAt === undefined ? "" : `, can be answered for ${span(question.expiresAt - now)}`}
                </p>
              </div>
              <span />
              <p class="at">{missing === 1 ? "1 answer missing" : `${missing} answers missing`}</p>
            </li>
          ))}
        </ul>
      )}
      <section aria-labelledby="open-runs">
        <h2 id="open-runs">Runs under way</h2>
        {runs.body === undefined ? (
          runs.trouble === undefined ? (
            <Loading what="the runs" />
          ) : null
        ) : open.length === 0 ? (
          <Empty>No run is under way.</Empty>
        ) : (
          <RunList runs={open} now={now} />
        )}
      </section>
      {ended.length === 0 ? null : (
        <section aria-labelledby="ended-runs">
          <h2 id="ended-runs">Ended last</h2>
          <RunList runs={ended} now={now} />
          <p>
            <a href="/runs">All runs</a>
          </p>
        </section>
      )}
    </>
  );
}

function waiting(count: number): string {
  if (count === 0) return "No question waits";
  return count === 1 ? "1 question waits for a person" : `${count} questions wait for a person`;
}
