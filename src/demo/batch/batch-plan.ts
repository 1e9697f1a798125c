/** The figures of the batch: enough tickets for every limit to be met, and few enough for two minutes. */
export const batchPlan = {
  batch: "nightly",
  budget: "nightly-fixes",
  queue: "batch",
  budgetMicroUsd: 200_000_000,
  tickets: 200,
  concurrency: 8,
  /** Processes of ticket workers; each works on a share of the concurrency. */
  hosts: 2,
  maxCostUsd: 20,
  perTicketUsd: 0.25,
  /** The ticket that no worker can read. */
  poisoned: 77,
  /** Ended tickets at which something goes wrong. */
  firstKillAt: 30,
  refusalsFrom: 60,
  refusalsUntil: 90,
  secondKillAt: 110,
  /** Share of requests that are answered with 429 meanwhile. */
  refusedRatio: 0.3,
  timeoutMs: 170_000,
} as const;

/** The file that is handed in: CSV, one ticket a line. */
export function ticketFile(): string {
  const lines = Array.from({ length: batchPlan.tickets }, (_, index) => {
    const number = index + 1;
    return `acme/shop#${number},fix,${number === batchPlan.poisoned ? "not a number" : number}`;
  });
  return `${["ref,kind,number", ...lines].join("\n")}\n`;
}
