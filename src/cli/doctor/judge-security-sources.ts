import { type Finding, fine, warning } from "../../core/diagnosis.ts";
import { dayMs, hourMs } from "../../core/duration.ts";
import type { SourceStatus } from "../../llm/findings/security-finding-store.ts";

/** Which sources of security findings can be read, and why one cannot. `expected`: the sources that are configured. */
export function judgeSecuritySources(statuses: readonly SourceStatus[], expected: readonly string[], now: number): readonly Finding[] {
  return expected.map((source) => {
    const what = `Security findings of ${source}`;
    const status = statuses.find((one) => one.source === source);
    if (status === undefined) return warning(what, "not read yet", "A worker lists the source within five minutes of its start.");
    const { up, reason = "it was not read to its end", seenAt } = status;
    const age = seenAt === undefined ? "never read" : `last read ${ageOf(now - seenAt)}`;
    if (up) return fine(what, age);
    return warning(what, `cannot be read (${age}): ${reason}`, "Until it can be read, that it names no finding means nothing.");
  });
}

function ageOf(ms: number): string {
  if (ms < hourMs) return "within the hour";
  return ms < dayMs ? `${Math.floor(ms / hourMs)} h ago` : `${Math.floor(ms / dayMs)} days ago`;
}
