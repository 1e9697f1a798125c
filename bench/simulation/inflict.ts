import type { Freeze } from "../chaos/history.ts";
import { errorOf, type FaultKind, holdLengthsMs, stopLengthsMs } from "./faults.ts";
import { type Operation, type Operations, oneOf } from "./operations.ts";
import type { TimedProcess, WorldTime } from "./process-clock.ts";
import { leaseMs } from "./simulated-store.ts";

/** What the faults of calls and processes reach of a world. */
export interface CallWorld {
  readonly time: WorldTime;
  readonly operations: Operations;
  /** Dead ones too, by their number. */
  readonly processes: ReadonlyMap<number, TimedProcess & { readonly id: number; readonly worker: string }>;
  /** Calls that reached the target after their process had been stopped. */
  readonly stops: Freeze[];
  /** Place of the present step in the order of the world, times ten. */
  readonly sequence: () => number;
  /** Adds a line to the trace. */
  readonly note: (line: string) => void;
  /** When the clock of the store was set last, in milliseconds since the world began. */
  clockSetAt?: number;
  /** Starts a process of this worker. */
  readonly start: (worker: string) => void;
}

/** See `faultOf`. */
export interface Fault {
  readonly kind: FaultKind;
  readonly argument: number;
}

/**
 * Lets the world make one step: the next call goes on, or time passes, unless a fault happens instead. `ofWorld` makes the faults happen that are of no call;
 * it returns whether it did.
 */
export async function inflict(world: CallWorld, fault: Fault | undefined, ofWorld: (fault: Fault) => boolean): Promise<void> {
  const ready = readyOf(world);
  const [first] = ready;
  const chosen = fault === undefined ? first : oneOf(ready, fault.argument);
  const detail = fault === undefined ? 0 : Math.floor(fault.argument / Math.max(1, ready.length));
  if (fault !== undefined) world.note(`fault ${fault.kind}`);
  const callFault = fault === undefined ? undefined : callFaults[fault.kind];
  if (chosen !== undefined && (await callFault?.(world, chosen, detail)) === true) return;
  if (fault !== undefined && ofWorld(fault)) return;
  if (chosen !== undefined && fault?.kind !== "advance") await complete(world, chosen);
  else passTime(world);
}

function passTime(world: CallWorld): void {
  world.time.runNext();
}

/** Calls that can be carried out, in the order in which they were made. */
function readyOf({ operations, processes, time }: CallWorld): readonly Operation[] {
  const now = time.elapsed();
  return operations.waiting.filter((one) => {
    if (one.notBefore > now) return false;
    const process = processes.get(one.process);
    // What the network holds arrives whatever became of its sender.
    return one.wasHeld && one.port === "target" && !one.executed
      ? true
      : process !== undefined && !process.dead && process.stoppedUntil <= now;
  });
}

async function execute(world: CallWorld, operation: Operation): Promise<void> {
  const { process, port, label } = operation;
  // Until its next renewal a worker cannot know that a clock that was set has ended its lease.
  const elapsed = world.time.elapsed();
  if (world.clockSetAt !== undefined && elapsed <= world.clockSetAt + leaseMs) operation.spansStop = true;
  if (operation.spansStop && port === "target") world.stops.push({ pid: process, from: world.sequence(), to: world.sequence() });
  await operation.execute();
  // A process that was killed while the network held its request hears nothing of it.
  if (world.processes.get(process)?.dead === true) world.operations.remove(operation);
  world.note(`${process} ${port} ${label}`);
}

async function complete(world: CallWorld, operation: Operation): Promise<void> {
  if (!operation.executed) await execute(world, operation);
  reply(world, operation);
}

/** A process that was killed while the network held its request gets neither a reply nor an error. */
function reply({ operations, processes }: CallWorld, operation: Operation, error?: Error): void {
  if (processes.get(operation.process)?.dead === true) operations.remove(operation);
  else if (error === undefined) operation.deliver();
  else operation.fail(error);
}

type CallFault = (world: CallWorld, operation: Operation, detail: number) => boolean | Promise<boolean>;

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
    reply(world, operation, errorOf(operation, "unknown"));
    return true;
  },
  refuse(world, operation) {
    // What has left the machine cannot be refused to its sender any more.
    if (operation.executed || operation.wasHeld) return false;
    reply(world, operation, errorOf(operation, "no"));
    return true;
  },
  async resend(world, operation) {
    // The client of Redis sends a command again whose reply was lost with the connection.
    if (operation.port === "target") return false;
    await execute(world, operation);
    await execute(world, operation);
    reply(world, operation);
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
  crash_sent(world, operation, detail) {
    if (operation.port !== "target" || operation.executed || operation.wasHeld) return false;
    send(world, operation, detail);
    kill(world, operation.process);
    return true;
  },
  hold(world, operation, detail) {
    // Only requests that leave the machine are held by a network.
    if (operation.port !== "target" || operation.executed || operation.wasHeld) return false;
    send(world, operation, detail);
    return true;
  },
};

/** The bytes have left the machine, and are on their way. */
function send({ time }: CallWorld, operation: Operation, detail: number): void {
  operation.wasHeld = true;
  operation.notBefore = time.elapsed() + (oneOf(holdLengthsMs, detail) ?? 0);
}

/** SIGKILL; the worker starts again later. */
export function kill(world: CallWorld, id: number): void {
  const process = world.processes.get(id);
  if (process === undefined || process.dead) return;
  process.dead = true;
  world.operations.dropOf(process.id);
  world.note(`kill ${process.id}`);
  world.time.plan(1500, () => world.start(process.worker));
}

/** SIGSTOP, and SIGCONT later. */
function stop(world: CallWorld, id: number, ms: number): void {
  const process = world.processes.get(id);
  if (process === undefined) return;
  process.stoppedUntil = world.time.elapsed() + ms;
  for (const operation of world.operations.waiting) if (operation.process === process.id) operation.spansStop = true;
  // Something must happen at the moment at which it goes on.
  world.time.plan(ms, () => undefined);
  world.note(`stop ${process.id} for ${ms}`);
}
