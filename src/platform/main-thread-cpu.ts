import { readFileSync } from "node:fs";

/** Where Linux tells how long the thread that reads it was on a processor, in nanoseconds, first of three numbers. */
const threadFile = "/proc/thread-self/schedstat";

/**
 * Reads the processor time of the thread that calls it, in milliseconds; only differences mean anything. Time in which the machine stood still, or gave the
 * thread no processor, is not in it, and neither is what other threads compute. Where the system does not tell, it is the time of the whole process.
 */
export function createMainThreadCpu(path = threadFile): () => number {
  const first = readMs(path);
  if (first === undefined) {
    return () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1000;
    };
  }
  let last = first;
  return () => {
    last = readMs(path) ?? last;
    return last;
  };
}

function readMs(path: string): number | undefined {
  try {
    const nanoseconds = Number(readFileSync(path, "latin1").split(" ")[0]);
    return Number.isFinite(nanoseconds) && nanoseconds > 0 ? nanoseconds / 1e6 : undefined;
  } catch {
    return undefined;
  }
}
