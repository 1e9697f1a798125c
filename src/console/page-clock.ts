/** The browser's time; a test injects another. */
export interface PageClock {
  /** UTC, milliseconds. */
  now(): number;
  /** Runs the task once after this time. The result cancels it. */
  after(ms: number, task: () => void): () => void;
}

/** The clock and timers of the browser. */
export function createBrowserClock(): PageClock {
  return {
    now: () => Date.now(),
    after(ms, task) {
      const timer = setTimeout(task, ms);
      return () => clearTimeout(timer);
    },
  };
}
