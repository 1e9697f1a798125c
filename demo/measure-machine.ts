import type { Clock } from "../src/core/clock.ts";

/** What follows for the demo from how busy the machine is. */
export type Pace =
  | { readonly kind: "as_asked"; readonly factor: number }
  /** Durations are divided by less, so that the processes of the demo keep up. */
  | { readonly kind: "slower"; readonly factor: number }
  /** Even the smallest factor would be too fast. */
  | { readonly kind: "too_busy" };

/** Share of a core that a process of the demo needs for the usual factors; measured with eight busy loops on two cores, where all scenarios hold. */
const sufficientShare = 0.2;
/** Below half of the smallest factor's share even that factor does not hold. */
const minFactor = 20;

/** Chooses what durations are divided by from `cpuShare`, the share of one core (0 to 1) that a busy process gets beside the others. */
export function choosePace(asked: number, cpuShare: number): Pace {
  if (cpuShare >= sufficientShare) return { kind: "as_asked", factor: asked };
  const factor = Math.round((asked * cpuShare) / sufficientShare);
  if (factor < minFactor / 2) return { kind: "too_busy" };
  return { kind: "slower", factor: Math.max(minFactor, factor) };
}

const measuredMs = 400;

/** Share of one core, 0 to 1, that this process gets while it computes for 0.4 s. */
export function measureCpuShare(clock: Pick<Clock, "monotonic">): number {
  const before = process.cpuUsage();
  const began = clock.monotonic();
  let elapsedMs = 0;
  while (elapsedMs < measuredMs) elapsedMs = clock.monotonic() - began;
  const { user, system } = process.cpuUsage(before);
  return Math.min(1, (user + system) / 1000 / elapsedMs);
}
