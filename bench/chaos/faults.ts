/** What is done to the world. */
export const faultKinds = [
  "SIGKILL",
  "SIGSTOP",
  "Redis kill",
  "Redis full",
  "Redis read-only",
  "Redis comes back unfit",
  "Redis' clock set back",
  "Sentinel failover",
  "parent of its own Redis killed",
  "worker in another PID namespace",
  "host's clock set back",
  "mail server trickles",
  "kill switch",
  "third value",
] as const;

/** See {@link faultKinds}. */
export type FaultKind = (typeof faultKinds)[number];

/** One fault, drawn before it happens. */
export interface Fault {
  readonly kind: FaultKind;
  /** Which process, modulo their number; also decides between variants of a kind. */
  readonly nth: number;
  /** For SIGKILL: whether its successor has its name. */
  readonly sameName: boolean;
  /** How long it lasts, or for SIGKILL how long until a successor starts. */
  readonly forMs: number;
  /** Calm afterwards. */
  readonly restMs: number;
}

/** How long what processes hold lasts, in milliseconds. */
export interface Pace {
  readonly leaseMs: number;
  readonly quarantineMs: number;
}

/** Draws one fault after the other: each kind once, in an order of its own, then as often as its share says. */
export function createFaultSequence(random: () => number, pace: Pace): () => Fault {
  const first: FaultKind[] = [...faultKinds];
  return () => {
    const [kind] = first.length > 0 ? first.splice(Math.floor(random() * first.length), 1) : [kindAt(random())];
    return drawFault(kind ?? "SIGKILL", random, pace);
  };
}

/** A frozen process sleeps past its lease and the quarantine of probed effects. */
function drawFault(kind: FaultKind, random: () => number, pace: Pace): Fault {
  const length = random();
  return {
    kind,
    nth: Math.floor(random() * 1000),
    sameName: random() < 0.5,
    forMs: Math.round(lengthOf(kind, length, pace)),
    restMs: Math.round(300 + random() * 700),
  };
}

function lengthOf(kind: FaultKind, share: number, pace: Pace): number {
  if (kind === "SIGSTOP") return pace.leaseMs + pace.quarantineMs + 300 + share * 1500;
  const [shortest, spread] = lengths.get(kind) ?? [100, 900];
  return shortest + share * spread;
}

/** Milliseconds: the shortest, and how much longer. */
const lengths: ReadonlyMap<FaultKind, readonly [number, number]> = new Map([
  ["Redis comes back unfit", [500, 2000]],
  ["mail server trickles", [5000, 4000]],
  ["host's clock set back", [2000, 6000]],
  ["Redis' clock set back", [2000, 6000]],
]);

/** How often each kind is drawn; a failover takes longest and comes seldom. */
const shares: Readonly<Record<FaultKind, number>> = {
  SIGKILL: 0.24,
  SIGSTOP: 0.22,
  "Redis kill": 0.06,
  "Redis full": 0.06,
  "Redis read-only": 0.04,
  "Redis comes back unfit": 0.06,
  "Redis' clock set back": 0.03,
  "Sentinel failover": 0.02,
  "parent of its own Redis killed": 0.05,
  "worker in another PID namespace": 0.05,
  "host's clock set back": 0.04,
  "mail server trickles": 0.03,
  "kill switch": 0.06,
  "third value": 0.04,
};

function kindAt(share: number): FaultKind {
  let sum = 0;
  return faultKinds.find((kind) => share < (sum += shares[kind])) ?? "SIGKILL";
}
