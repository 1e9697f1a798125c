import type { Clock } from "../src/core/clock.ts";

/** What follows for the demo from how busy the machine is. */
export type Pace =
  | { readonly kind: "as_asked"; readonly factor: number }
  /** Durations are divided by less, so that the processes of the demo keep up. */
  | { readonly kind: "slower"; readonly factor: number }
  /** Even the smallest factor would be too fast. */
  | { readonly kind: "too_busy" };

/** Share of a core that a process of the demo needs for the usual factors; at 0.2 scrapes of a busy server have begun to take longer than their interval. */
const sufficientShare = 0.22;
/** Below half of the smallest factor's share even that factor does not hold. */
const minFactor = 20;

/** Chooses what durations are divided by from `cpuShare`, the share of one core (0 to 1) that a busy process gets beside the others. */
export function choosePace(asked: number, cpuShare: number): Pace {
  if (cpuShare >= sufficientShare) return { kind: "as_asked", factor: asked };
  const factor = Math.round((asked * cpuShare) / sufficientShare);
  if (factor < minFactor / 2) return { kind: "too_busy" };
  return { kind: "slower", factor: Math.max(minFactor, factor) };
}

const measuredMs = 1500;
/** A process that has just waited is preferred for a while, so the first part says too much: 0.15 where 0.08 lasts. */
const preferredMs = 700;

/** Share of one core, 0 to 1, that this process gets while it computes for about two seconds. */
export function measureCpuShare(clock: Pick<Clock, "monotonic">): number {
  computeFor(preferredMs, clock);
  const before = process.cpuUsage();
  const elapsedMs = computeFor(measuredMs, clock);
  const { user, system } = process.cpuUsage(before);
  return Math.min(1, (user + system) / 1000 / elapsedMs);
}

function computeFor(ms: number, clock: Pick<Clock, "monotonic">): number {
  const began = clock.monotonic();
  let elapsedMs = 0;
  while (elapsedMs < ms) elapsedMs = clock.monotonic() - began;
  return elapsedMs;
}
