import type { ComponentChildren } from "preact";
import type { Block, DocumentTree } from "../../../packages/sdk/src/wire/document-tree.ts";
import type { JournalEntry } from "../../../packages/sdk/src/wire/journal.ts";
import { Blocks } from "../document/blocks.tsx";
import { plainText } from "../document/inlines.tsx";
import { evidenceOf } from "./run-events.ts";
import { ActionMark, CheckMark, RunStep } from "./run-step.tsx";
import { type CheckLine, checksOf, emptyStory, type StepStory } from "./step-stories.ts";

/** What the document of a run is drawn with. */
export interface RunDocumentProps {
  readonly tree: DocumentTree;
  readonly stories: ReadonlyMap<string, StepStory>;
  readonly journal: readonly JournalEntry[];
  readonly now: number;
}

type ListBlock = Extract<Block, { readonly type: "list" }>;

/** The document of a run as it is written, with the state of each step and each check in its place. */
export function RunDocument({ tree, stories, journal, now }: RunDocumentProps) {
  const checks: { readonly [section: string]: ReadonlyMap<number, CheckLine> } = {
    prerequisites: checksOf(journal, "prerequisite"),
    verification: checksOf(journal, "verification"),
  };
  const evidence = evidenceOf(journal);
  let section = "";
  let level = 1;
  return (
    <>
      {[...stories.values()].some(({ state }) => state === "done") ? (
        <label class="choice texts">
          <input type="checkbox" />
          Text of the steps that are done
        </label>
      ) : null}
      {sectionsOf(tree.children).map((part) => {
        if (part.kind === "steps") {
          return (
            <Steps first={part.steps[0]?.number ?? 1}>
              {part.steps.map((block) => (
                <RunStep block={block} isBelowGroup={level > 2} story={stories.get(block.id) ?? emptyStory} now={now} evidence={evidence} />
              ))}
            </Steps>
          );
        }
        const { block } = part;
        if (block.type === "heading") level = block.level;
        if (block.type === "heading" && block.level <= 2) section = plainText(block.children).trim().toLowerCase();
        if (block.type === "list" && section === "post-action") return <ActionList block={block} stories={stories} />;
        const checked = checks[section];
        return block.type === "list" && checked !== undefined ? <CheckList block={block} checks={checked} /> : <Blocks blocks={[block]} />;
      })}
    </>
  );
}

function Steps({ first, children }: { readonly first: number; readonly children: ComponentChildren }) {
  return (
    <ol class="steps" start={first}>
      {children}
    </ol>
  );
}

function CheckList({ block, checks }: { readonly block: ListBlock; readonly checks: ReadonlyMap<number, CheckLine> }) {
  return (
    <ul class="checks">
      {block.items.map((item, index) => (
        <li>
          <Blocks blocks={item} />
          <CheckMark check={checks.get(index)} />
        </li>
      ))}
    </ul>
  );
}

/** What is done at the end, each with what became of it. */
function ActionList({ block, stories }: { readonly block: ListBlock; readonly stories: ReadonlyMap<string, StepStory> }) {
  return (
    <ul class="checks">
      {block.items.map((item, index) => (
        <li>
          <Blocks blocks={item} />
          <ActionMark story={stories.get(`post_action_${index + 1}`)} />
        </li>
      ))}
    </ul>
  );
}

/** Steps that follow each other, or one other block. */
export type DocumentPart =
  | { readonly kind: "steps"; readonly steps: readonly Extract<Block, { readonly type: "step" }>[] }
  | { readonly kind: "block"; readonly block: Block };

/** The blocks of a document with steps that follow each other put together. */
export function sectionsOf(blocks: readonly Block[]): readonly DocumentPart[] {
  const parts: DocumentPart[] = [];
  for (const block of blocks) {
    const last = parts.at(-1);
    if (block.type !== "step") parts.push({ kind: "block", block });
    else if (last?.kind === "steps") parts[parts.length - 1] = { kind: "steps", steps: [...last.steps, block] };
    else parts.push({ kind: "steps", steps: [block] });
  }
  return parts;
}

/** Every step of a document in order. */
export function stepsOf(blocks: readonly Block[]): readonly Extract<Block, { readonly type: "step" }>[] {
  return blocks.filter((block) => block.type === "step");
}
