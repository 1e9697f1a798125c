import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { packageFolder } from "../../src/cli/process-context.ts";
import type { Freeze } from "./history.ts";

/** A whole runbookd in a process of its own: webhook, queue, worker and sweeper. */
export interface Member {
  readonly pid: number;
  readonly name: string;
  /** 0 until it listens. */
  port: number;
  frozenAt: number | undefined;
  readonly child: ChildProcess;
}

/** Processes that are killed, frozen and started again. */
export interface Herd extends AsyncDisposable {
  ports(): readonly number[];
  /** SIGKILL to the nth member; another starts `afterMs` later, under its name or a new one. Undefined: there is none. */
  kill(nth: number, sameName: boolean, afterMs: number): number | undefined;
  /** SIGSTOP to the nth member, SIGCONT `forMs` later. */
  freeze(nth: number, forMs: number): number | undefined;
  /** Lets everything that is frozen go on. */
  thaw(): void;
  readonly freezes: readonly Freeze[];
  /** When which process was killed. */
  readonly deaths: readonly { readonly pid: number; readonly at: number }[];
}

/** Starts `count` processes with this environment; one that ends by itself is started again. */
export function startHerd(count: number, env: Readonly<Record<string, string>>): Herd {
  const program = join(packageFolder(), "dist/test/children/crash-child.js");
  const members: Member[] = [];
  const freezes: Freeze[] = [];
  const deaths: { pid: number; at: number }[] = [];
  const timers = new Set<NodeJS.Timeout>();
  let isClosing = false;
  let names = 0;

  const later = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };

  const start = (name: string): void => {
    if (isClosing) return;
    const child = spawn(process.execPath, [program], {
      env: { PATH: process.env["PATH"] ?? "", ...env, RB_WORKER: name },
      stdio: ["ignore", "pipe", "ignore"],
    });
    const member: Member = { pid: child.pid ?? 0, name, port: 0, frozenAt: undefined, child };
    members.push(member);
    child.stdout.on("data", (chunk) => (member.port = Number(/ready (\d+)/.exec(String(chunk))?.[1] ?? member.port)));
    child.once("exit", () => {
      if (!members.includes(member)) return;
      // It ended by itself: as in production, whoever runs it starts it again.
      deaths.push({ pid: member.pid, at: Date.now() });
      remove(member);
      later(200, () => start(name));
    });
  };

  const remove = (member: Member): void => void members.splice(members.indexOf(member), 1);
  const thaw = (member: Member): void => {
    if (member.frozenAt === undefined) return;
    freezes.push({ pid: member.pid, from: member.frozenAt, to: Date.now() });
    member.frozenAt = undefined;
    member.child.kill("SIGCONT");
  };

  const endWithUs = (): void => {
    for (const { child } of members) child.kill("SIGKILL");
  };
  process.once("exit", endWithUs);
  for (let nth = 0; nth < count; nth += 1) start(`chaos-${(names += 1)}`);

  return {
    freezes,
    deaths,
    ports: () => members.flatMap(({ port, frozenAt }) => (port > 0 && frozenAt === undefined ? [port] : [])),
    kill(nth, sameName, afterMs) {
      const member = members[nth % Math.max(1, members.length)];
      if (member === undefined) return undefined;
      remove(member);
      if (member.frozenAt !== undefined) freezes.push({ pid: member.pid, from: member.frozenAt, to: Date.now() });
      deaths.push({ pid: member.pid, at: Date.now() });
      member.child.kill("SIGKILL");
      later(afterMs, () => start(sameName ? member.name : `chaos-${(names += 1)}`));
      return member.pid;
    },
    freeze(nth, forMs) {
      const member = members[nth % Math.max(1, members.length)];
      if (member === undefined || member.frozenAt !== undefined || member.port === 0) return undefined;
      member.frozenAt = Date.now();
      member.child.kill("SIGSTOP");
      later(forMs, () => thaw(member));
      return member.pid;
    },
    thaw() {
      for (const member of members) thaw(member);
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
