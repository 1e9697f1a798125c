import type { Diagnostic, Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import type { ActionCatalogue } from "../../core/action.ts";
import { sha256 } from "../../core/json.ts";
import { readCheckItems, readPostItems } from "./check-item.ts";
import { checkClosed, checkStrayFences, type DocumentOutline, outlineOf, type Section } from "./document.ts";
import type { DurationSite } from "./duration-site.ts";
import { type FrontMatterReading, readFrontMatter } from "./front-matter.ts";
import { readLabel } from "./label.ts";
import { createLocator } from "./locate.ts";
import { type Code, codeText, descendants, parseMarkdown, type Root, spanOf } from "./markdown.ts";
import { findMarkdownCost } from "./markdown-cost.ts";
import { collectSteps } from "./procedure.ts";
import type { ReadContext } from "./read-bullet.ts";
import { createReporter, type Reporter } from "./reporter.ts";
import { readStep } from "./step.ts";
import { checkStepProse } from "./step-prose.ts";
import { checkStrayLines } from "./stray-lines.ts";

/** Largest document, in bytes of UTF-8. */
export const maxDocumentBytes = 131_072;

/** A document's text and the actions it may name. `file` ends in `.md`; its name is the runbook's id. */
export interface RunbookSource {
  readonly file: string;
  readonly source: string;
  readonly catalogue: ActionCatalogue;
}

/** The runbook is there exactly when no diagnostic is an error. */
export interface RunbookParse {
  readonly runbook?: Runbook;
  readonly diagnostics: readonly Diagnostic[];
}

/** Reads one document and proves everything that can be proven before it runs. Every fault is told at once, in the order of the file. */
export function parseRunbook(document: RunbookSource): RunbookParse {
  const { runbook, diagnostics } = readDocument(document);
  return runbook === undefined ? { diagnostics } : { runbook, diagnostics };
}

/** A parse together with the places of the durations that were read. */
export interface DocumentReading extends RunbookParse {
  readonly durations: readonly DurationSite[];
  /** Characters of the byte order mark, which offsets do not count. */
  readonly skipped: number;
}

/** See {@link parseRunbook}. */
export function readDocument({ file, source, catalogue }: RunbookSource): DocumentReading {
  const skipped = source.startsWith("\uFEFF") ? 1 : 0;
  const reporter = createReporter(file, createLocator(source), skipped);
  const bytes = Buffer.byteLength(source);
  if (bytes > maxDocumentBytes) {
    reporter.error({
      rule: "too-large",
      at: 0,
      message: `The document has ${bytes} bytes.`,
      accepted: `at most ${maxDocumentBytes} bytes`,
    });
    return { diagnostics: reporter.diagnostics, durations: [], skipped };
  }
  const text = source.slice(skipped);
  const cost = findMarkdownCost(text);
  if (cost !== undefined) {
    reporter.error({ rule: "too-complex", at: cost.offset, message: cost.message, accepted: cost.accepted });
    return { diagnostics: reporter.diagnostics, durations: [], skipped };
  }
  const root = parseMarkdown(text);
  const id = runbookIdOf(file);
  if (!/^[a-z0-9][a-z0-9-]{0,79}$/u.test(id)) {
    reporter.error({
      rule: "file-name",
      at: 0,
      message: `\`${id}\` is no id of a runbook.`,
      accepted: "a file name of a-z, 0-9 and -, e.g. `cost-incident-response.md`",
    });
  }
  const durations: DurationSite[] = [];
  const front = frontMatter({ text, root, reporter, durations });
  const outline = outlineOf(text, root, reporter);
  checkClosed(text, root, reporter);
  const runbook = readBody({ text, root, outline, catalogue, reporter, durations }, front, { id, file, source, sha256: sha256(source) });
  warnAbout(runbook, outline, { catalogue, reporter });
  const diagnostics = reporter.diagnostics.toSorted((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
  const hasErrors = diagnostics.some((one) => one.severity === "error");
  return { diagnostics, durations, skipped, ...(!hasErrors && { runbook }) };
}

/** File name without folder and `.md`. */
export function runbookIdOf(file: string): string {
  return (file.split(/[/\\]/u).at(-1) ?? file).replace(/\.md$/u, "");
}

interface DocumentParts {
  readonly text: string;
  readonly root: Root;
  readonly reporter: Reporter;
  readonly durations: DurationSite[];
}

function frontMatter({ text, root, reporter, durations }: DocumentParts): FrontMatterReading {
  const [first, second] = root.children;
  if (first?.type === "yaml") {
    if (second?.type === "thematicBreak" && text.startsWith("---", second.position?.start.offset)) {
      reporter.error({
        rule: "front-matter",
        at: second.position?.start.offset ?? 0,
        message: "A second front matter follows the first.",
        accepted: "one front matter at the top",
      });
    }
    const code = codeText(text, first);
    return readFrontMatter(code, reporter, durations);
  }
  if (/^(?:---|\+\+\+|;;;)/u.test(text)) {
    const line = /^[^\r\n]*/u.exec(text)?.[0] ?? "";
    const message = line.trimEnd() === "---" ? "The front matter is not closed." : `\`${line.slice(0, 30)}\` opens no front matter.`;
    reporter.error({ rule: "front-matter", at: 0, message, accepted: "plain YAML between two lines of exactly `---`" });
  }
  const { fields } = readFrontMatter({ text: "", toOffset: () => 0 }, reporter, durations);
  return { fields, isReadable: !/^(?:---|\+\+\+|;;;)/u.test(text) };
}

interface BodyParts {
  readonly text: string;
  readonly root: Root;
  readonly outline: DocumentOutline;
  readonly catalogue: ActionCatalogue;
  readonly reporter: Reporter;
  readonly durations: DurationSite[];
}

function readBody(
  { text, root, outline, catalogue, reporter, durations }: BodyParts,
  { fields, isReadable }: FrontMatterReading,
  file: Pick<Runbook, "id" | "file" | "source" | "sha256">,
): Runbook {
  const { sections } = outline;
  const lines = new Set<number>();
  const fences = new Set<Code>();
  const steps = collectSteps({ text, sections, lines }, reporter);
  const context: ReadContext = {
    text,
    reporter,
    catalogue,
    params: isReadable ? Object.keys(fields.params) : undefined,
    metrics: isReadable ? Object.keys(fields.track) : undefined,
    steps,
    fences,
    lines,
    durations,
  };
  const find = (heading: Section["heading"]) => sections.find((section) => section.heading === heading);
  const prose: Runbook["prose"] = Object.fromEntries<string>(
    sections.flatMap((section) =>
      section.heading === "Procedure" || section.isTitle
        ? []
        : [[section.heading ?? section.written, text.slice(section.bodyStart, section.bodyEnd).trim()]],
    ),
  );
  const runbook: Runbook = {
    ...file,
    title: outline.title ?? file.id,
    ...fields,
    prose,
    prerequisites: readCheckItems(find("Prerequisites"), "prerequisites", context),
    steps: steps.map((raw) => readStep(raw, context)),
    verification: readCheckItems(find("Verification"), "verification", context),
    postAction: readPostItems(find("Post-Action"), context),
  };
  checkStrayFences(root, fences, reporter);
  const stepRanges = steps.map(({ item }) => spanOf(item));
  checkStrayLines({ text, root, read: lines, sections, steps: stepRanges }, reporter);
  checkStepProse(sections, context);
  checkUndressedLabels(root, stepRanges, context);
  return runbook;
}

/** A label without its colon is found by its paragraph, as no search in lines can tell it from prose. In a step it is no prose where it decides who and whether. */
function checkUndressedLabels(root: Root, steps: readonly ReturnType<typeof spanOf>[], { reporter, lines }: ReadContext): void {
  for (const node of descendants(root)) {
    if (node.type !== "paragraph") continue;
    const reading = readLabel(node);
    const start = node.position?.start.offset ?? 0;
    const { line } = reporter.positionOf(start);
    if (reading.kind !== "near" || reading.problem !== "colon" || lines.has(line) || reporter.hasErrorOn(line)) continue;
    const decides = reading.meant === "approval" || reading.meant === "failure";
    const fault = {
      rule: "label-colon",
      at: start,
      message: `\`${reading.written}\` without a colon is read as prose.`,
      accepted: "a colon behind the label, or other words for prose",
    };
    if (decides && steps.some((step) => start >= step.start && start < step.end)) reporter.error(fault);
    else reporter.warn(fault);
  }
}

function warnAbout(
  runbook: Runbook,
  outline: DocumentOutline,
  { catalogue, reporter }: { readonly catalogue: ActionCatalogue; readonly reporter: Reporter },
): void {
  const writing = runbook.steps.find((step) => {
    const spec = step.action === undefined ? undefined : catalogue.find(step.action.name);
    return spec !== undefined && step.action !== undefined && spec.effectOf(step.action.parameters) !== "read";
  });
  const verification = outline.sections.find((section) => section.heading === "Verification");
  if (writing === undefined || runbook.verification.some((item) => item.check !== undefined)) return;
  const message =
    verification === undefined
      ? `Step ${writing.number} changes something and the document has no \`## Verification\`.`
      : `Step ${writing.number} changes something and Verification holds no check.`;
  reporter.warn({
    rule: "no-verification",
    at: verification === undefined ? writing.position : verification.start,
    message,
    accepted: "a `## Verification` with a `promql` fence, an expression or a read action with Expected",
  });
}
