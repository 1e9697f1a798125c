import { readFileSync } from "node:fs";

const tickMs = 10;

/**
 * CPU milliseconds (user and system, all threads) that a process has used since it started; Linux only, to 10 ms.
 * Fields 14 and 15 of proc(5) stat, counted behind the command name because that may hold spaces.
 */
export function readCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

/** Proportional set size of a process in megabytes. */
export function readMemoryMb(pid: number): number {
  const line = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8")
    .split("\n")
    .find((text) => text.startsWith("Pss:"));
  return Math.round(Number(line?.replace(/\D+/g, "") ?? 0) / 1024);
}
