import { useRef } from "preact/hooks";
import type { AskedQuestion } from "../../../packages/sdk/src/wire/questions.ts";
import { visibleText, words } from "../page-format.ts";
import { Loading, TroubleBanner } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { runPath } from "../router.ts";
import { questionAddress } from "../run/answer-form.tsx";
import { QuestionCard } from "../run/question-card.tsx";
import { Subject } from "../run/question-list.tsx";
import { useNow, useReading } from "../services.ts";
import { useTitle } from "../use-page.ts";

/** Reads one question and shows it; nothing is decided by opening it. */
export function QuestionPage({ id }: { readonly id: string }) {
  const reading = useReading<AskedQuestion>(questionAddress(id), ({ body }) => body?.answer === undefined);
  const now = useNow(reading.body !== undefined && reading.body.answer === undefined);
  const last = useRef<AskedQuestion | undefined>(undefined);
  last.current = reading.body ?? last.current;
  // One question for several runs is gone once it is answered; what was shown of it stays, with what became of it.
  const isOver = reading.trouble?.status === 404 && last.current !== undefined;
  return <QuestionView reading={isOver && last.current !== undefined ? { body: last.current } : reading} now={now} />;
}

/** The page of a question: the question, its plan, and the way to its run. */
export function QuestionView({
  reading: { body, trouble, readAt },
  now,
}: {
  readonly reading: Reading<AskedQuestion>;
  readonly now: number;
}) {
  useTitle(body === undefined ? "Question" : visibleText(body.question.text, 120));
  return (
    <>
      <h1>Question</h1>
      {trouble === undefined ? null : <TroubleBanner trouble={trouble} readAt={readAt} />}
      {body === undefined ? (
        trouble === undefined ? (
          <Loading what="the question" />
        ) : null
      ) : (
        <>
          <p class="lede">
            <span>
              Step "{words(body.question.stepId)}" of{" "}
              <a href={`/runbooks/${encodeURIComponent(body.question.runbookId)}`}>{visibleText(body.question.runbookId, 100)}</a>, run{" "}
              <a href={runPath(body.question.runId)}>{visibleText(body.question.runId, 80)}</a>
            </span>
          </p>
          <div class="single">
            <div class="subject">
              <Subject question={body.question} />
            </div>
            <QuestionCard question={body.question} answer={body.answer} now={now} />
          </div>
        </>
      )}
    </>
  );
}
