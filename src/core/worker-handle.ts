/** What a running loop answers to: stop taking, let the current step finish, come back. */
export interface WorkerHandle {
  /** Resolves when nothing is in hand any more. */
  close(): Promise<void>;
}
