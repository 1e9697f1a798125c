import { z } from "zod";

/** The description of a lease in Redis. It holds all that is needed to charge its turn, as scripts end leases of any ticket. */
export const storedLeaseSchema = z.object({
  leaseId: z.string(),
  budget: z.string(),
  ticketId: z.string(),
  queue: z.string(),
  /** "" without a batch. */
  batchId: z.string(),
  attempt: z.number(),
  turn: z.number(),
  /** What the turn has reserved, in micro-USD. */
  estimate: z.number(),
  since: z.number(),
  /** Keys of what the ticket costs, of its batch, and of the list of turns that ended without a report. */
  spend: z.string(),
  batch: z.string(),
  unreported: z.string(),
});

/** See {@link storedLeaseSchema}. */
export type StoredLease = z.output<typeof storedLeaseSchema>;
