import type { Instant } from "../core/clock.ts";

/** One continuous firing of one fingerprint, as one runbook sees it. */
export interface Episode {
  readonly runbookId: string;
  readonly fingerprint: string;
  /** The earliest startsAt that any replica reported. */
  readonly startsAt: Instant;
  /** The latest startsAt that belongs to this episode: what a re-fire and a resolve are ordered against. At least `startsAt`. */
  readonly latestStartsAt: Instant;
  /** Set once a resolve was seen. */
  readonly endsAt?: Instant;
  readonly lastSeenAt: Instant;
  /** The run that this episode started or joined. */
  readonly runId?: string;
  /** The run that this episode proposed: equal to `runId` when the run is for this alert, not for another one on the same target. */
  readonly ownRunId?: string;
  /** Starts of this fingerprint's episodes in the last 24 h, this one included, newest last; for the doubling cooldown. */
  readonly recentStarts: readonly Instant[];
  /** Length of `recentStarts`. */
  readonly count: number;
}

/** An episode with the version that a write must name. 0 means: not there yet. */
export interface StoredEpisode {
  readonly version: number;
  readonly episode?: Episode;
}

/** The episode as one that no run deals with. */
export function withoutRun({ runId: _runId, ownRunId: _ignored, ...episode }: Episode): Episode {
  return episode;
}

/** An episode as it was stored. Throws when the text is none. */
export function parseEpisode(text: string): Episode {
  const value: unknown = JSON.parse(text);
  if (!isEpisode(value)) throw new Error(`This is no episode: ${text.slice(0, 80)}`);
  return value;
}

function isEpisode(value: unknown): value is Episode {
  return typeof value === "object" && value !== null && "fingerprint" in value && "startsAt" in value && "lastSeenAt" in value;
}
