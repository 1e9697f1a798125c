/** What the cost of a workload is broken down by. */
export const costDimensions = [
  "model",
  "prompt",
  "operation",
  "budget",
  "team",
  "repo",
  "queue",
  "batch",
  "promptVersion",
  "variant",
] as const;

/** See {@link costDimensions}. */
export type CostDimension = (typeof costDimensions)[number];
