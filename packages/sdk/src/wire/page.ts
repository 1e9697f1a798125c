import { z } from "zod";

/** A list that is served whole. */
export function listSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item) });
}

/** One page of a list. `nextCursor` is opaque, asks for the next page and is absent on the last. */
export function pageSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), nextCursor: z.exactOptional(z.string()) });
}

/** The last event of a stream. */
export const endEventSchema = z.object({ event: z.literal("end"), data: z.object({}) });
