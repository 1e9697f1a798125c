import type { AskedQuestion, Question, QuestionSubject } from "../../../packages/sdk/src/wire/questions.ts";
import { span, timeForReader, visibleText } from "../page-format.ts";
import { WithCode } from "../pieces.tsx";

/**
 * Open questions by what they hold up: an effect in doubt first, as its target stays locked until it is answered; then what the most runs wait
 * for; then what expires first. A question without an end is the last of its equals, the oldest first.
 */
export function byWhatTheyHoldUp(asked: readonly AskedQuestion[]): readonly AskedQuestion[] {
  const rank = ({ question }: AskedQuestion) => [
    question.kind === "in_doubt" ? 0 : 1,
    -targetsOf(question).length,
    question.expiresAt ?? Number.MAX_VALUE,
    question.askedAt,
  ];
  return asked.toSorted((a, b) => {
    const [rankOfA, rankOfB] = [rank(a), rank(b)];
    const place = rankOfA.findIndex((value, index) => value !== rankOfB[index]);
    return place === -1 ? 0 : (rankOfA[place] ?? 0) - (rankOfB[place] ?? 0);
  });
}

/** Every target that waits for the answer. */
function targetsOf({ group, plan, about }: Question): readonly string[] {
  if (group !== undefined && plan !== undefined) return plan.targets;
  return about?.target === undefined ? [] : [about.target];
}

/** Open questions as a list: what is asked, about what, until when, and what is missing. */
export function QuestionList({ asked, now }: { readonly asked: readonly AskedQuestion[]; readonly now: number }) {
  return (
    <ul class="sheet list hot">
      {byWhatTheyHoldUp(asked).map(({ question, missing }) => (
        <li key={question.id}>
          <div class="what">
            <a href={`/questions/${encodeURIComponent(question.id)}`}>
              <WithCode text={visibleText(question.text, 300)} />
            </a>
            <Subject question={question} />
            <p class="quiet">
              {visibleText(question.runbookId, 100)}, asked {span(now - question.askedAt)} ago. {silence(question, now)}
            </p>
          </div>
          <a class="button" href={`/questions/${encodeURIComponent(question.id)}`} aria-label={`Read: ${visibleText(question.text, 120)}`}>
            Read
          </a>
          <p class="at">{stake(question, missing)}</p>
        </li>
      ))}
    </ul>
  );
}

/** What the question is about: target or targets, alert, summary and labels. */
export function Subject({ question }: { readonly question: Question }) {
  const { about = {} } = question;
  const targets = targetsOf(question);
  const labels = Object.entries(about.labels ?? {}).slice(0, 8);
  return (
    <>
      <p>
        {targets.length > 3
          ? `${targets
              .slice(0, 3)
              .map((target) => visibleText(target, 100))
              .join(", ")} and ${targets.length - 3} more`
          : targets.map((target) => visibleText(target, 200)).join(", ")}
        {about.alertName === undefined ? null : (
          <>
            {targets.length === 0 ? null : " · "}
            {visibleText(about.alertName, 120)}
          </>
        )}
      </p>
      <Summary about={about} />
      {labels.length === 0 ? null : (
        <p class="quiet">{labels.map(([name, value]) => `${visibleText(name, 60)}=${visibleText(value, 80)}`).join(", ")}</p>
      )}
    </>
  );
}

function Summary({ about: { summary } }: { readonly about: QuestionSubject }) {
  return summary === undefined ? null : <p class="quiet">{visibleText(summary, 300)}</p>;
}

function silence({ kind, expiresAt }: Question, now: number): string {
  if (expiresAt === undefined) return "It waits without a time limit.";
  if (expiresAt <= now) return `The time to answer ended at ${timeForReader(expiresAt)}.`;
  const consequence = kind === "approve" ? "nothing of the plan is done and the step fails" : "the step fails";
  return `Without an answer until ${timeForReader(expiresAt)} (in ${span(expiresAt - now)}) ${consequence}.`;
}

function stake(question: Question, missing: number): string {
  const targets = targetsOf(question).length;
  if (question.kind === "in_doubt") return "its target stays locked";
  if (question.group !== undefined) return targets === 1 ? "1 target waits" : `${targets} targets wait`;
  if (question.kind !== "approve") return "its run waits";
  return missing === 1 ? "1 approval needed" : `${missing} approvals needed`;
}
