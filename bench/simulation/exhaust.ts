import { type FaultKind, faultKinds } from "./faults.ts";
import { recordedSchedule } from "./schedule.ts";
import { smallDocuments } from "./simulated-documents.ts";
import { simulate, type WorldResult } from "./simulated-world.ts";

/** What may happen at each decision; with an argument that means the same for one, two or three calls that wait. */
const faults: readonly (readonly [FaultKind, number])[] = [
  ["other", 1],
  ["advance", 0],
  ["crash", 0],
  ["crash_after", 0],
  ["lose_reply", 0],
  ["refuse", 0],
  ["resend", 0],
  ["stop_process", 6],
  ["stop_process_after", 6],
  ["fail_over", 0],
];

const decisions: readonly number[] = faults.map(([kind, argument]) => 1 + faultKinds.indexOf(kind) + argument * faultKinds.length);

/** What became of all worlds with a bounded number of faults. */
export interface Exhausted {
  readonly worlds: number;
  readonly failed: readonly { readonly decisions: readonly number[]; readonly result: WorldResult }[];
}

/** A small world: one run of the small document at this place, in `auto`, by two workers. */
export interface SmallWorld {
  readonly document: number;
  readonly replicas: boolean;
}

/** Executes every world that differs from the one without faults in at most `maxFaults` decisions. */
export async function exhaust({ document, replicas }: SmallWorld, maxFaults: number): Promise<Exhausted> {
  const setup = [replicas ? 1 : 0, 0, 0, document, 0, 0, 0, 0];
  const failed: { decisions: readonly number[]; result: WorldResult }[] = [];
  let worlds = 0;
  const visit = async (list: readonly number[], remaining: number): Promise<void> => {
    const result = await simulate(recordedSchedule(list), { documents: smallDocuments });
    worlds += 1;
    if (result.violation !== undefined) failed.push({ decisions: list, result });
    if (remaining === 0) return;
    for (let place = list.length; place < result.decisions.length; place += 1) {
      const before = [...list, ...Array.from({ length: place - list.length }, () => 0)];
      for (const decision of decisions) await visit([...before, decision], remaining - 1);
    }
  };
  await visit(setup, maxFaults);
  return { worlds, failed };
}
