/** What is done to the world. */
export const faultKinds = [
  "SIGKILL",
  "SIGSTOP",
  "Redis kill",
  "Redis full",
  "Redis read-only",
  "Sentinel failover",
  "kill switch",
  "third value",
] as const;

/** See {@link faultKinds}. */
export type FaultKind = (typeof faultKinds)[number];

/** One fault, drawn before it happens. */
export interface Fault {
  readonly kind: FaultKind;
  /** Which process, modulo their number. */
  readonly nth: number;
  /** For SIGKILL: whether its successor has its name. */
  readonly sameName: boolean;
  /** How long it lasts, or for SIGKILL how long until a successor starts. */
  readonly forMs: number;
  /** Calm afterwards. */
  readonly restMs: number;
}

/** Draws the next fault. A frozen process sleeps past its lease and the quarantine of probed effects. */
export function drawFault(random: () => number, pace: { readonly leaseMs: number; readonly quarantineMs: number }): Fault {
  const kind = kindAt(random());
  const length = random();
  return {
    kind,
    nth: Math.floor(random() * 1000),
    sameName: random() < 0.5,
    forMs: Math.round(kind === "SIGSTOP" ? pace.leaseMs + pace.quarantineMs + 300 + length * 1500 : 100 + length * 900),
    restMs: Math.round(300 + random() * 700),
  };
}

/** How often each kind is drawn; a failover takes longest and comes seldom. */
const shares: Readonly<Record<FaultKind, number>> = {
  SIGKILL: 0.33,
  SIGSTOP: 0.3,
  "Redis kill": 0.07,
  "Redis full": 0.07,
  "Redis read-only": 0.05,
  "Sentinel failover": 0.03,
  "kill switch": 0.08,
  "third value": 0.07,
};

function kindAt(share: number): FaultKind {
  let sum = 0;
  return faultKinds.find((kind) => share < (sum += shares[kind])) ?? "SIGKILL";
}
