import { canonicalHeadings, type Section } from "./document.ts";
import { findHiddenLabel } from "./hidden-label.ts";
import { labelPattern } from "./label.ts";
import { descendants, fenceOf, type Root, spanOf } from "./markdown.ts";
import { reportHiddenLabel } from "./read-bullet.ts";
import { oneOf, type Reporter } from "./reporter.ts";

const labelled = new RegExp(
  `^[\\s>]*(?:(?:[-*+]|\\d+[.)])\\s+)*(?:\\[[ xX]\\]\\s+)?(?:\\*\\*|__|\\*|_)?(${labelPattern})(?:\\*\\*|__|\\*|_)?\\s*:`,
  "iu",
);
const bulleted = /^[\s>]*(?:[-*+]|\d+[.)])\s/u;
const numbered = /^[\s>]*(?:[-*+]\s+)*(\d+)[.)]\s+(?:\[[ xX]\]\s+)?(?:\*\*|__)/u;

/** The lines of a document, and which of them were read. */
export interface StrayLineSource {
  readonly text: string;
  readonly root: Root;
  readonly read: ReadonlySet<number>;
  readonly sections: readonly Section[];
  /** Where steps begin and end. */
  readonly steps: readonly Range[];
}

/**
 * Reports every line outside fences and comments that looks like a step or a labelled bullet and was read as neither.
 * This is what keeps a wrong indentation from silently dropping a step.
 */
export function checkStrayLines({ text, root, read, sections, steps }: StrayLineSource, reporter: Reporter): void {
  const hidden = hiddenRanges(text, root);
  for (const match of text.matchAll(/[^\r\n]+/gu)) {
    const line = match[0];
    const { index } = match;
    const at = index + (/^[\s>]*/u.exec(line)?.[0].length ?? 0);
    if (hidden.some((range) => at >= range.start && at < range.end)) continue;
    if (read.has(reporter.positionOf(index).line)) continue;
    const number = numbered.exec(line)?.[1];
    if (number !== undefined) {
      reporter.error({
        rule: "step-outside-list",
        at,
        message: `\`${line.trim().slice(0, 40)}\` looks like step ${number} and is none here.`,
        accepted: `\`${number}. **Name**\` at the beginning of a line under \`## Procedure\`, with an empty line before it; no bold name for a numbered list inside a step`,
      });
      continue;
    }
    const label = labelled.exec(line)?.[1];
    if (label === undefined) {
      if (reporter.hasErrorOn(reporter.positionOf(index).line)) continue;
      const hidden = steps.some((step) => at >= step.start && at < step.end) ? findHiddenLabel(line) : undefined;
      // A sentence goes on in the next line with any word; a bullet begins with what it says.
      if (hidden !== undefined && hidden.strength !== "weak" && (hidden.sign === "colon" || bulleted.test(line)))
        reportHiddenLabel(hidden, at, reporter);
      continue;
    }
    const unread = sections.find((section) => at >= section.start && at < section.bodyEnd);
    if (unread !== undefined && unread.heading === undefined && !unread.isTitle) {
      reporter.error({
        rule: "label-in-unknown-section",
        at,
        message: `\`${label}\` stands under \`${unread.written}\`, which is no section that is read.`,
        accepted: `${oneOf(canonicalHeadings)}; a step and its labels stand under Procedure`,
      });
      continue;
    }
    reporter.error({
      rule: "label-outside-step",
      at,
      message: `\`${label}\` belongs to no step here.`,
      accepted: `\`- ${label}: …\` indented by three spaces below its step (two below a bullet), with the same indentation as the step's other bullets`,
    });
  }
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function hiddenRanges(text: string, root: Root): readonly Range[] {
  const ranges: Range[] = [];
  for (const node of descendants(root)) {
    const span = spanOf(node);
    if (node.type === "yaml" || (node.type === "code" && fenceOf(text, node) !== "indented")) ranges.push(span);
    if (node.type !== "html") continue;
    for (const comment of node.value.matchAll(/<!--[\s\S]*?(?:-->|$)/gu)) {
      ranges.push({ start: span.start + comment.index, end: span.start + comment.index + comment[0].length });
    }
  }
  return ranges;
}
