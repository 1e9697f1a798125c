import { z } from "zod";
import type { Shape } from "./shape.ts";

const emptySchema = z.object({});

/**
 * One event of the feed. Each is a hint that something can be read anew, and holds no data of it: what a caller may read is decided by the
 * routes. `ready`: the feed follows from this id on. `reset`: hints were missed, so everything is to be read anew. `away`: the store does not
 * answer, and `ready` or `reset` says that it does again.
 */
export const feedEventSchema = z
  .discriminatedUnion("event", [
    z.object({ event: z.literal("run"), data: z.object({ id: z.string() }) }),
    z.object({ event: z.literal("freeze"), data: z.object({ scope: z.string() }) }),
    z.object({ event: z.literal("ready"), data: emptySchema }),
    z.object({ event: z.literal("reset"), data: emptySchema }),
    z.object({ event: z.literal("away"), data: emptySchema }),
  ])
  .meta({ id: "FeedEvent" });

/** See {@link feedEventSchema}. */
export type FeedEvent = Shape<typeof feedEventSchema>;
