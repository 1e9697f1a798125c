import type { JournalEntry } from "../../packages/sdk/src/wire/journal.ts";
import type { ProcessOffset } from "./history.ts";

/** The lines of `recordOffsets` (test/children/machine-clock.ts). */
export function parseOffsets(text: string): readonly ProcessOffset[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [pid = 0, from = 0, offsetMs = 0] = line.split(" ").map(Number);
      return { pid, from, offsetMs };
    });
}

/** A reading and the moment that it is written down at. */
const slackMs = 5;

/** A journal with the machine's time instead of what its processes took for the time. */
export function withMachineTimes(entries: readonly JournalEntry[], offsets: readonly ProcessOffset[]): readonly JournalEntry[] {
  const processes = new Map(
    entries.flatMap((entry) => (entry.kind === "claimed" ? [[entry.epoch ?? 0, processOf(entry.worker)] as const] : [])),
  );
  let before = 0;
  return entries.map((entry) => {
    const pid = processes.get(entry.epoch ?? -1);
    const ofProcess = offsets.filter((offset) => offset.pid === pid);
    const times = ofProcess.flatMap(({ from, offsetMs }, index) => {
      const at = entry.at - offsetMs;
      const to = ofProcess[index + 1]?.from ?? Number.POSITIVE_INFINITY;
      return at >= from - slackMs && at <= to + slackMs ? [at] : [];
    });
    const at = times.find((time) => time >= before - slackMs) ?? times[0] ?? entry.at;
    if (times.length > 0) before = at;
    return { ...entry, at };
  });
}

/** The process in a token `epoch:process-nonce`. */
export function processOf(token: string): number {
  return Number(/^\d+:(\d+)-/.exec(token)?.[1] ?? 0);
}
