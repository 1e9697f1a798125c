import { ensureFailure } from "../../core/failure.ts";
import type { Feature, FeatureProbe, FlagReference } from "../../core/feature.ts";
import { shortLine } from "../../core/one-line.ts";
import { runHeader } from "../../core/run.ts";
import type { Followers } from "../rollouts/share-control.ts";
import type { FeaturePorts } from "./feature-ports.ts";
import { nameOfFlag } from "./switch-off.ts";

/** What shows that a feature is off. Each member is read anew; what cannot be read is never off. */
export interface OffProof {
  /** Every flag is off and evaluates so, and every gate is closed. False also for a feature without any. */
  readonly off: boolean;
  /** Of the flag that the fewest processes have read in its newest version. 0 also where no process is known. */
  readonly followers: number;
  readonly current: number;
  /** That flag; empty without one. */
  readonly followed: string;
  /** Whether a trial request was refused. */
  readonly refused: boolean;
  /** Requests that applications have served since; undefined: nothing reports them. */
  readonly requests: number | undefined;
  /** Tickets that began before the containment and still run. */
  readonly running: number;
  /** What is not shown, one sentence each. */
  readonly gaps: readonly string[];
}

/** How the proof is read. */
export interface ProofRequest {
  readonly runId: string;
  /** Tickets that began before it are to stop. */
  readonly stopBefore: number;
  readonly signal: AbortSignal;
}

/** Over this time requests to a feature are counted; longer than two scrapes. */
const requestWindowMs = 30_000;
/** A flag is evaluated for a ticket that does not exist, so that no share of tickets decides. */
const trialTicket = "runbookd-trial";

/** Reads everything that shows whether the feature is off. Never rejects: what cannot be read is a gap. */
export async function proveOff(
  feature: Feature,
  request: ProofRequest,
  ports: Pick<FeaturePorts, "flagSwitches" | "budgets" | "http" | "featureRequests">,
): Promise<OffProof> {
  const [flags, gates, trial, requests] = await Promise.all([
    Promise.all(feature.flags.map(async (flag) => readFlag(flag, ports.flagSwitches))),
    Promise.all(feature.budgets.map(async (id) => readGate(id, request.stopBefore, ports.budgets))),
    tryRequest(feature.probe, request, ports.http),
    ports.featureRequests.served(feature.name, requestWindowMs, request.signal).catch(() => undefined),
  ]);
  const worst = flags.toSorted((a, b) => shareOf(a.followers) - shareOf(b.followers))[0];
  const { followers, current } = worst?.followers ?? { followers: 0, current: 0 };
  return {
    off: flags.length + gates.length > 0 && [...flags, ...gates].every(({ off }) => off),
    followers,
    current,
    followed: worst?.name ?? "",
    refused: trial === undefined,
    requests,
    running: gates.reduce((sum, gate) => sum + gate.running, 0),
    gaps: [
      ...[...flags, ...gates].flatMap(({ gap }) => gap ?? []),
      ...(flags.length === 0 ? ["The feature has no flag."] : []),
      ...(worst === undefined ? [] : followerGap(worst.name, { followers, current })),
      ...(trial === undefined ? [] : [trial]),
      ...(requests === undefined || requests === 0
        ? []
        : [`Applications still served ${requests} requests in the last ${requestWindowMs / 1000} s.`]),
    ],
  };
}

interface FlagProof {
  readonly name: string;
  readonly off: boolean;
  readonly followers: Followers;
  readonly gap?: string;
}

async function readFlag(flag: FlagReference, switches: FeaturePorts["flagSwitches"]): Promise<FlagProof> {
  const name = nameOfFlag(flag);
  const unknown = { followers: 0, current: 0 };
  const system = switches[flag.system];
  try {
    const [reading, evaluation, followers] = await Promise.all([
      system.read(flag.key),
      system.evaluate(flag.key, trialTicket),
      system.followers(flag.key),
    ]);
    // Without a value an application takes its own default, which may be on.
    const isOff = reading?.state === "off" && evaluation !== undefined && evaluation.value !== true;
    const gap =
      reading === undefined
        ? "does not exist"
        : reading.state === "on"
          ? "is on"
          : evaluation === undefined
            ? "is off, and applications are left to their own default"
            : "is off, and applications are still given true";
    return { name, off: isOff, followers: followers ?? unknown, ...(!isOff && { gap: `Flag ${name} ${gap}.` }) };
  } catch (error) {
    return { name, off: false, followers: unknown, gap: `Flag ${name} cannot be read: ${messageOf(error)}` };
  }
}

interface GateProof {
  readonly off: boolean;
  readonly running: number;
  readonly gap?: string;
}

async function readGate(id: string, stopBefore: number, budgets: FeaturePorts["budgets"]): Promise<GateProof> {
  try {
    const [state, running] = await Promise.all([budgets.read(id), budgets.running(id)]);
    const off = state?.controls.gate === "paused" && state.controls.pausedUntil === undefined;
    const gap = state === undefined ? "does not exist" : "lets tickets begin";
    return { off, running: running.filter(({ since }) => since < stopBefore).length, ...(!off && { gap: `Budget ${id} ${gap}.` }) };
  } catch (error) {
    return { off: false, running: 0, gap: `Budget ${id} cannot be read: ${messageOf(error)}` };
  }
}

/** Why a trial request does not show that the feature is off; undefined: it was refused. */
async function tryRequest(
  probe: FeatureProbe | undefined,
  { runId, signal }: ProofRequest,
  http: FeaturePorts["http"],
): Promise<string | undefined> {
  if (probe === undefined) return "The feature has no probe, so that no request could be tried.";
  const { url, method, body, refusedBy } = probe;
  const answer = await http.request({ url, method, headers: { [runHeader]: runId }, signal, ...(body !== undefined && { body }) });
  if (answer.kind === "failed") return `The trial request got no answer: ${answer.failure.message}`;
  return refusedBy.includes(answer.status)
    ? undefined
    : `The trial request was answered with ${answer.status}; refused means ${refusedBy.join(" or ")}.`;
}

/** Sorts flags by how far their followers are; one that nothing follows comes first. */
function shareOf({ followers, current }: Followers): number {
  return followers === 0 ? -1 : current / followers;
}

function followerGap(flag: string, { followers, current }: Followers): readonly string[] {
  if (followers === 0) return [`No process is known to read flag ${flag}.`];
  if (current === followers) return [];
  return [`${followers - current} of ${followers} processes have not read flag ${flag} in its newest version.`];
}

function messageOf(error: unknown): string {
  return shortLine(ensureFailure(error).message, 200);
}
