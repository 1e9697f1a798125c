import type { AskedQuestion } from "../../../packages/sdk/src/wire/questions.ts";
import { type FilterField, type ListAnswer, ListFrame, useList } from "../list-page.tsx";
import { visibleText } from "../page-format.ts";
import { Empty, Time, WithCode } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { type Filter, queryOf } from "../router.ts";
import { QuestionList, Subject } from "../run/question-list.tsx";
import { useServices } from "../services.ts";
import { useTitle } from "../use-page.ts";

/** Reads open or answered questions and shows them. */
export function ApprovalsPage({ filter }: { readonly filter: Filter }) {
  const { clock, router } = useServices();
  const reading = useList<AskedQuestion>("/api/approvals", filter);
  return <ApprovalsView reading={reading} filter={filter} now={clock.now()} onFilter={(next) => router.go(`/approvals${queryOf(next)}`)} />;
}

const fields: readonly FilterField[] = [
  { name: "state", label: "Questions", choices: ["answered"], wordOf: () => "answered within 30 days", unset: "open" },
];

/** What the list of questions is drawn from. */
export interface ApprovalsViewProps {
  readonly reading: Reading<ListAnswer<AskedQuestion>>;
  readonly filter: Filter;
  readonly now: number;
  readonly onFilter: (filter: Filter) => void;
}

/** Questions to people: those that are open by what they hold up, or those that were answered. */
export function ApprovalsView({ reading, filter, now, onFilter }: ApprovalsViewProps) {
  useTitle("Approvals");
  const items = reading.body?.items ?? [];
  const isAnswered = filter["state"] === "answered";
  return (
    <ListFrame title="Approvals" path="/approvals" fields={fields} filter={filter} onFilter={onFilter} reading={reading}>
      {items.length === 0 ? (
        <Empty>{isAnswered ? "No question was answered within 30 days." : "No question is open."}</Empty>
      ) : isAnswered ? (
        <AnsweredList asked={items} />
      ) : (
        <QuestionList asked={items} now={now} />
      )}
    </ListFrame>
  );
}

function AnsweredList({ asked }: { readonly asked: readonly AskedQuestion[] }) {
  return (
    <ul class="sheet list">
      {asked.map(({ question, answer }) => (
        <li key={question.id}>
          <div class="what">
            <a href={`/questions/${encodeURIComponent(question.id)}`}>
              <WithCode text={visibleText(question.text, 300)} />
            </a>
            <Subject question={question} />
            {answer === undefined ? null : (
              <p>
                <b>{visibleText(answer.answer, 40)}</b> by {visibleText(answer.by, 100)}
                {answer.reason === "" ? "" : `: ${visibleText(answer.reason, 300)}`}
              </p>
            )}
          </div>
          <span />
          <p class="at">{answer === undefined ? null : <Time at={answer.at} day />}</p>
        </li>
      ))}
    </ul>
  );
}
