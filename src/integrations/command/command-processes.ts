import { readdir, readFile } from "node:fs/promises";

/** Name of the variable that every process of a command inherits. */
export const cookieVariable = "RUNBOOKD_COMMAND";

/** Which processes are meant: the group that was started, and every process that inherited the cookie, in any group or session. */
export interface CommandMark {
  readonly group: number | undefined;
  readonly cookie: string;
}

/**
 * Ids of the command's processes that still run. A process that left the group (a daemon) is known by the cookie in its environment, as in
 * Jenkins' ProcessTreeKiller. Without /proc only the group can be asked, by its leader's id.
 */
export async function processesOf(mark: CommandMark): Promise<readonly number[]> {
  const names = await readdir("/proc").catch(() => undefined);
  if (names === undefined) return mark.group !== undefined && isAlive(-mark.group) ? [-mark.group] : [];
  const wanted = Buffer.from(`${cookieVariable}=${mark.cookie}\0`);
  const pids = await Promise.all(
    names.filter((name) => /^\d+$/.test(name)).map(async (name) => ((await isOf(name, mark, wanted)) ? [Number(name)] : [])),
  );
  return pids.flat();
}

async function isOf(name: string, { group }: CommandMark, wanted: Buffer): Promise<boolean> {
  try {
    // The command's name stands in parentheses and may hold anything, so that the fields are read after the last one.
    const stat = await readFile(`/proc/${name}/stat`, "latin1");
    const [state, , pgrp] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === undefined || "ZX".includes(state)) return false;
    if (group !== undefined && Number(pgrp) === group) return true;
    const environment = await readFile(`/proc/${name}/environ`);
    return Buffer.concat([Buffer.of(0), environment]).includes(Buffer.concat([Buffer.of(0), wanted]));
  } catch {
    // It has ended, or belongs to another user: nothing that we started does.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Sends a signal to each; who is gone already is no fault. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended since it was listed.
    }
  }
}
