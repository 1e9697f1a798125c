import type { Section } from "./document.ts";
import { findBuriedLabel, findHiddenLabel, type HiddenLabel, labelOfTitle } from "./hidden-label.ts";
import { readLabel } from "./label.ts";
import { type ListItem, type Nodes, type Paragraph, plainText, type Root, type RootContent, spanOf } from "./markdown.ts";
import { type ProseSegment, proseSegments } from "./prose-segments.ts";
import { type ReadContext, reportHiddenLabel } from "./read-bullet.ts";

/**
 * Where a text is, which decides what a reader takes for a label there. `bullet`: the beginning of a list item. `block`: the beginning of a paragraph or a line. `cell`: of a cell of a table. `title`: a heading, or a line in bold letters. `sentence`: behind the name of a step. `line`: only the source has a
 * new line there.
 */
type Place = "bullet" | "block" | "cell" | "title" | "sentence" | "line";

/**
 * Reports what a reader takes for a label anywhere in the prose of the steps: behind a line end of any kind, in the step's own line, in a table, in HTML.
 * Comes after everything that reads lines one by one, and adds nothing to a line with an error.
 */
export function checkStepProse(sections: readonly Section[], context: ReadContext): void {
  const check: Check = { context, report: reportOnce(context) };
  for (const section of sections.filter((one) => one.heading === "Procedure")) {
    for (const child of section.children) {
      if (child.type !== "list" || child.ordered !== true) {
        checkBetweenSteps(child, check);
        continue;
      }
      for (const item of child.children) {
        for (const [index, block] of item.children.entries()) {
          if (index === 0 && block.type === "paragraph") checkStepLine(block, check);
          else checkBlock(block, check);
        }
      }
    }
  }
}

interface Check {
  readonly context: ReadContext;
  readonly report: Report;
}

type Report = (hidden: HiddenLabel | undefined, at: number) => void;

function reportOnce({ reporter }: ReadContext): Report {
  return (hidden, at) => {
    if (hidden === undefined) return;
    const { line } = reporter.positionOf(at);
    if (reporter.hasErrorOn(line)) return;
    if (hidden.strength === "weak" && reporter.diagnostics.some(({ position }) => position.line === line)) return;
    reportHiddenLabel(hidden, at, reporter);
  };
}

/** The line of a step: its name, which is no label itself, and what is behind it. */
function checkStepLine(paragraph: Paragraph, check: Check): void {
  const { context, report } = check;
  const [name, ...others] = paragraph.children;
  if (name?.type !== "strong") {
    checkParagraph(paragraph, "block", check);
    return;
  }
  const { start } = spanOf(name);
  const written = plainText(name);
  const segments = proseSegments({ ...paragraph, children: others }, context.text);
  report(findBuriedLabel(written), start);
  // A step may be called an approval: it is a label only with a colon, or with nothing but a role behind it.
  const named = findHiddenLabel(written);
  if (named?.sign === "colon" && named.strength === "dress" && named.meant === "approval") report(named, start);
  if (segments[0]?.isFirst === true && findHiddenLabel(`Gate: ${segments[0].text}`)?.sign === "value") {
    const title = labelOfTitle(written);
    if (title?.meant === "approval") report(title, start);
  }
  for (const segment of segments) checkSegment(segment, segment.isFirst ? "sentence" : "block", report);
}

/** What is under Procedure and in no step, where a label without a colon is as often the heading of several steps. */
function checkBetweenSteps(block: RootContent, { context, report }: Check): void {
  if (block.type === "heading") return;
  for (const paragraph of blocksOf(block)) {
    for (const segment of proseSegments(paragraph, context.text)) {
      const hidden = findHiddenLabel(segment.text);
      if (hidden?.strength === "dress" && (hidden.sign === "colon" || hidden.sign === "value")) report(hidden, segment.at);
    }
  }
}

function checkBlock(block: Nodes, check: Check): void {
  const { context, report } = check;
  if (block.type === "table") {
    for (const [row, { children }] of block.children.entries()) {
      const isHeader = row === 0;
      const cells = children.map((cell) => plainText(cell).trim());
      const hidden = isHeader ? undefined : findHiddenLabel(cells.join(" | "));
      const [first] = children;
      if (first !== undefined && isShown(hidden, "cell")) report(hidden, spanOf(first).start);
      for (const cell of children) for (const segment of proseSegments(cell, context.text)) checkSegment(segment, "cell", report);
    }
  } else if (block.type === "paragraph") checkParagraph(block, "block", check);
  else if (block.type === "heading" || block.type === "html" || block.type === "definition") {
    for (const segment of proseSegments(block, context.text)) checkSegment(segment, block.type === "heading" ? "title" : "block", report);
  } else if (block.type === "listItem") checkItem(block, check);
  else if ("children" in block) for (const child of block.children) checkBlock(child, check);
}

function checkItem({ children }: ListItem, check: Check): void {
  for (const [index, block] of children.entries()) {
    if (index === 0 && block.type === "paragraph") checkParagraph(block, "bullet", check);
    else checkBlock(block, check);
  }
}

function checkParagraph(paragraph: Paragraph, place: Place, { context, report }: Check): void {
  const { start } = spanOf(paragraph);
  const isLabel = readLabel(paragraph).kind === "label" && context.lines.has(context.reporter.positionOf(start).line);
  for (const segment of proseSegments(paragraph, context.text)) {
    if (isLabel && segment.isFirst) {
      checkBuried(behindLabel(segment.withoutCode), segment, report);
      checkLines(segment, report, 1);
    } else checkSegment(segment, segment.isFirst ? place : "block", report);
  }
}

/** What a label's own value says. */
function behindLabel(text: string): string {
  return `x ${text.slice(text.indexOf(":") + 1)}`;
}

function checkSegment(segment: ProseSegment, place: Place, report: Report): void {
  const hidden = findHiddenLabel(segment.text);
  if (isShown(hidden, place)) report(hidden, segment.at);
  if (place === "title" || (segment.isBold && place !== "cell")) report(labelOfTitle(segment.text), segment.at);
  checkBuried(place === "sentence" ? `x: ${segment.withoutCode}` : segment.withoutCode, segment, report);
  checkLines(segment, report);
}

/** Line by line, so that each has its place. */
function checkBuried(text: string, { at, lines }: ProseSegment, report: Report): void {
  for (const [index, line] of text.split("\n").entries()) {
    report(findBuriedLabel(line), index === 0 ? at : (lines[index - 1] ?? at));
  }
}

function checkLines({ text, at, lines }: ProseSegment, report: Report, from = 0): void {
  if (lines.length === 0) return;
  for (const [index, line] of text.split("\n").entries()) {
    if (index < from) continue;
    // A sentence goes on in the next line with any word; a sign in front of it begins an item, whatever Markdown makes of it.
    const isItem = index > 0 && /^\s*[^\p{L}\p{N}\s"'“”‘’([…,.;)]/u.test(line);
    const hidden = findHiddenLabel(line);
    if (isShown(hidden, isItem ? "bullet" : "line")) report(hidden, index === 0 ? at : (lines[index - 1] ?? at));
  }
}

function isShown(hidden: HiddenLabel | undefined, place: Place): boolean {
  if (hidden === undefined || hidden.strength === "weak") return false;
  const decides = hidden.strength === "dress" && (hidden.meant === "approval" || hidden.meant === "failure");
  switch (hidden.sign) {
    case "colon":
      return place !== "sentence" || decides;
    case "value":
      return true;
    case "promise":
      return place !== "line";
    case "alone":
      return place === "line" ? false : place === "cell" ? decides : hidden.strength === "dress";
    case "mark":
      return place === "bullet" || (place !== "line" && decides);
    case "lead":
      return place === "bullet";
  }
}

function* blocksOf(node: Root | RootContent): Generator<Nodes> {
  if (node.type === "paragraph" || node.type === "html" || node.type === "definition") yield node;
  else if ("children" in node) for (const child of node.children) yield* blocksOf(child);
}
