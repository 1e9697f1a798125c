import type { Block } from "../../../packages/sdk/src/wire/document-tree.ts";
import type { ActionOutput } from "../../../packages/sdk/src/wire/plans.ts";
import { Blocks } from "../document/blocks.tsx";
import { StepLabels } from "../document/step-labels.tsx";
import { actionName, stepParts } from "../document/step-parts.ts";
import { Icon } from "../icons.tsx";
import { fieldValue, span, visibleText, words } from "../page-format.ts";
import { Time, WithCode } from "../pieces.tsx";
import { PlanChanges } from "./plan-changes.tsx";
import { QuestionCard } from "./question-card.tsx";
import { stepViews } from "./state-words.ts";
import { StepLog } from "./step-log.tsx";
import type { CheckLine, StepState, StepStory } from "./step-stories.ts";

const maxResults = 18;

/** States in which a step is the one that the reader looks for. */
export const currentStates: ReadonlySet<StepState> = new Set(["running", "waiting", "asks", "in_doubt", "frozen", "undoing"]);

type StepBlock = Extract<Block, { readonly type: "step" }>;

/** One step of the document with what the journal says about it. */
export function RunStep(props: {
  readonly block: StepBlock;
  readonly story: StepStory;
  readonly now: number;
  /** Sentences of the run that can be the reason of an answer. */
  readonly evidence: readonly string[];
  /** Whether a heading of the third level is above it. */
  readonly isBelowGroup: boolean;
}) {
  const { block, story, now, evidence, isBelowGroup } = props;
  const parts = stepParts(block.children);
  const view = stepViews[story.state];
  const action = story.action ?? actionName(parts);
  return (
    <li
      class={`step ${story.state} ${view.tone}`}
      id={`step-${block.number}`}
      aria-current={currentStates.has(story.state) ? "step" : undefined}
    >
      <div class="sign">{story.state === "to_come" ? <span aria-hidden="true">{block.number}</span> : <Icon name={view.icon} />}</div>
      <div class="content">
        <header>
          <StepHeading block={block} isBelowGroup={isBelowGroup} />
          {action === undefined ? <span class="quiet">done by people</span> : <code>{visibleText(action, 80)}</code>}
          <span class="when">
            <b class="word">{view.word}</b>
            <When story={story} />
          </span>
        </header>
        <div class="prose">
          <Blocks blocks={parts.prose} />
        </div>
        <Story story={story} now={now} evidence={evidence} />
        <div class="folds">
          {story.output === undefined ? null : <Results output={story.output} />}
          {story.log.length === 0 ? null : (
            <details>
              <summary>Log ({story.log.length})</summary>
              <StepLog lines={story.log} />
            </details>
          )}
          {parts.labels.length === 0 ? null : (
            <details>
              <summary>As written</summary>
              <StepLabels labels={parts.labels} />
            </details>
          )}
        </div>
      </div>
    </li>
  );
}

/** The name of a step as a heading of the level that follows the one above it. */
export function StepHeading({ block, isBelowGroup }: { readonly block: StepBlock; readonly isBelowGroup: boolean }) {
  const link = (
    <a href={`#step-${block.number}`}>
      {block.number}. {visibleText(block.name, 200)}
    </a>
  );
  return isBelowGroup ? <h4>{link}</h4> : <h3>{link}</h3>;
}

function When({ story: { startedAt, endedAt, attempts } }: { readonly story: StepStory }) {
  if (startedAt === undefined) return null;
  return (
    <>
      {" "}
      <Time at={startedAt} />
      {endedAt === undefined || endedAt === startedAt ? null : ` · ${span(endedAt - startedAt)}`}
      {attempts > 1 ? ` · ${attempts} attempts` : ""}
    </>
  );
}

/** What the journal says: the result, the plan, why it stopped, the last check and the questions. */
function Story(props: { readonly story: StepStory; readonly now: number; readonly evidence: readonly string[] }) {
  const { story, now, evidence } = props;
  const { plan, output, progress, checks, questions, reason, state } = story;
  const sentence = output?.["sentence"];
  const hasOpenPlan = questions.some(({ question, answer }) => answer === undefined && question.plan !== undefined);
  return (
    <>
      {typeof sentence === "string" ? <p class="result">{visibleText(sentence, 600)}</p> : null}
      {plan === undefined || hasOpenPlan ? null : (
        <>
          {state === "done" && plan.changes.length > 0 ? null : <p class="result">{visibleText(plan.summary, 600)}</p>}
          <PlanChanges plan={plan} />
        </>
      )}
      {progress === undefined ? null : <p class="result">{progress}</p>}
      {reason === undefined ? null : (
        <p class={`reason ${reason.tone}`}>
          <Icon name={stepViews[state].icon} />
          <span>
            <WithCode text={reason.text} />
          </span>
        </p>
      )}
      <Checks checks={checks} />
      {questions.map((asked) => (
        <QuestionCard question={asked.question} answer={asked.answer} now={now} evidence={evidence} />
      ))}
    </>
  );
}

const checkViews = {
  true: { tone: "good", icon: "check", word: "holds" },
  false: { tone: "bad", icon: "cross", word: "does not hold" },
  inconclusive: { tone: "wait", icon: "doubt", word: "cannot be judged" },
} as const;

/** The last check, and how many there were before it. */
function Checks({ checks }: { readonly checks: readonly CheckLine[] }) {
  const last = checks.at(-1);
  if (last === undefined) return null;
  const view = checkViews[last.truth];
  return (
    <p class={`check ${view.tone}`}>
      <Icon name={view.icon} />
      <span>
        Expected {view.word} at <Time at={last.at} />: <WithCode text={visibleText(last.detail, 400)} />
        {checks.length > 1 ? <span class="quiet"> (check {checks.length})</span> : null}
      </span>
    </p>
  );
}

/** The mark of one item of Prerequisites or Verification. */
export function CheckMark({ check }: { readonly check: CheckLine | undefined }) {
  if (check === undefined) return null;
  const view = checkViews[check.truth];
  return (
    <span class={`check ${view.tone}`}>
      <Icon name={view.icon} />
      <span>
        {view.word} at <Time at={check.at} />: <WithCode text={visibleText(check.detail, 400)} />
      </span>
    </span>
  );
}

/** What became of an action at the end of the document. */
export function ActionMark({ story }: { readonly story: StepStory | undefined }) {
  if (story === undefined) return null;
  const { word, tone, icon } = stepViews[story.state];
  const sentence = story.reason?.text ?? story.output?.["sentence"];
  return (
    <span class={`check ${tone}`}>
      <Icon name={icon} />
      <span>
        {word}
        {story.startedAt === undefined ? null : (
          <>
            {" at "}
            <Time at={story.endedAt ?? story.startedAt} />
          </>
        )}
        {typeof sentence === "string" ? (
          <>
            : <WithCode text={visibleText(sentence, 400)} />
          </>
        ) : null}
      </span>
    </span>
  );
}

/** Fields of a result; the sentence stands above already. */
function Results({ output }: { readonly output: ActionOutput }) {
  const fields = Object.entries(output).filter(([name, value]) => name !== "sentence" && !(Array.isArray(value) && value.length === 0));
  if (fields.length === 0) return null;
  return (
    <details>
      <summary>Result ({fields.length})</summary>
      <dl class="facts sunk">
        {fields.slice(0, maxResults).map(([name, value]) => (
          <>
            <dt>{words(name)}</dt>
            <dd>{fieldValue(name, value)}</dd>
          </>
        ))}
      </dl>
      {fields.length > maxResults ? <p class="quiet">{fields.length - maxResults} more values are in the JSON of the run.</p> : null}
    </details>
  );
}
