import type { Assignment } from "./assignments.ts";

/** Releases of the application. The second one holds the bug of this demo. */
export type Release = "1.4.0" | "1.5.0";

/** Refused answers to one assignment before the application gives the ticket up. */
export const mostRefusals = 60;

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

/** The validator's report, in its full length, goes back to the model. */
function complaintOf(text: string): string {
  const lines = text.split(/(?<=\.)\s+/).slice(0, 40);
  const notes = lines.map(
    (line, index) => `plan.schema.json: line ${index + 1} (${line.length} characters) does not match ^RISK: (low|medium|high)$`,
  );
  return `The plan was refused by plan.schema.json:\n${notes.join("\n")}\nKeep what was good, and answer with the whole plan again.`;
}
