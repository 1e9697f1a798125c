/** The doorbell: tells a worker that a run is due. Its loss costs latency only, so it never rejects. */
export interface WakeQueue {
  enqueue(runId: string): void;
}
