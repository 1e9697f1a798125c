import type { Answer, Question } from "../../../packages/sdk/src/wire/questions.ts";
import { span, timeForReader, visibleText } from "../page-format.ts";
import { Time, WithCode } from "../pieces.tsx";
import { AnswerForm } from "./answer-form.tsx";

const kindWords = {
  approve: "Approval",
  manual: "A person does this step",
  ask: "Decision",
  in_doubt: "In doubt: did it happen?",
} as const;

/** What happens when a question is not answered in time. */
export function silenceOf({ kind }: Pick<Question, "kind">): string {
  return kind === "approve"
    ? "Without an approval until then nothing of this plan is done, and the step fails."
    : "Without an answer until then the step fails, as if the answer had been no.";
}

/** One question: what is asked, the plan, until when, and who answered what. */
export function QuestionCard(props: {
  readonly question: Question;
  readonly answer?: Answer | undefined;
  readonly now: number;
  /** Sentences of the run that can be the reason of an answer. */
  readonly evidence?: readonly string[];
}) {
  const { question, answer, now, evidence = [] } = props;
  const id = `question-${question.id}`;
  return (
    <section class={answer === undefined ? "question open" : "question"} aria-labelledby={id}>
      <div class="asked">
        <p class="kind">{kindWords[question.kind]}</p>
        <p class="text" id={id}>
          <WithCode text={visibleText(question.text, 600)} />
        </p>
      </div>
      <div class="body">
        {question.plan === undefined || answer !== undefined ? null : <p>{visibleText(question.plan.summary, 600)}</p>}
        {answer === undefined ? (
          <>
            {isOver(question, now) ? null : <AnswerForm key={question.id} question={question} evidence={evidence} />}
            <OpenQuestion question={question} now={now} />
          </>
        ) : (
          <Answered answer={answer} />
        )}
      </div>
    </section>
  );
}

function OpenQuestion({ question, now }: { readonly question: Question; readonly now: number }) {
  const { of = 1, planSha, expiresAt, role, requester, plan } = question;
  return (
    <>
      <p class="fine">
        {expiresAt === undefined ? "This question has no time limit. " : `${whenExpired(expiresAt, now)} ${silenceOf(question)} `}
        {of === 1 ? `One ${role} is enough.` : `${of} different people with the role ${role} must approve; one rejection decides.`}
        {requester === undefined ? null : ` ${visibleText(requester, 100)} started the run and may not approve it.`}
        {plan === undefined ? null : plan.reversible ? " It can be undone." : " It cannot be undone."}
        {planSha === undefined ? null : (
          <>
            {" "}
            Plan <code>{planSha.slice(0, 12)}</code>.
          </>
        )}
      </p>
      <details>
        <summary>Answer with a command</summary>
        <pre class="code">
          {question.answers
            .map((answer) => `runbookd approvals answer ${visibleText(question.id, 100)} ${visibleText(answer, 40)} --reason '…'`)
            .join("\n")}
        </pre>
      </details>
    </>
  );
}

/** Whether it can no longer be answered. */
function isOver({ expiresAt }: Pick<Question, "expiresAt">, now: number): boolean {
  return expiresAt !== undefined && expiresAt <= now;
}

function whenExpired(expiresAt: number, now: number): string {
  if (expiresAt <= now) return `The time to answer ended at ${timeForReader(expiresAt)}.`;
  return `It can be answered until ${timeForReader(expiresAt)}, ${span(expiresAt - now)} from now.`;
}

function Answered({ answer: { answer, by, reason, at, consents = [] } }: { readonly answer: Answer }) {
  return (
    <>
      <p>
        <b>{visibleText(by, 100)}</b> answered <b>{visibleText(answer, 40)}</b> at <Time at={at} /> UTC
        {reason === "" ? "." : `: ${visibleText(reason, 600)}`}
      </p>
      {consents.map((consent) => (
        <p class="quiet">
          {visibleText(consent.by, 100)} agreed at <Time at={consent.at} /> UTC: {visibleText(consent.reason, 600)}
        </p>
      ))}
    </>
  );
}
