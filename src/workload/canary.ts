import { createHash } from "node:crypto";
import { z } from "zod";

/** A share of tickets that gets another version; see {@link Canary}. */
export const canarySchema = z.strictObject({
  version: z.int().min(1),
  /** Of the tickets, from 0 to 1. */
  share: z.number().min(0).max(1),
  /** Mixed into the hash, so that two canaries do not meet the same tickets. */
  salt: z.string().min(1).max(100),
});

/** Which version a share of the tickets gets. The same ticket stays in as the share grows: a bigger share holds every smaller one. */
export type Canary = z.output<typeof canarySchema>;

/** The one canary that a prompt has, or none. */
export interface CanaryStore {
  read(prompt: string): Promise<Canary | null>;
  /** Writes when the present value equals `expected`; answers what stands there now in either case. */
  compareAndSet(
    prompt: string,
    expected: Canary | null,
    next: Canary | null,
  ): Promise<{ readonly set: boolean; readonly canary: Canary | null }>;
}

/** Where a ticket falls, in [0, 1): the first four bytes of SHA-256 over salt and id. The same everywhere, in every language. */
export function bucketOf(salt: string, ticketId: string): number {
  return createHash("sha256").update(`${salt}:${ticketId}`).digest().readUInt32BE(0) / 2 ** 32;
}

/** Whether the ticket is one of the canary's. */
export function isInCanary(canary: Pick<Canary, "share" | "salt">, ticketId: string): boolean {
  return bucketOf(canary.salt, ticketId) < canary.share;
}
