import { z } from "zod";

/** A moment in a query, UTC milliseconds, as far as a Date reaches. */
export const instantQuery = z.coerce.number().int().min(0).max(8_640_000_000_000_000);
