import type { Question } from "../../../packages/sdk/src/wire/questions.ts";

/** Who reads the page. */
export interface Person {
  readonly name: string;
  readonly role: string;
}

/** Why this person may not answer the question; undefined: may. The server decides, this only keeps useless buttons off the page. */
export function whyNotAnswer({ role: needed }: Pick<Question, "role">, { role }: Person): string | undefined {
  const may = role === "admin" || role === "approver" || (role === "operator" && needed === "operator");
  return may ? undefined : `Your role ${role} may read this question. Answering it needs the role ${needed}.`;
}

/** The answers that this person may give: who started a run does not approve it. */
export function answersFor(
  { kind, answers, requester }: Pick<Question, "kind" | "answers" | "requester">,
  { name }: Pick<Person, "name">,
): readonly string[] {
  return answers.filter((answer) => !(kind === "approve" && answer === "approve" && requester === name));
}

const labels: { readonly [answer: string]: string } = {
  "approve approve": "Approve this plan",
  "approve reject": "Reject, change nothing",
  "manual done": "It is done",
  "manual failed": "It failed",
  "manual skipped": "Skip this step",
  "ask retry": "Try again",
  "ask skip": "Skip this step",
  "ask stop": "Stop the run",
  "ask undo": "Undo and stop",
  "in_doubt happened": "It happened",
  "in_doubt retry": "It did not happen, try again",
  "in_doubt abort": "Abort the run",
};

/** What a button says that gives this answer. */
export function answerLabel({ kind, plan }: Pick<Question, "kind" | "plan">, answer: string): string {
  // A manual step can ask for an approval, and has no plan.
  if (kind === "approve" && answer === "approve" && plan === undefined) return "Approve";
  return labels[`${kind} ${answer}`] ?? `Answer "${answer}"`;
}

const usual = {
  approve: "I read the plan and agree",
  manual: "I did it and checked the result",
  ask: "I checked the target",
  in_doubt: "I checked the target",
} as const;

/** Reasons that can be taken with one tap: at most two from the evidence, and a usual one. */
export function quickReasons({ kind }: Pick<Question, "kind">, evidence: readonly string[]): readonly string[] {
  return [...evidence.slice(0, 2), usual[kind]];
}
