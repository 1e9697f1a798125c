import type { FindingReport } from "../../../packages/sdk/src/wire/finding-imports.ts";
import type { Instant } from "../../core/clock.ts";
import { oneLine } from "../../core/one-line.ts";

/** A report of findings as Markdown, in which no text of a finding is markup. Pure. */
export function renderFindingReport(report: FindingReport): string {
  const { at, since, feature, firstKnownAt, reportUntil, findings, timeline, unknown, sources } = report;
  return [
    "# Security findings",
    "",
    `This report is of ${timeText(at)}. It covers ${feature === null ? "every feature" : `the feature ${plain(feature)}`} since ${timeText(since)}, and what is open.`,
    firstKnownAt === null || reportUntil === null
      ? "No finding is known."
      : `The first finding was known at ${timeText(firstKnownAt)}; 72 hours from then end at ${timeText(reportUntil)}.`,
    "",
    "## What is known",
    "",
    ...(findings.length === 0
      ? ["Nothing."]
      : [
          "| finding | class | state | feature | source | first known | title |",
          "|---|---|---|---|---|---|---|",
          ...findings.map((one) =>
            row([
              one.id,
              `${one.class}${one.assessed ? "" : " (not assessed)"}`,
              one.state,
              one.feature,
              one.source,
              timeText(one.firstSeenAt),
              one.title,
            ]),
          ),
          "",
          ...findings.flatMap(({ id, verdict }) => (verdict?.reasons ?? []).map((reason) => `* ${plain(id)}: ${plain(reason)}`)),
        ]),
    "",
    "## What is not known",
    "",
    ...unknown.map((sentence) => `* ${plain(sentence)}`),
    "",
    "## Timeline",
    "",
    ...(timeline.length === 0 ? ["Nothing happened."] : timeline.map((event) => `* ${timeText(event.at)}: ${plain(event.sentence)}`)),
    "",
    "## Sources",
    "",
    ...(sources.length === 0
      ? ["No source has reported."]
      : sources.map(
          ({ source, up, seenAt }) =>
            `* ${plain(source)} ${up ? "can be read" : "cannot be read"}; it was read last ${seenAt === undefined ? "never" : `at ${timeText(seenAt)}`}.`,
        )),
    "",
  ].join("\n");
}

function row(cells: readonly string[]): string {
  return `| ${cells.map(plain).join(" | ")} |`;
}

/** Text on one line in which Markdown and HTML find nothing. */
function plain(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_{}[\]()#+!|<>~&$]/g, (character) => `\\${character}`);
}

function timeText(at: Instant): string {
  return new Date(at).toISOString();
}
