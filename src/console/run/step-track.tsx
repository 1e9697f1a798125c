import type { Block } from "../../../packages/sdk/src/wire/document-tree.ts";
import { span, visibleText } from "../page-format.ts";
import { currentStates } from "./run-step.tsx";
import { stepViews } from "./state-words.ts";
import { emptyStory, type StepStory } from "./step-stories.ts";

/** All steps in one row: each with its state, and a link to its place in the document. */
export function StepTrack(props: {
  readonly steps: readonly Extract<Block, { readonly type: "step" }>[];
  readonly stories: ReadonlyMap<string, StepStory>;
}) {
  return (
    <nav class="track" aria-label="Steps">
      {props.steps.map(({ id, number, name }) => {
        const story = props.stories.get(id) ?? emptyStory;
        const view = stepViews[story.state];
        return (
          <a class={view.tone} href={`#step-${number}`} aria-current={currentStates.has(story.state) ? "step" : undefined}>
            <span class="name">
              {number} {visibleText(name, 80)}
            </span>
            <span class="state">
              {view.word}
              {story.startedAt === undefined || story.endedAt === undefined ? "" : `, ${span(story.endedAt - story.startedAt)}`}
            </span>
          </a>
        );
      })}
    </nav>
  );
}
