import { proseToText } from "./prose.ts";
import type { CheckStory, MetricStory, Review, StepStory } from "./review.ts";
import { figuresOf, textSparkline } from "./sparkline.ts";
import type { Waterfall, WaterfallRow } from "./waterfall.ts";
import { factLines, figure, timeOfDay } from "./wording.ts";

/** The review as plain text: the text part of the mail, and what a terminal shows. */
export function renderReportText(review: Review): string {
  const parts = [
    `${review.title}\n${"=".repeat(Math.min(78, lengthOf(review.title)))}\nOutcome: ${review.outcome}. ${review.headline}`,
    review.inShort.map((line) => `- ${line}`).join("\n"),
    columns(review.facts).join("\n") + (review.link === undefined ? "" : `\n\n${review.link}`),
    section("Scenario", review.scenario === undefined ? "" : proseToText(review.scenario)),
    section("Symptoms", review.symptoms === undefined ? "" : proseToText(review.symptoms)),
    section("Prerequisites", checks(review.prerequisites)),
    section("Procedure", steps(review.steps)),
    section("Verification", checks(review.verification)),
    section("Tracked metrics", review.metrics.map(metric).join("\n")),
    section("Cost", review.money.map((line) => `- ${line}`).join("\n")),
    section("Post-Action", steps(review.post)),
    section("Left for people", review.remainingTasks.length === 0 ? "Nothing." : review.remainingTasks.map(item).join("\n")),
    section("Related", review.related === undefined ? "" : proseToText(review.related)),
  ];
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function section(title: string, body: string): string {
  return body === "" ? "" : `${title}\n${"-".repeat(title.length)}\n${body}`;
}

function steps(stories: readonly StepStory[]): string {
  let heading: string | undefined;
  return stories
    .map((story) => {
      const above = story.section !== undefined && story.section !== heading ? `${story.section}\n\n` : "";
      heading = story.section;
      return `${above}${step(story)}`;
    })
    .join("\n\n");
}

function step(story: StepStory): string {
  const number = story.number === undefined ? "" : `${story.number}. `;
  const lines = [
    `${number}${story.name} [${story.state}] ${story.action === undefined ? "(by hand)" : `(${story.action})`}`,
    ...(story.text === "" ? [] : [proseToText(story.text, "   ")]),
    ...story.lines.map(({ at, text }) => `   ${timeOfDay(at)}  ${text.replaceAll("\n", "\n             ")}`),
    ...story.changes.map(({ target, field, before, after }) => `   ${target}: ${field}: ${before} -> ${after}`),
    ...(story.ranking === undefined ? [] : columns([story.ranking.head, ...story.ranking.rows]).map((line) => `   ${line}`)),
    ...(story.waterfall === undefined ? [] : waterfall(story.waterfall).map((line) => `   ${line}`)),
    ...factLines(story.results).map((line) => `   ${line.map(([name, value]) => `${name}: ${value}`).join(" | ")}`),
  ];
  return lines.join("\n");
}

const pictureWidth = 40;

/** Rows of a waterfall with their bars in blocks. */
function waterfall(rows: Waterfall): readonly string[] {
  const bar = ({ from, to, kind }: WaterfallRow): string => {
    if (from === to) return "";
    const offset = Math.min(pictureWidth - 1, Math.round(from * pictureWidth));
    const width = Math.max(1, Math.round(to * pictureWidth) - offset);
    return `${" ".repeat(offset)}${(kind === "fall" ? "░" : "█").repeat(width)}`;
  };
  return columns([
    ["Factor", "Change", "Share", "Times", ""],
    ...rows.map((row) => [row.name, row.amount, row.share, row.times, bar(row)]),
  ]);
}

function checks(stories: readonly CheckStory[]): string {
  return stories
    .map(({ text, source, truth, detail }) => {
      const mark = truth === "unchecked" ? detail : truth;
      const lines = [item(`[${mark}] ${text}`), ...(source === undefined ? [] : source.split("\n").map((line) => `      ${line}`))];
      return truth === "unchecked" ? lines.join("\n") : [...lines, `  ${detail}`].join("\n");
    })
    .join("\n");
}

function metric(story: MetricStory): string {
  const figures = figuresOf(story);
  if (figures === undefined) return `${story.name}: could not be seen`;
  const unseen = figures.unseen > 0 ? `, ${figures.unseen} of ${story.points.length} looks saw nothing` : "";
  return `${story.name}  ${textSparkline(story)}  first ${figure(figures.first)}, highest ${figure(figures.highest)}, last ${figure(figures.last)}${unseen}`;
}

/** A bullet; further lines are indented behind it. */
function item(markdown: string): string {
  return `- ${proseToText(markdown, "  ").trimStart()}`;
}

/** Cells side by side, each column as wide as its widest cell; the last one runs on. */
function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((text, index) => (widths[index] = Math.max(widths[index] ?? 0, lengthOf(text))));
  return rows.map((row) =>
    row
      .map((text, index) => (index === row.length - 1 ? text : text + " ".repeat(Math.max(0, (widths[index] ?? 0) - lengthOf(text)))))
      .join("  ")
      .trimEnd(),
  );
}

/** In code points, so that one symbol counts once. */
function lengthOf(text: string): number {
  return Array.from(text).length;
}
