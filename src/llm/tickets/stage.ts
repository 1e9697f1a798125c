/** What a ticket that is code work goes through, in this order. */
export const stages = ["plan", "implement", "test", "review", "publish"] as const;

/** See {@link stages}. */
export type Stage = (typeof stages)[number];
