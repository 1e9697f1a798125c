import type { Instant } from "../core/clock.ts";
import { dayMs } from "../core/duration.ts";
import type { Episode } from "./episode.ts";
import type { ReceivedAlert } from "./notification.ts";

/** Replicas and restarts move startsAt by up to this much within one episode. */
export const refireToleranceMs = 5 * 60_000;

/** A repeat within this time changes nothing that is worth a write. */
export const touchEveryMs = 60_000;

/** What one alert means for the episode that is known. */
export type EpisodeStep =
  /** A new episode that deserves a run: nothing was known, it fired again after its end, it fired anew without an end that reached us, or no run had been started. */
  | { readonly kind: "start"; readonly why: "first" | "fired_again" | "refired" | "not_started"; readonly episode: Episode }
  | { readonly kind: "join"; readonly episode: Episode; readonly runId: string; readonly write: boolean }
  /** `runId` is the run to tell: the one that was started for this alert; absent when there is none, or another alert's was joined. */
  | { readonly kind: "resolve"; readonly episode: Episode; readonly runId?: string; readonly write: boolean; readonly detail?: string }
  | { readonly kind: "stale"; readonly reason: string };

/** The runbook that the alert matches, and the time of the decision. */
export interface EpisodeContext {
  readonly runbookId: string;
  readonly now: Instant;
}

/**
 * The episode model, whole. With W = the newer of (latest start, end) of what is known, an alert starts an episode only if its startsAt is
 * after W: by more than the tolerance while the episode is open, at all once it is closed. W never moves back, so that duplicates, drops and
 * reordering of a legal history start at most one run per episode; decide-episode.test.ts proves it on permuted histories.
 *
 * A resolve without a firing is recorded, so that the firing that it overtook is known to be old.
 */
export function decideEpisode(received: ReceivedAlert, existing: Episode | undefined, context: EpisodeContext): EpisodeStep {
  return received.alert.status === "firing" ? decideFiring(received, existing, context) : decideResolved(received, existing, context);
}

function decideFiring(received: ReceivedAlert, existing: Episode | undefined, context: EpisodeContext): EpisodeStep {
  const { now } = context;
  const { startsAt } = received.alert;
  const trusted = received.clockFault === undefined;
  if (existing === undefined) return { kind: "start", why: "first", episode: begin(received, [], context) };
  if (existing.endsAt !== undefined) {
    if (startsAt <= existing.endsAt)
      return { kind: "stale", reason: `It began before ${isoTime(existing.endsAt)}, when its end was reported.` };
    return { kind: "start", why: "fired_again", episode: begin(received, existing.recentStarts, context) };
  }
  if (trusted && startsAt > existing.latestStartsAt + refireToleranceMs) {
    return { kind: "start", why: "refired", episode: begin(received, existing.recentStarts, context) };
  }
  const merged: Episode = trusted
    ? {
        ...existing,
        startsAt: Math.min(existing.startsAt, startsAt),
        latestStartsAt: Math.max(existing.latestStartsAt, startsAt),
        lastSeenAt: Math.max(existing.lastSeenAt, now),
      }
    : { ...existing, lastSeenAt: Math.max(existing.lastSeenAt, now) };
  if (existing.runId === undefined) return { kind: "start", why: "not_started", episode: merged };
  const moved = merged.startsAt !== existing.startsAt || merged.latestStartsAt !== existing.latestStartsAt;
  return { kind: "join", episode: merged, runId: existing.runId, write: moved || now - existing.lastSeenAt >= touchEveryMs };
}

function decideResolved(received: ReceivedAlert, existing: Episode | undefined, { runbookId, now }: EpisodeContext): EpisodeStep {
  const { fingerprint, startsAt } = received.alert;
  const endsAt = Math.max(received.alert.endsAt ?? now, startsAt);
  if (existing === undefined) {
    const episode: Episode = {
      runbookId,
      fingerprint,
      startsAt,
      latestStartsAt: startsAt,
      endsAt,
      lastSeenAt: now,
      recentStarts: [],
      count: 0,
    };
    return { kind: "resolve", episode, write: true, detail: "No firing of it was seen." };
  }
  if (existing.endsAt !== undefined) {
    // Notify the run again: the previous write may have failed after storing the end.
    const episode = { ...existing, endsAt: Math.max(existing.endsAt, endsAt), lastSeenAt: Math.max(existing.lastSeenAt, now) };
    const notified = runToNotify(existing);
    return {
      kind: "resolve",
      episode,
      ...notified,
      write: endsAt > existing.endsAt || notified.runId !== undefined,
      detail: "Its end was known.",
    };
  }
  if (endsAt < existing.latestStartsAt) {
    return { kind: "stale", reason: `It ended before ${isoTime(existing.latestStartsAt)}, when the present episode began.` };
  }
  return {
    kind: "resolve",
    episode: { ...existing, endsAt, lastSeenAt: Math.max(existing.lastSeenAt, now) },
    ...runToNotify(existing),
    write: true,
  };
}

function runToNotify({ runId, ownRunId }: Episode): { readonly runId?: string } {
  return runId !== undefined && runId === ownRunId ? { runId } : {};
}

function begin(received: ReceivedAlert, earlier: readonly Instant[], { runbookId, now }: EpisodeContext): Episode {
  const { fingerprint, startsAt } = received.alert;
  const recentStarts = [...earlier.filter((start) => start > startsAt - dayMs), startsAt].slice(-32);
  return { runbookId, fingerprint, startsAt, latestStartsAt: startsAt, lastSeenAt: now, recentStarts, count: recentStarts.length };
}

function isoTime(at: Instant): string {
  return new Date(at).toISOString();
}
