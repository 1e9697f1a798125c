import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageFolder } from "../../src/cli/process-context.ts";
import type { Freeze, NameHold } from "./history.ts";
import { namespaceCommand } from "./machine-limits.ts";

/** A whole runbookd in a process of its own: webhook, queue, worker and sweeper. */
interface Member {
  /** Names the process: two of different PID namespaces may have one pid. */
  readonly pid: number;
  readonly host: string;
  /** Which machine it pretends to be on; its clock is that machine's. */
  readonly machine: number;
  readonly isInNamespace: boolean;
  /** 0 until it listens. */
  port: number;
  name: string;
  namedAt: number;
  /** Whether it said that it has lost its name. */
  hasLostName: boolean;
  frozenAt: number | undefined;
  readonly child: ChildProcess;
}

/** Processes that are killed, frozen and started again. */
export interface Herd extends AsyncDisposable {
  ports(): readonly number[];
  /** SIGKILL to the nth member; another starts `afterMs` later, under its host's name or a new one. Undefined: there is none. */
  kill(nth: number, sameHost: boolean, afterMs: number): number | undefined;
  /** SIGKILL to the nth member; another starts `afterMs` later on its host, as process 1 of a PID namespace of its own. Undefined: there is none. */
  killForNamespace(nth: number, afterMs: number): number | undefined;
  /** SIGSTOP to the nth member, SIGCONT `forMs` later. */
  freeze(nth: number, forMs: number): number | undefined;
  /** Sets the clock of the nth machine back, and right again `forMs` later. False: it is set back already. */
  setClockBack(nth: number, byMs: number, forMs: number): boolean;
  /** Lets everything that is frozen go on, and sets every clock right. */
  thaw(): void;
  readonly freezes: readonly Freeze[];
  /** When which process was killed. */
  readonly deaths: readonly { readonly pid: number; readonly at: number }[];
  /** Who had which name when, up to now. */
  names(): readonly NameHold[];
}

/** Where a member starts. */
type Place = Pick<Member, "host" | "machine" | "isInNamespace">;

/** Starts `count` processes with this environment; one that ends without being killed is started again. `folder`: for the clocks of their machines. */
export function startHerd(
  count: number,
  { env, folder }: { readonly env: Readonly<Record<string, string>>; readonly folder: string },
): Herd {
  const program = join(packageFolder(), "dist/test/children/crash-child.js");
  const members: Member[] = [];
  const freezes: Freeze[] = [];
  const deaths: { pid: number; at: number }[] = [];
  const holds: NameHold[] = [];
  const setBack = new Set<number>();
  const timers = new Set<NodeJS.Timeout>();
  let isClosing = false;
  let hosts = 0;
  let started = 0;

  const later = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };
  const clockOf = (machine: number): string => join(folder, `clock-${machine}`);

  const start = (place: Place): void => {
    if (isClosing) return;
    const pid = (started += 1);
    const { host, machine, isInNamespace } = place;
    const variables = { RB_HOST: host, RB_PROCESS: String(pid), RB_CLOCK: clockOf(machine) };
    const child = spawn("env", [...(isInNamespace ? namespaceCommand : []), process.execPath, program], {
      env: { PATH: process.env["PATH"] ?? "", ...env, ...variables },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const member: Member = { ...place, pid, port: 0, name: "", namedAt: 0, hasLostName: false, frozenAt: undefined, child };
    members.push(member);
    child.stdout.on("data", (chunk) => {
      const said = String(chunk);
      member.port = Number(/ready (\d+)/.exec(said)?.[1] ?? member.port);
      const name = /name (\S+)/.exec(said)?.[1];
      if (name !== undefined) Object.assign(member, { name, namedAt: Date.now() });
      member.hasLostName ||= /^lost$/m.test(said);
    });
    child.once("exit", () => {
      if (!members.includes(member)) return;
      // It ended without being killed: as in production, whatever runs it starts it again.
      end(member);
      later(200, () => start(place));
    });
  };

  const end = (member: Member): void => {
    members.splice(members.indexOf(member), 1);
    const at = Date.now();
    if (member.frozenAt !== undefined) freezes.push({ pid: member.pid, from: member.frozenAt, to: at });
    deaths.push({ pid: member.pid, at });
    if (member.name !== "") holds.push(holdOf(member, at));
  };
  const killNth = (nth: number): Member | undefined => {
    const member = members[nth % Math.max(1, members.length)];
    if (member === undefined) return undefined;
    end(member);
    member.child.kill("SIGKILL");
    return member;
  };
  const thaw = (member: Member): void => {
    if (member.frozenAt === undefined || !members.includes(member)) return;
    freezes.push({ pid: member.pid, from: member.frozenAt, to: Date.now() });
    member.frozenAt = undefined;
    signal(member, "SIGCONT");
  };
  const setRight = (machine: number): void => {
    setBack.delete(machine);
    writeFileSync(clockOf(machine), "0");
  };

  const endWithUs = (): void => {
    for (const { child } of members) child.kill("SIGKILL");
  };
  process.once("exit", endWithUs);
  for (let machine = 0; machine < count; machine += 1) start({ host: "chaos", machine, isInNamespace: false });

  return {
    freezes,
    deaths,
    names: () => [...holds, ...members.filter(({ name }) => name !== "").map((member) => holdOf(member, Date.now()))],
    ports: () => members.flatMap(({ port, frozenAt }) => (port > 0 && frozenAt === undefined ? [port] : [])),
    kill(nth, sameHost, afterMs) {
      const member = killNth(nth);
      if (member === undefined) return undefined;
      const { machine } = member;
      later(afterMs, () => start({ host: sameHost ? member.host : `chaos-${(hosts += 1)}`, machine, isInNamespace: false }));
      return member.pid;
    },
    killForNamespace(nth, afterMs) {
      const member = killNth(nth);
      if (member === undefined) return undefined;
      later(afterMs, () => start({ host: "chaos", machine: member.machine, isInNamespace: true }));
      return member.pid;
    },
    freeze(nth, forMs) {
      const member = members[nth % Math.max(1, members.length)];
      if (member === undefined || member.frozenAt !== undefined || member.port === 0 || !signal(member, "SIGSTOP")) return undefined;
      member.frozenAt = Date.now();
      later(forMs, () => thaw(member));
      return member.pid;
    },
    setClockBack(nth, byMs, forMs) {
      const machine = nth % count;
      if (setBack.has(machine)) return false;
      setBack.add(machine);
      writeFileSync(clockOf(machine), String(-byMs));
      later(forMs, () => setRight(machine));
      return true;
    },
    thaw() {
      for (const member of members) thaw(member);
      for (const machine of setBack) setRight(machine);
    },
    async [Symbol.asyncDispose]() {
      isClosing = true;
      for (const timer of timers) clearTimeout(timer);
      process.off("exit", endWithUs);
      const all = members.splice(0);
      await Promise.all(
        all.map(async ({ child }) => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          const gone = once(child, "exit");
          child.kill("SIGKILL");
          await gone;
        }),
      );
    },
  };
}

function holdOf({ pid, name, namedAt, hasLostName }: Member, to: number): NameHold {
  return { pid, name, from: namedAt, to, hasLostName };
}

/** Of a namespace the process inside is stopped, not the one that made it. False: it is not there. */
function signal({ child, isInNamespace }: Member, name: "SIGSTOP" | "SIGCONT"): boolean {
  if (!isInNamespace) return child.kill(name);
  try {
    const [inside] = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim().split(" ");
    return inside !== undefined && inside !== "" && process.kill(Number(inside), name);
  } catch {
    return false;
  }
}
