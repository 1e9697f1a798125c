import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { AskedQuestion, Question } from "../../../packages/sdk/src/wire/questions.ts";
import { Icon } from "../icons.tsx";
import { visibleText } from "../page-format.ts";
import { type Concern, useResource, useServices } from "../services.ts";
import { answerLabel, answersFor, quickReasons, whyNotAnswer } from "./may-answer.ts";
import { PlanChanges } from "./plan-changes.tsx";
import { PlanDifference } from "./plan-difference.tsx";
import { sendAnswer } from "./send-answer.ts";

/** The address of a question. */
export function questionAddress(id: string): string {
  return `/api/approvals/${encodeURIComponent(id)}/question`;
}

/** What the form is drawn with. `evidence`: sentences of the run that can be a reason. */
export interface AnswerFormProps {
  readonly question: Question;
  readonly evidence: readonly string[];
}

/** The plan of a question, who has answered so far, and the answer of the person who reads it. */
export function AnswerForm({ question, evidence }: AnswerFormProps) {
  const { session } = useServices();
  const reader = session.state.value;
  const refusal = reader.kind === "signed_in" ? whyNotAnswer(question, reader) : undefined;
  if (reader.kind !== "signed_in" || refusal !== undefined) {
    return (
      <>
        {question.plan === undefined ? null : <PlanChanges plan={question.plan} />}
        {refusal === undefined ? null : <p class="quiet">{refusal}</p>}
      </>
    );
  }
  return <Form question={question} evidence={evidence} by={reader.name} />;
}

type Sending = "no" | "under way" | "recorded";

function Form({ question, evidence, by }: AnswerFormProps & { readonly by: string }) {
  const { requests, drafts } = useServices();
  const asked = useResource<AskedQuestion>(questionAddress(question.id), ({ body }) => body?.answer === undefined, isAbout(question));
  const latest = asked.reading.value.body ?? { question, consents: [], missing: question.of ?? 1 };
  // What the person read: a plan that changes afterwards is read again before anything is sent.
  const read = useSignal(latest.question);
  const reason = drafts.of(question.id);
  const sending = useSignal<Sending>("no");
  const fault = useSignal("");
  const field = useRef<HTMLTextAreaElement>(null);
  const isChanged = latest.question.planSha !== read.value.planSha;
  const answers = answersFor(latest.question, { name: by });
  const hasAgreed = latest.consents.some((consent) => consent.by === by);

  useEffect(() => {
    if (latest.answer !== undefined) sending.value = "recorded";
  }, [latest.answer]);

  const send = async (answer: string) => {
    // A second tap comes before the page is drawn again.
    if (sending.value !== "no") return;
    if (reason.value.trim() === "") {
      fault.value = "Say why: the reason is recorded with your answer.";
      field.current?.focus();
      return;
    }
    fault.value = "";
    sending.value = "under way";
    const given = { questionId: question.id, answer, reason: reason.value.trim(), planSha: read.value.planSha, by };
    const outcome = await sendAnswer(requests, given, async () => {
      await asked.refreshAgain();
      const { body, trouble } = asked.reading.value;
      return trouble === undefined ? body : undefined;
    });
    if (outcome.kind === "recorded") reason.value = "";
    else if (outcome.kind === "answered") fault.value = "Another answer came first. Yours was not recorded.";
    else if (outcome.kind === "failed") fault.value = outcome.detail;
    const isOver = outcome.kind === "recorded" || outcome.kind === "answered";
    await asked.refreshAgain();
    const now = asked.reading.value.body;
    // One of several approvals is recorded, and the same person may still reject.
    const isOpen = now?.answer === undefined && now?.consents.some((consent) => consent.by === by) === true;
    sending.value = isOver && !isOpen ? "recorded" : "no";
  };

  if (asked.reading.value.trouble?.status === 404 && sending.value === "no")
    return <p class="quiet">This question was answered, or the run no longer asks it.</p>;
  const { plan } = read.value;
  const now = latest.question.plan;
  const isLocked = sending.value !== "no" || isChanged;
  return (
    <>
      {plan === undefined ? null : <PlanChanges plan={plan} />}
      {isChanged && plan !== undefined && now !== undefined ? (
        <PlanDifference
          read={plan}
          current={now}
          onRead={() => {
            read.value = latest.question;
            fault.value = "";
          }}
        />
      ) : null}
      <Consents asked={latest} />
      {sending.value === "recorded" ? (
        <p class="sent" aria-live="polite">
          <Icon name="check" /> {fault.value === "" ? "Your answer is recorded. The run continues." : fault.value}
        </p>
      ) : (
        <form onSubmit={(event) => event.preventDefault()}>
          <label for={`why-${question.id}`}>
            Why <span class="quiet">(recorded in the journal and in the review)</span>
          </label>
          <textarea
            id={`why-${question.id}`}
            ref={field}
            rows={3}
            maxLength={1000}
            value={reason.value}
            aria-describedby={`fault-${question.id}`}
            aria-invalid={fault.value !== ""}
            onInput={(event) => {
              reason.value = event.currentTarget.value;
            }}
          />
          <p class="chips">
            {quickReasons(question, evidence).map((text) => (
              <button
                class="chip"
                type="button"
                onClick={() => {
                  reason.value = withReason(reason.value, text);
                }}
              >
                {visibleText(text, 100)}
              </button>
            ))}
          </p>
          <p class="fault" id={`fault-${question.id}`} role="alert">
            {fault.value}
          </p>
          <p class="answers">
            {answers.map((answer, index) =>
              hasAgreed && answer === "approve" ? null : (
                <button
                  class={index === 0 ? "button primary" : "button"}
                  type="button"
                  aria-disabled={isLocked}
                  onClick={() => (isLocked ? undefined : void send(answer))}
                >
                  {index === 0 ? <Icon name="check" /> : null}
                  {answerLabel(question, answer)}
                </button>
              ),
            )}
            {sending.value === "under way" ? <span class="quiet">Sending …</span> : null}
          </p>
        </form>
      )}
    </>
  );
}

/** Hints about another run say nothing about this question. A question of several runs concerns each of them. */
function isAbout({ runId, group }: Question): Concern {
  return (news) => news.event === "run" && (group !== undefined || news.data.id === runId);
}

/** Adds a reason that was taken with one tap to what is there. */
function withReason(text: string, reason: string): string {
  if (text.includes(reason)) return text;
  return text.trim() === "" ? reason : `${text.trimEnd()}; ${reason}`;
}

function Consents({ asked: { consents, missing, answer } }: { readonly asked: AskedQuestion }) {
  if (consents.length === 0 || answer !== undefined) return null;
  return (
    <p>
      <Icon name="check" /> {consents.map(({ by, reason }) => `${visibleText(by, 100)} approved: ${visibleText(reason, 200)}`).join("; ")}.{" "}
      <b>{missing === 1 ? "1 more person must approve." : `${missing} more people must approve.`}</b>
    </p>
  );
}
