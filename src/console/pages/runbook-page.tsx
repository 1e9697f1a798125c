import type { Block, DocumentTree } from "../../../packages/sdk/src/wire/document-tree.ts";
import type { Diagnostic, RunbookDocument } from "../../../packages/sdk/src/wire/runbooks.ts";
import { Blocks } from "../document/blocks.tsx";
import { StepLabels } from "../document/step-labels.tsx";
import { actionName, stepParts } from "../document/step-parts.ts";
import { Icon } from "../icons.tsx";
import { fieldValue, span, titleText, visibleText } from "../page-format.ts";
import { Loading, TroubleBanner } from "../pieces.tsx";
import type { Reading } from "../resource.ts";
import { sectionsOf } from "../run/run-document.tsx";
import { StepHeading } from "../run/run-step.tsx";
import { useReading } from "../services.ts";
import { useHashScroll, useTitle } from "../use-page.ts";
import { modeWords } from "./runbooks-page.tsx";

/** Reads a runbook and its document, and shows them. */
export function RunbookPage({ id }: { readonly id: string }) {
  const address = `/api/runbooks/${encodeURIComponent(id)}`;
  const runbook = useReading<RunbookDocument>(address);
  const document = useReading<DocumentTree>(`${address}/document`);
  useHashScroll(document.body !== undefined);
  return <RunbookView id={id} runbook={runbook} document={document} />;
}

/** What the page of a runbook is drawn from. */
export interface RunbookViewProps {
  readonly id: string;
  readonly runbook: Reading<RunbookDocument>;
  readonly document: Reading<DocumentTree>;
}

/** The page of a runbook: its document as it is read, and beside it what the program understood. */
export function RunbookView({ id, runbook, document }: RunbookViewProps) {
  const title = titleText(document.body?.title ?? runbook.body?.runbook?.title ?? id);
  useTitle(title);
  const trouble = runbook.trouble ?? document.trouble;
  return (
    <>
      <header class="run-head">
        <h1>{title}</h1>
      </header>
      {trouble === undefined ? null : <TroubleBanner trouble={trouble} readAt={runbook.readAt} />}
      <div class="columns">
        <article class="sheet document" aria-label="The document">
          <Diagnostics diagnostics={runbook.body?.diagnostics ?? []} />
          {document.body === undefined ? (
            document.trouble === undefined ? (
              <Loading what="the document" />
            ) : (
              <Source reading={runbook} />
            )
          ) : (
            <DocumentParts tree={document.body} />
          )}
        </article>
        {runbook.body === undefined ? null : <About document={runbook.body} />}
      </div>
    </>
  );
}

function DocumentParts({ tree }: { readonly tree: DocumentTree }) {
  let level = 1;
  return (
    <>
      {sectionsOf(tree.children).map((part) => {
        if (part.kind === "block") {
          if (part.block.type === "heading") level = part.block.level;
          return <Blocks blocks={[part.block]} />;
        }
        return (
          <ol class="steps" start={part.steps[0]?.number ?? 1}>
            {part.steps.map((block) => (
              <WrittenStep block={block} isBelowGroup={level > 2} />
            ))}
          </ol>
        );
      })}
    </>
  );
}

function WrittenStep(props: { readonly block: Extract<Block, { readonly type: "step" }>; readonly isBelowGroup: boolean }) {
  const { block, isBelowGroup } = props;
  const parts = stepParts(block.children);
  const action = actionName(parts);
  return (
    <li class="step to_come plain" id={`step-${block.number}`}>
      <div class="sign">
        <span aria-hidden="true">{block.number}</span>
      </div>
      <div class="content">
        <header>
          <StepHeading block={block} isBelowGroup={isBelowGroup} />
          {action === undefined ? <span class="quiet">done by people</span> : null}
        </header>
        <div class="prose">
          <Blocks blocks={parts.prose} />
        </div>
        <StepLabels labels={parts.labels} />
      </div>
    </li>
  );
}

function Source({ reading }: { readonly reading: Reading<RunbookDocument> }) {
  return reading.body === undefined ? null : <pre class="code">{visibleText(reading.body.source, 60_000)}</pre>;
}

function Diagnostics({ diagnostics }: { readonly diagnostics: readonly Diagnostic[] }) {
  if (diagnostics.length === 0) return null;
  return (
    <section class="diagnostics" aria-label="Faults of the newest file">
      {diagnostics.slice(0, 50).map(({ severity, rule, message, accepted, position }) => (
        <p class={severity === "error" ? "bad" : "wait"}>
          <Icon name={severity === "error" ? "cross" : "warning"} />
          <span>
            <b>
              Line {position.line}, {visibleText(rule, 60)}:
            </b>{" "}
            {visibleText(message, 400)} Accepted: {visibleText(accepted, 300)}.
          </span>
        </p>
      ))}
    </section>
  );
}

function About({ document: { file, runbook } }: { readonly document: RunbookDocument }) {
  return (
    <aside class="rail" aria-label="About this runbook">
      <section class="sheet">
        <h2>How it was understood</h2>
        <dl class="facts inner">
          <dt>File</dt>
          <dd>
            <code>{visibleText(file, 200)}</code>
          </dd>
          {runbook === undefined ? null : (
            <>
              <dt>Version</dt>
              <dd>
                <code>{runbook.sha256.slice(0, 12)}</code>
              </dd>
              <dt>Mode</dt>
              <dd>
                {runbook.mode}: it {modeWords[runbook.mode]}
              </dd>
              <dt>Started by</dt>
              <dd>
                {runbook.triggers.length === 0 ? "a person" : runbook.triggers.map(({ source }) => visibleText(source, 200)).join(", ")}
              </dd>
              <dt>Target</dt>
              <dd>{runbook.target === undefined ? "none" : <code>{visibleText(runbook.target, 200)}</code>}</dd>
              <dt>Cooldown</dt>
              <dd>{runbook.cooldownMs === 0 ? "none" : span(runbook.cooldownMs)}</dd>
              <dt>Time limit</dt>
              <dd>{span(runbook.timeoutMs)} of running time</dd>
              {runbook.owner === undefined ? null : (
                <>
                  <dt>Owner</dt>
                  <dd>{visibleText(runbook.owner, 120)}</dd>
                </>
              )}
              <dt>Runs</dt>
              <dd>
                <a href={`/runs?runbook=${encodeURIComponent(runbook.id)}`}>runs of this runbook</a>
              </dd>
            </>
          )}
        </dl>
      </section>
      {runbook === undefined || Object.keys(runbook.params).length === 0 ? null : (
        <section class="sheet">
          <h2>Parameters</h2>
          <dl class="facts inner">
            {Object.entries(runbook.params).map(([name, { type, from, default: fallback, description }]) => (
              <>
                <dt>{visibleText(name, 80)}</dt>
                <dd>
                  {type}
                  {from === undefined ? "" : `, from ${visibleText(from, 100)}`}
                  {fallback === undefined ? "" : `, ${fieldValue(name, fallback)} if unset`}
                  {description === undefined ? null : <span class="quiet"> {visibleText(description, 300)}</span>}
                </dd>
              </>
            ))}
          </dl>
        </section>
      )}
    </aside>
  );
}
