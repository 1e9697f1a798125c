import { z } from "zod";

/** A moment in an answer. */
export const instantSchema = z.number().meta({ description: "UTC, in milliseconds since 1970-01-01" });

/** An amount of money in an answer. */
export const microUsdSchema = z.number().meta({ description: "millionths of a US dollar" });
