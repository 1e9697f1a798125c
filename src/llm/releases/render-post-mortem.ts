import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import type { Instant } from "../../core/clock.ts";
import { oneLine, shortLine } from "../../core/one-line.ts";
import type { PostMortem } from "./post-mortem.ts";

/** Of one block; GitHub takes 65,536 characters of an issue. */
const maxCharacters = 18_000;
const maxLine = 500;

/**
 * A post-mortem as Markdown. Whatever others have written is within blocks of plain text, where it is no markup, no link and no mention of a person, and holds
 * nothing that looks like a secret. Pure.
 */
export function renderPostMortem({ runId, feature, at, begun, timeline, gaps, findings }: PostMortem): string {
  return [
    `# Security incident in ${feature}`,
    "",
    `This is a draft of ${timeText(at)}, made by run \`${runId}\`${begun === undefined ? "" : `, which began at ${timeText(begun)}`}. A person completes it.`,
    "",
    "## The 72-hour clock",
    "",
    ...clockOf(findings),
    "",
    "## What is known of the findings",
    "",
    ...block(
      (findings?.findings ?? []).map(
        (one) =>
          `${one.class.padEnd(8)} ${one.state.padEnd(9)} ${timeText(one.events[0]?.at ?? one.updatedAt)} ${one.source}: ${one.title}${one.fixedBy === undefined ? "" : `, fixed by ${one.fixedBy}`}`,
      ),
      "No finding is recorded.",
    ),
    "",
    "## What was not shown",
    "",
    ...block(gaps, "Nothing is named."),
    "",
    "## Timeline",
    "",
    ...block(
      timeline.map((line) => `${timeText(line.at)} ${line.text}`),
      "Nothing is recorded.",
    ),
    "",
    "## For a person to write",
    "",
    "* What was affected, and whether personal data was read, changed or taken.",
    "* What would have shown the hole earlier.",
    "* What is done so that it does not come back, and who does it until when.",
    "",
  ].join("\n");
}

function clockOf(findings: PostMortem["findings"]): readonly string[] {
  if (findings === undefined) return ["The findings cannot be read: a person must state when the first of them was known."];
  const { firstKnownAt: begun, reportUntil } = findings;
  if (begun === null || reportUntil === null) return ["No finding is recorded, so that the clock has no beginning."];
  return [
    `The first finding was known at ${timeText(begun)}.`,
    `Where personal data was affected, the authority expects a report until ${timeText(reportUntil)}.`,
  ];
}

/** Lines as plain text, the first and the last of them where they are too many. A fence of three backquotes cannot end within them. */
function block(lines: readonly string[], empty: string): readonly string[] {
  if (lines.length === 0) return [empty];
  const plain = lines.map((line) => shortLine(maskSecrets(oneLine(line)).replaceAll("`", "'"), maxLine));
  const [first, last] = [fitting(plain), fitting(plain.toReversed()).toReversed()];
  const omitted = plain.length - first.length - last.length;
  return ["```text", ...(omitted <= 0 ? plain : [...first, `… ${omitted} lines are left out …`, ...last]), "```"];
}

/** As many lines as half a block holds. */
function fitting(lines: readonly string[]): readonly string[] {
  let characters = 0;
  const beyond = lines.findIndex((line) => (characters += line.length + 1) > maxCharacters / 2);
  return beyond === -1 ? lines : lines.slice(0, beyond);
}

function timeText(at: Instant): string {
  return new Date(at).toISOString();
}
