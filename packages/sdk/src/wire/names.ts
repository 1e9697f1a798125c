import { z } from "zod";

/** Id of a budget: short and closed, because it is a metric label and part of keys. */
export const budgetIdSchema = z.string().regex(/^[a-z0-9-]{1,40}$/, "an id of 1 to 40 letters a-z, digits and -");

/** Name of a ticket queue: a metric label and part of BullMQ's keys, so it has no colon. */
export const queueNameSchema = z.string().regex(/^[a-z0-9-]{1,40}$/, "a name of 1 to 40 letters a-z, digits and -");

/** Id of a ticket, a batch, a lease or a request, as the outside gives it. Keys hold its hash only. */
export const externalIdSchema = z.string().regex(/^[\w.:/#@=+-]{1,128}$/, "an id of 1 to 128 letters, digits and . : / # @ = + - _");

/** A short name that may become a metric label after capping, e.g. a prompt or an operation. */
export const shortNameSchema = z.string().regex(/^[\w .:/@-]{1,120}$/, "a name of 1 to 120 letters, digits, spaces and . : / @ - _");

/** What sort of work a ticket is; tickets of one kind cost alike. Short and closed, because histories are kept by it. */
export const ticketKindSchema = z.string().regex(/^[a-z0-9-]{1,40}$/, "a kind of 1 to 40 letters a-z, digits and -");

/** Name of a prompt, equal to the one in usage reports. */
export const promptNameSchema = shortNameSchema.meta({ description: "a prompt, as usage reports name it" });

/** Id of a rollout. */
export const rolloutIdSchema = z.string().regex(/^[\w.:@-]{1,100}$/, "an id of 1 to 100 letters, digits and . : @ - _");
