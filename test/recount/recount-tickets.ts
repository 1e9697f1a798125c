import { createHash } from "node:crypto";

/*
 * Checks a migration from outside: this folder imports nothing of the product. What each ticket had to get follows from the salt and its id; what became of it is
 * in the application's own log.
 */

/** The lines of the application's log that are read here. */
interface Line {
  readonly ticketId: string;
  readonly route: { readonly baseline: string; readonly candidate: string | null; readonly share: number; readonly salt: string };
  /** `share` null: the application did not say which share it knew. */
  readonly assignment: { readonly rollout: string; readonly arm: string; readonly share: number | null } | null;
  readonly askedAt: number;
  readonly admittedAt: number;
  readonly models: readonly string[];
  readonly outcome: string;
}

/** What runbookd says of one arm of a rollout. */
interface CountedArm {
  readonly exposed: number;
  readonly ended: number;
  readonly quality: number;
}

/** What runbookd says of one rollout. Times are UTC in ms. */
export interface CountedRollout {
  readonly id: string;
  /** When its first share was recorded. */
  readonly beganAt: number;
  /** When it ended; absent while it runs. */
  readonly endedAt?: number;
  readonly canary: CountedArm;
  readonly baseline: CountedArm;
}

/** What the recount came to. Each difference is a sentence. */
export interface Recount {
  readonly tickets: number;
  /** Tickets of each model. */
  readonly models: { readonly [model: string]: number };
  /** Tickets that got two models. */
  readonly flips: number;
  readonly differences: readonly string[];
}

/** The model that a ticket had to get: that of the candidate when the first four bytes of SHA-256 over salt and id, as a fraction of 2^32, are below its share. */
export function modelOf({ baseline, candidate, share, salt }: Line["route"], ticketId: string): string {
  const bucket = createHash("sha256").update(`${salt}:${ticketId}`).digest().readUInt32BE(0) / 4294967296;
  return candidate !== null && bucket < share ? candidate : baseline;
}

/** Recounts a log, one JSON object per line, and compares it with what runbookd counted. */
export function recountTickets(log: string, rollouts: readonly CountedRollout[]): Recount {
  const lines: Line[] = log
    .split("\n")
    .filter((text) => text !== "")
    .map((text) => JSON.parse(text));
  const differences: string[] = [];
  const modelsByTicket = new Map<string, Set<string>>();
  const models: Record<string, number> = {};
  for (const { ticketId, route, models: used } of lines) {
    const expected = modelOf(route, ticketId);
    const wrong = used.find((model) => model !== expected);
    if (wrong !== undefined) differences.push(`${ticketId} got ${wrong}; by its salt it had to get ${expected}`);
    const all = modelsByTicket.get(ticketId) ?? new Set();
    if (all.size > 0) differences.push(`${ticketId} is in the log twice`);
    for (const model of used) all.add(model);
    modelsByTicket.set(ticketId, all);
    models[expected] = (models[expected] ?? 0) + 1;
  }
  for (const rollout of rollouts) {
    for (const arm of ["canary", "baseline"] as const) differences.push(...compareArm(lines, rollout, arm));
  }
  const flips = [...modelsByTicket.values()].filter((used) => used.size > 1).length;
  return { tickets: lines.length, models, flips, differences };
}

/**
 * A ticket that was being admitted in the very moment in which the rollout began or ended may be counted or not: between the request and its answer nobody
 * outside can tell. All others must be there, or must not; a ticket that was assigned before the first share must not.
 */
function compareArm(lines: readonly Line[], rollout: CountedRollout, arm: "canary" | "baseline"): readonly string[] {
  const { id, beganAt, endedAt = Number.POSITIVE_INFINITY } = rollout;
  const own = lines.filter(({ assignment }) => assignment?.rollout === id && assignment.arm === arm && assignment.share !== 0);
  const certain = own.filter(({ askedAt, admittedAt }) => askedAt > beganAt && admittedAt < endedAt);
  const possible = own.filter(({ askedAt, admittedAt }) => admittedAt >= beganAt && askedAt <= endedAt);
  const counted = rollout[arm];
  const measures = [
    ["exposed", counted.exposed, (tickets: readonly Line[]) => tickets.length],
    ["ended", counted.ended, (tickets: readonly Line[]) => tickets.length],
    ["succeeded", counted.quality, (tickets: readonly Line[]) => tickets.filter(({ outcome }) => outcome === "succeeded").length],
  ] as const;
  return measures.flatMap(([name, value, count]) =>
    value >= count(certain) && value <= count(possible)
      ? []
      : [`${id}: ${value} tickets of the ${arm} have ${name}, by the log ${count(certain)} to ${count(possible)}`],
  );
}
