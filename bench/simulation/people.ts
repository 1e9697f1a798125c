import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { Role } from "../../src/core/role.ts";
import { oneOf } from "./operations.ts";
import type { World } from "./world.ts";

/** Who answers, with the role that each begins with. */
export const people: readonly (readonly [string, Role])[] = [
  ["ann", "approver"],
  ["bob", "approver"],
  ["eve", "approver"],
  ["cid", "operator"],
  ["dan", "viewer"],
];

/** How long people take to answer, and until they look again at a question that is still open. */
const answerMs = 2000;
const lookAgainMs = 8000;

/** Has as many people answer each open question as it needs, again and again until it is closed. */
export function answerOf(world: World): void {
  for (const question of world.store.state.questions.values()) {
    if (world.announced.has(question.id)) continue;
    world.announced.add(question.id);
    const able = people.flatMap(([name, role]) => (role === "approver" && name !== question.requester ? [name] : []));
    for (const [index, by] of able.slice(0, question.of ?? 1).entries())
      world.time.plan(answerMs + index * 300, () => void answer(world, question, { text: truthOf(world, question), by }));
    world.time.plan(lookAgainMs, () => world.announced.delete(question.id));
  }
}

/** An answer of any person who may give it. `text`: the answer; `argument`: chooses the process that it is sent to. */
export interface GivenAnswer {
  readonly text: string;
  readonly by: string;
  readonly argument?: number;
}

/** Sends an answer to one of the processes; it may be refused, lost, or too late. */
export async function answer(world: World, question: Question, { text, by, argument = 0 }: GivenAnswer): Promise<void> {
  const alive = [...world.processes.values()].filter(({ dead }) => !dead);
  const process = oneOf(alive, argument);
  const role = world.roles.get(by);
  if (process === undefined || role === undefined) return;
  const taken = world.roleOf(role, people.find(([name]) => name === by)?.[1] ?? role);
  world.answersSent.push({ questionId: question.id, answer: text, by, role });
  const at = world.time.now() + process.offsetMs;
  const plan = question.planSha === undefined ? {} : { planSha: question.planSha };
  try {
    const result = await process.answer(question.id, { answer: text, reason: "looked at it", by, role: taken, at, ...plan });
    world.note(`answered ${question.id} ${question.kind} ${text} by ${by}: ${result.kind}`);
  } catch {
    world.note(`no reply to ${text} by ${by} for ${question.id}`);
  }
}

/** What a person says who looks at the target. */
function truthOf({ target }: World, { kind, runId, stepId, answers }: Question): string {
  if (kind === "in_doubt") return target.arrivals.some(({ run, step }) => run === runId && step === stepId) ? "happened" : "retry";
  return ["approve", "done", "skip"].find((one) => answers.includes(one)) ?? answers[0] ?? "";
}
