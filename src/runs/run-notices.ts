/** What became of a notice to a run. */
export type NoticeResult = "ok" | "ended" | "unknown_run";

/** Notices for the holder of a run; a sleeping run is woken. */
export interface RunNotices {
  stop(runId: string, by: string, reason: string): Promise<NoticeResult>;
  resolved(runId: string, why: string): Promise<NoticeResult>;
  /** Lets a sleeping run look again now. */
  wake(runId: string): Promise<NoticeResult>;
}
