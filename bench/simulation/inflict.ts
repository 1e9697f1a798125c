import { clockJumpsMs, errorOf, type FaultKind, holdLengthsMs, stopLengthsMs } from "./faults.ts";
import { type Operation, oneOf } from "./operations.ts";
import { answer } from "./people.ts";
import { edited } from "./simulated-documents.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { World } from "./world.ts";

interface Fault {
  readonly kind: FaultKind;
  readonly argument: number;
}

/** Lets the world make one step: the next call goes on, or time passes, unless a fault happens instead. */
export async function inflict(world: World, fault: Fault | undefined): Promise<void> {
  const ready = readyOf(world);
  const [first] = ready;
  const chosen = fault === undefined ? first : oneOf(ready, fault.argument);
  const detail = fault === undefined ? 0 : Math.floor(fault.argument / Math.max(1, ready.length));
  if (fault !== undefined) world.note(`fault ${fault.kind}`);
  const callFault = fault === undefined ? undefined : callFaults[fault.kind];
  if (chosen !== undefined && (await callFault?.(world, chosen, detail)) === true) return;
  if (fault !== undefined && worldFaults[fault.kind]?.(world, fault.argument) === true) return;
  if (chosen !== undefined && fault?.kind !== "advance") await complete(world, chosen);
  else passTime(world);
}

function passTime(world: World): void {
  world.time.runNext();
}

/** Calls that can be carried out, in the order in which they were made. */
function readyOf({ operations, processes, time }: World): readonly Operation[] {
  const now = time.elapsed();
  const waits = operations.waiting.filter(({ notBefore }) => notBefore > now);
  return operations.waiting.filter((one) => {
    if (waits.includes(one)) return false;
    const process = processes.get(one.process);
    // What the network holds arrives whatever became of its sender.
    return one.wasHeld && one.port === "target" && !one.executed
      ? true
      : process !== undefined && !process.dead && process.stoppedUntil <= now;
  });
}

async function execute(world: World, operation: Operation): Promise<void> {
  const { process, port, label } = operation;
  if (operation.spansStop && port === "target") world.stops.push({ pid: process, from: world.sequence(), to: world.sequence() });
  await operation.execute();
  world.note(`${process} ${port} ${label}`);
}

async function complete(world: World, operation: Operation): Promise<void> {
  if (!operation.executed) await execute(world, operation);
  operation.deliver();
}

type CallFault = (world: World, operation: Operation, detail: number) => boolean | Promise<boolean>;

/** Faults of one call. False: it cannot happen to this call. */
const callFaults: Partial<Record<FaultKind, CallFault>> = {
  crash(world, { process }) {
    kill(world, process);
    return true;
  },
  async crash_after(world, operation) {
    if (!operation.executed) await execute(world, operation);
    kill(world, operation.process);
    return true;
  },
  async lose_reply(world, operation) {
    if (!operation.executed) await execute(world, operation);
    operation.fail(errorOf(operation, "unknown"));
    return true;
  },
  refuse(_world, operation) {
    if (operation.executed) return false;
    operation.fail(errorOf(operation, "no"));
    return true;
  },
  async resend(world, operation) {
    // The client of Redis sends a command again whose reply was lost with the connection.
    if (operation.port === "target") return false;
    await execute(world, operation);
    await execute(world, operation);
    operation.deliver();
    return true;
  },
  stop_process(world, { process }, detail) {
    stop(world, process, oneOf(stopLengthsMs, detail) ?? 0);
    return true;
  },
  async stop_process_after(world, operation, detail) {
    if (!operation.executed) await execute(world, operation);
    stop(world, operation.process, oneOf(stopLengthsMs, detail) ?? 0);
    return true;
  },
  hold({ time }, operation, detail) {
    // Only requests that leave the machine are held by a network.
    if (operation.port !== "target" || operation.executed || operation.wasHeld) return false;
    operation.wasHeld = true;
    operation.notBefore = time.elapsed() + (oneOf(holdLengthsMs, detail) ?? 0);
    return true;
  },
};

function kill(world: World, id: number): void {
  const process = world.processes.get(id);
  if (process === undefined || process.dead) return;
  process.dead = true;
  world.operations.dropOf(process.id);
  world.note(`kill ${process.id}`);
  world.time.plan(1500, () => world.start(process.worker));
}

/** SIGSTOP, and SIGCONT later. */
function stop(world: World, id: number, ms: number): void {
  const process = world.processes.get(id);
  if (process === undefined) return;
  process.stoppedUntil = world.time.elapsed() + ms;
  for (const operation of world.operations.waiting) if (operation.process === process.id) operation.spansStop = true;
  // Something must happen at the moment at which it goes on.
  world.time.plan(ms, () => undefined);
  world.note(`stop ${process.id} for ${ms}`);
}

type WorldFault = (world: World, argument: number) => boolean;

const processOf = ({ processes }: World, argument: number): SimulatedProcess | undefined =>
  oneOf(
    [...processes.values()].filter(({ dead }) => !dead),
    argument,
  );
const runOf = ({ runs }: World, argument: number): string | undefined => oneOf([...runs.keys()], argument);

/** Faults of everything else. False: it cannot happen now. */
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
    answer(world, question, oneOf(question.answers, Math.floor(argument / 7)) ?? "");
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
    world.clockJumped = true;
    // A lease may be over too early by such a clock; what is on its way then is as late as that of a stopped process.
    for (const operation of world.operations.waiting) operation.spansStop = true;
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
  for (const operation of world.operations.waiting)
    if (operation.executed && operation.port !== "target") operation.fail(errorOf(operation, "unknown"));
  for (const runId of stopsAsked.keys()) if (store.state.rows.get(runId)?.notices.stop === undefined) stopsAsked.delete(runId);
  world.announced.clear();
  world.note(`the store loses ${writes} writes`);
}
