import { labelPattern } from "./label.ts";
import { descendants, fenceOf, type Root, spanOf } from "./markdown.ts";
import type { Reporter } from "./reporter.ts";

const labelled = new RegExp(
  `^[\\s>]*(?:(?:[-*+]|\\d+[.)])\\s+)*(?:\\[[ xX]\\]\\s+)?(?:\\*\\*|__|\\*|_)?(${labelPattern})(?:\\*\\*|__|\\*|_)?\\s*:`,
  "iu",
);
const numbered = /^[\s>]*(?:[-*+]\s+)*(\d+)[.)]\s+(?:\[[ xX]\]\s+)?(?:\*\*|__)/u;

/** The lines of a document, and which of them were read. */
export interface StrayLineSource {
  readonly text: string;
  readonly root: Root;
  readonly read: ReadonlySet<number>;
}

/**
 * Reports every line outside fences and comments that looks like a step or a labelled bullet and was read as neither.
 * This is what keeps a wrong indentation from silently dropping a step.
 */
export function checkStrayLines({ text, root, read }: StrayLineSource, reporter: Reporter): void {
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
    if (label === undefined) continue;
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
