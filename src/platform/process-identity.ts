import { readdirSync, readFileSync, readlinkSync, realpathSync } from "node:fs";
import { sep } from "node:path";

/** What tells one process from every other, also after a restart of the machine and across PID namespaces. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Names one run of the machine's kernel; `unknown` where the system does not say. */
  readonly bootId: string;
  /** Names the PID namespace; a pid means something only inside it. `unknown` where the system does not say. */
  readonly pidNamespace: string;
  /** When the process began, in ticks since the boot, so that a pid that was given again is another process; `unknown` where the system does not say. */
  readonly startTime: string;
}

/** Whether a process lives, as far as this process can see it. `unseen`: it belongs to another machine, boot or PID namespace. */
export type Liveness = "alive" | "dead" | "unseen";

/** Where processes are looked up. */
export interface ProcessView {
  /** This process. */
  readonly self: ProcessIdentity;
  /** Ticks since the boot at which a process of this PID namespace began; undefined: there is none, or it has ended. */
  readonly startTimeOf: (pid: number) => string | undefined;
}

/** Whether the process that `identity` names lives. What cannot be proven is `unseen`, never `dead`. */
export function livenessOf(identity: ProcessIdentity, { self, startTimeOf }: ProcessView): Liveness {
  const isSameMachine = identity.bootId === self.bootId && identity.pidNamespace === self.pidNamespace;
  if (!isSameMachine || self.bootId === unknown) return "unseen";
  return startTimeOf(identity.pid) === identity.startTime ? "alive" : "dead";
}

/** A process with the name of its program. */
export interface NamedProcess extends ProcessIdentity {
  readonly name: string;
}

/**
 * Processes of this PID namespace that have a file below `folder` open, work in it or listen on a socket that was made there, by /proc. Left out is this
 * process and what its user may not look at; an empty answer proves nothing.
 */
export function processesIn(folder: string, { self, startTimeOf }: ProcessView): readonly NamedProcess[] {
  const places = [folder, ...lines(() => [realpathSync(folder)])];
  const isInside = (path: string) => places.some((place) => path === place || path.startsWith(`${place}${sep}`));
  // Flags 00010000: it accepts connections. The path is the one that it was made with, also when it is removed.
  const sockets = new Set(
    lines(() => readFileSync("/proc/net/unix", "utf8").split("\n")).flatMap((line) => {
      const [, inode = "", path = ""] = /^\S+ \S+ \S+ 00010000 \S+ \S+ +(\d+) (.+)$/.exec(line) ?? [];
      return isInside(path) ? [`socket:[${inode}]`] : [];
    }),
  );
  const isAtWork = (pid: string) =>
    lines(() => [readlinkSync(`/proc/${pid}/cwd`)]).some((at) => isInside(at)) ||
    lines(() => readdirSync(`/proc/${pid}/fd`))
      .flatMap((fd) => lines(() => [readlinkSync(`/proc/${pid}/fd/${fd}`)]))
      .some((opened) => sockets.has(opened) || isInside(opened));
  return lines(() => readdirSync("/proc")).flatMap((entry) => {
    const pid = Number(entry);
    const startTime = Number.isSafeInteger(pid) && pid !== self.pid ? startTimeOf(pid) : undefined;
    if (startTime === undefined || !isAtWork(entry)) return [];
    const name = orUnknown(() => readFileSync(`/proc/${entry}/comm`, "utf8").trim());
    return [{ pid, bootId: self.bootId, pidNamespace: self.pidNamespace, startTime, name }];
  });
}

function lines(read: () => readonly string[]): readonly string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

const unknown = "unknown";

/** The processes that this one can see, by /proc; elsewhere (macOS) everything but its own pid is unknown. */
export function createProcessView(): ProcessView {
  return {
    self: {
      pid: process.pid,
      bootId: orUnknown(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
      pidNamespace: orUnknown(() => readlinkSync("/proc/self/ns/pid")),
      startTime: startTimeOf(process.pid) ?? unknown,
    },
    startTimeOf,
  };
}

function orUnknown(read: () => string): string {
  try {
    return read();
  } catch {
    return unknown;
  }
}

/** Fields 3 (state) and 22 (start time) of /proc/<pid>/stat; the second field may hold spaces and parentheses. */
function startTimeOf(pid: number): string | undefined {
  const stat = orUnknown(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie has ended; its exit code was not asked for yet.
  return stat === unknown || state === "Z" || state === "X" ? undefined : fields[18];
}
