import { clockJumpsMs, errorOf, type FaultKind } from "./faults.ts";
import { type Fault, kill } from "./inflict.ts";
import { oneOf } from "./operations.ts";
import { answer, people } from "./people.ts";
import { edited } from "./simulated-documents.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { World } from "./world.ts";

/** Makes a fault happen that is of no call. False: it is of a call, or cannot happen now. */
export function inflictOnWorld(world: World, { kind, argument }: Fault): boolean {
  return worldFaults[kind]?.(world, argument) ?? false;
}

type WorldFault = (world: World, argument: number) => boolean;

const processOf = ({ processes }: World, argument: number): SimulatedProcess | undefined =>
  oneOf(
    [...processes.values()].filter(({ dead }) => !dead),
    argument,
  );
const runOf = ({ runs }: World, argument: number): string | undefined => oneOf([...runs.keys()], argument);

const worldFaults: Partial<Record<FaultKind, WorldFault>> = {
  wake(world, argument) {
    const runId = runOf(world, argument);
    const process = processOf(world, Math.floor(argument / 3));
    if (process === undefined || runId === undefined) return false;
    void process.run(runId);
    return true;
  },
  person(world, argument) {
    const question = oneOf([...world.store.state.questions.values()], argument);
    if (question === undefined) return false;
    const text = oneOf(question.answers, Math.floor(argument / 7)) ?? "";
    const by = oneOf(people, Math.floor(argument / 28))?.[0] ?? "";
    void answer(world, question, { text, by, argument: Math.floor(argument / 140) });
    return true;
  },
  authority({ roles }, argument) {
    const [name, role] = oneOf(people, argument) ?? people[0] ?? ["", "viewer"];
    roles.set(name, roles.get(name) === "viewer" ? role : "viewer");
    return true;
  },
  late_answer(world, argument) {
    const question = oneOf([...world.store.state.asked.values()], argument);
    const [by] = oneOf(people, Math.floor(argument / 7)) ?? ["ann"];
    if (question === undefined) return false;
    // As of a page that was open for long, and is sent shortly before and after the time is over.
    const delayMs = oneOf([0, 30_000, 59_900, 60_500], Math.floor(argument / 35)) ?? 0;
    const text = oneOf(question.answers, Math.floor(argument / 140)) ?? "";
    world.time.plan(delayMs, () => void answer(world, question, { text, by }));
    return true;
  },
  person_stops(world, argument) {
    const { store, stopsAsked } = world;
    const runId = runOf(world, argument);
    if (runId === undefined || store.state.rows.get(runId)?.state === "ended") return false;
    store.memory.notice(runId, { stop: { by: "ann", reason: "enough" } });
    if (!stopsAsked.has(runId)) stopsAsked.set(runId, world.sequence());
    return true;
  },
  freeze({ store, time, killSwitches, sequence }, argument) {
    if (store.state.freezes.size > 0) return false;
    const undo = argument % 2 === 0;
    store.memory.freeze({ scope: "all", by: "ann", reason: "a release", at: time.now(), undo });
    store.confirm();
    killSwitches.push({ from: sequence(), to: Number.POSITIVE_INFINITY, undo });
    return true;
  },
  unfreeze({ store, killSwitches, sequence }) {
    if (store.state.freezes.size === 0) return false;
    store.memory.unfreeze("all");
    store.confirm();
    const last = killSwitches.pop();
    if (last !== undefined) killSwitches.push({ ...last, to: sequence() });
    return true;
  },
  clock(world, argument) {
    world.storeProcess.offsetMs += oneOf(clockJumpsMs, argument) ?? 0;
    world.clockSetAt = world.time.elapsed();
    return true;
  },
  fail_over(world, argument) {
    if (!world.hasReplicas) return false;
    lose(world, argument % (world.store.unconfirmed + 1));
    return true;
  },
  restart_store(world, argument) {
    const { store } = world;
    lose(world, store.durability.isUnfit ? argument % (store.unconfirmed + 1) : 0);
    return true;
  },
  unfit({ store }) {
    store.confirm();
    store.durability.isUnfit = !store.durability.isUnfit;
    return true;
  },
  edit({ present }) {
    for (const [id, runbook] of present) present.set(id, edited(runbook));
    return true;
  },
  drain(world, argument) {
    const process = processOf(world, argument);
    if (process === undefined || process.drain.signal.aborted) return false;
    process.drain.abort();
    world.time.plan(3000, () => kill(world, process.id));
    return true;
  },
  namesake(world, argument) {
    const process = processOf(world, argument);
    if (process === undefined) return false;
    world.store.reclaim(process.worker);
    return true;
  },
  plant({ target }, argument) {
    const write = oneOf(target.writes, argument);
    if (write === undefined) return false;
    target.plant(write.name);
    return true;
  },
};

/** The store goes on with fewer writes; what people have not been told since is as if it had not happened. */
function lose(world: World, writes: number): void {
  const { store, stopsAsked } = world;
  store.failOver(writes);
  const unanswered = world.operations.waiting.filter(({ executed, port }) => executed && port !== "target");
  for (const operation of unanswered) operation.fail(errorOf(operation, "unknown"));
  for (const runId of stopsAsked.keys()) if (store.state.rows.get(runId)?.notices.stop === undefined) stopsAsked.delete(runId);
  world.announced.clear();
  world.note(`the store loses ${writes} writes`);
}
