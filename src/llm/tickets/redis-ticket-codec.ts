import { z } from "zod";
import { type Ticket, ticketStates } from "../../../packages/sdk/src/wire/tickets.ts";
import type { Instant } from "../../core/clock.ts";
import { dayMs } from "../../core/duration.ts";
import { progressSlotMs, type TicketChange } from "./ticket.ts";

/** For as long as an ended ticket can be read. */
export const ticketRetentionMs = 30 * dayMs;

/** The slot of time in which an end at `now` is counted. */
export function progressSlotOf(now: Instant): number {
  return Math.floor(now / progressSlotMs);
}

/** A change as names and values in turn, as the scripts take it; the state is not among them. */
export function fieldsOfChange(change: TicketChange): (string | number)[] {
  const { state: _, saved, failures, ...fields } = change;
  const texts = {
    ...(saved === undefined ? {} : { saved: JSON.stringify(saved) }),
    ...(failures === undefined ? {} : { failures: JSON.stringify(failures.slice(-20)) }),
  };
  return Object.entries({ ...fields, ...texts }).flatMap(([name, value]) => [name === "estimateMicroUsd" ? "estimate" : name, value]);
}

const definition = z.object({ payload: z.json(), variant: z.string(), maxAttempts: z.number() });

/** A ticket as it is stored. Throws when the fields are no ticket. */
export function readTicket(fields: { readonly [name: string]: string }): Ticket {
  const text = (name: string) => fields[name] ?? "";
  const batchId = text("batch");
  return {
    id: text("id"),
    budget: text("budget"),
    queue: text("queue"),
    ...(batchId === "" ? {} : { batchId }),
    ...(text("external_ref") === "" ? {} : { externalRef: text("external_ref") }),
    kind: text("kind") === "" ? "ticket" : text("kind"),
    ...definition.parse(JSON.parse(text("definition"))),
    state: z.enum(ticketStates).parse(text("state")),
    reason: text("reason"),
    attempt: Number(text("attempt")),
    turn: Number(text("turn")),
    saved: z.json().parse(JSON.parse(text("saved"))),
    estimateMicroUsd: Number(text("estimate")),
    stage: text("stage"),
    failures: z.array(z.string()).parse(JSON.parse(text("failures") === "" ? "[]" : text("failures"))),
    createdAt: Number(text("created")),
    updatedAt: Number(text("updated")),
  };
}
