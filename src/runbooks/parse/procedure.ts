import type { Section } from "./document.ts";
import { type ListItem, plainText, spanOf } from "./markdown.ts";
import type { RawStep } from "./read-bullet.ts";
import type { Reporter } from "./reporter.ts";
import { stepName } from "./step.ts";
import { stepIdOf } from "./step-id.ts";

/** Most steps of one document. */
export const maxSteps = 100;

/** Where the steps are read from. */
export interface StepSource {
  readonly text: string;
  readonly sections: readonly Section[];
  readonly lines: Set<number>;
}

/**
 * The numbered items of a document's Procedure (and of Diagnosis and Mitigation) as one list.
 * Items without a name and numbers that do not continue are errors, as a step may have been lost there.
 */
export function collectSteps({ text, sections, lines }: StepSource, reporter: Reporter): readonly RawStep[] {
  const steps: RawStep[] = [];
  let expected = 1;
  let items = 0;
  for (const section of sections.filter((one) => one.heading === "Procedure")) {
    let under: string | undefined;
    // Under its own heading a list may begin anew, as Diagnosis and Mitigation do in other teams' documents.
    let mayRestart = true;
    for (const child of section.children) {
      if (child.type === "heading" && child.depth === 3) under = plainText(child).trim();
      if (child.type !== "list" || child.ordered !== true) continue;
      items += child.children.length;
      for (const item of child.children) {
        const written = writtenNumber(text, item);
        const start = spanOf(item).start;
        if (mayRestart && written === 1) expected = 1;
        mayRestart = false;
        if (written !== expected) {
          reporter.error({
            rule: "step-number",
            at: start,
            message: `Step ${written ?? "?"} follows where ${expected} was expected; a step may be missing or hidden.`,
            accepted: `the number ${expected}, and numbers without gaps`,
          });
        }
        expected = (written ?? expected) + 1;
        lines.add(reporter.positionOf(start).line);
        const raw = rawStep(item, { number: steps.length + 1, section: under, readOnly: section.readOnly }, reporter);
        if (raw === undefined) continue;
        const twin = steps.find((step) => step.id === raw.id);
        if (twin !== undefined) {
          reporter.error({
            rule: "repeated-step",
            at: start,
            message: `"${raw.name}" has the same id (\`${raw.id}\`) as step ${twin.number}.`,
            accepted: "a name of its own for every step",
          });
        }
        steps.push(raw);
      }
    }
  }
  if (steps.length > maxSteps)
    reporter.error({ rule: "too-many-steps", at: 0, message: `The document has ${steps.length} steps.`, accepted: `at most ${maxSteps}` });
  const procedure = sections.find((one) => one.heading === "Procedure");
  if (items === 0 && procedure !== undefined) {
    reporter.error({
      rule: "no-steps",
      at: procedure.start,
      message: `\`${procedure.written}\` has no steps.`,
      accepted: "a numbered list: `1. **Name**: what to do`",
    });
  }
  return steps;
}

function rawStep(
  item: ListItem,
  { number, section, readOnly }: { readonly number: number; readonly section: string | undefined; readonly readOnly: boolean },
  reporter: Reporter,
): RawStep | undefined {
  const named = stepName(item);
  if (named === undefined) {
    reporter.error({
      rule: "step-name",
      at: spanOf(item).start,
      message: "This numbered item has no name in bold.",
      accepted: "`1. **Name**: what to do`",
    });
    return undefined;
  }
  return { item, id: stepIdOf(named.name), name: named.name, number, readOnly, ...(section !== undefined && { section }) };
}

function writtenNumber(text: string, item: ListItem): number | undefined {
  const digits = /^\d{1,9}/u.exec(text.slice(spanOf(item).start, spanOf(item).start + 10))?.[0];
  return digits === undefined ? undefined : Number(digits);
}
