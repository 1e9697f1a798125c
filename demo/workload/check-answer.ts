import type { Assignment } from "./assignments.ts";

/** Releases of the application. The second one holds the bug of this demo. */
export type Release = "1.4.0" | "1.5.0";

/** Refused answers to one assignment before the application gives the ticket up. */
export const maxRefusals = 60;

/**
 * Checks what the model said. Release 1.5.0 also demands a line `RISK:` of a plan, which the prompt never asks for:
 * no answer can pass, and every turn tries again at once, with the refused answer and the complaint in its context.
 */
export function checkAnswer(
  release: Release,
  assignment: Assignment,
  text: string,
): { readonly ok: true } | { readonly ok: false; readonly complaint: string } {
  if (text.trim() === "") return { ok: false, complaint: "The answer is empty." };
  if (release === "1.5.0" && assignment.prompt === "implement" && assignment.operation === "plan" && !/^RISK:/m.test(text)) {
    return { ok: false, complaint: complaintOf(text) };
  }
  return { ok: true };
}

const levels = ["low", "medium", "high", "unknown"];

/** The validator's report, in its full length, goes back to the model. */
function complaintOf(text: string): string {
  const rules = levels.map(
    (level) =>
      `- a line "RISK: ${level}" stands first when the change is of ${level} risk; it names the component, the callers, the data that the change touches, and who is told before and after it goes out`,
  );
  return `The plan (${text.length} characters) was refused by plan.schema.json: no line matches ^RISK: (${levels.join("|")})$. The rules are:\n${rules.join("\n")}\nKeep what was good, and answer with the whole plan again.`;
}
