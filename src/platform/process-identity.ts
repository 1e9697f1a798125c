import { readFileSync, readlinkSync } from "node:fs";

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
  // A zombie has ended; nobody has asked for its exit code yet.
  return stat === unknown || state === "Z" || state === "X" ? undefined : fields[18];
}
