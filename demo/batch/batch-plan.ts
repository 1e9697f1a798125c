/** The figures of the batch: enough tickets for every limit to be met, and few enough for two minutes. */
export const batchPlan = {
  batch: "nightly",
  budget: "nightly-fixes",
  queue: "batch",
  budgetMicroUsd: 200_000_000,
  tickets: 160,
  /** Single calls, which a provider's batch interface takes at half the price. */
  providerBatch: "nightly-triage",
  providerQueue: "triage",
  providerTickets: 40,
  /** Share of the provider's items that expires in the first submission. */
  expiredShare: 0.25,
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

/** Tickets of both batches. */
export const allTickets = batchPlan.tickets + batchPlan.providerTickets;

/** The file that is handed in: CSV, one ticket a line, numbered from `first`. */
export function ticketFile(first: number, count: number, kind: string): string {
  const lines = Array.from({ length: count }, (_, index) => {
    const number = first + index;
    return `acme/shop#${number},${kind},${number === batchPlan.poisoned ? "not a number" : number}`;
  });
  return `${["ref,kind,number", ...lines].join("\n")}\n`;
}
