import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { World } from "./world.ts";

/** How long a person takes to answer. */
const answerMs = 2000;

/** Has a person answer each open question that none has been given yet. */
export function answerOf(world: World): void {
  for (const question of world.store.state.questions.values()) {
    if (world.announced.has(question.id)) continue;
    world.announced.add(question.id);
    world.time.plan(answerMs, () => answer(world, question, truthOf(world, question)));
  }
}

/** Records an answer, unless the question has been answered; a second answer changes nothing, as in production. */
export function answer(world: World, question: Question, text: string): void {
  if (!world.store.state.questions.has(question.id)) return;
  world.store.memory.answer(question.id, text);
  world.note(`answer ${question.id} ${question.kind} ${text}`);
}

/** What a person says who looks at the target. */
function truthOf({ target }: World, { kind, runId, stepId, answers }: Question): string {
  if (kind === "in_doubt") return target.arrivals.some(({ run, step }) => run === runId && step === stepId) ? "happened" : "retry";
  return ["approve", "done", "skip"].find((one) => answers.includes(one)) ?? answers[0] ?? "";
}
