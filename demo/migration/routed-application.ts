import { z } from "zod";
import type { RunbookdClient } from "../../packages/sdk/src/client.ts";
import type { ModelRef } from "../../packages/sdk/src/wire/routing.ts";
import { weakWords } from "../simulators/model-server/generate-response.ts";
import type { ModelClient, ModelRequest, ModelResponse } from "../workload/model-client.ts";
import { type Ticket, ticketOf } from "../workload/tickets.ts";
import { usageOfResponse } from "../workload/usage-of-response.ts";
import type { MigratedTicket } from "./ticket-evidence.ts";

/** The route that gives tickets their model, and the prompt and operation of its requests. */
export const migratedRoute = "implement";

/** Calls of the model that one ticket needs. */
const calls = ["Write the change.", "Write the test."] as const;
const maxTokens = 60;
/** What a ticket may cost at most. */
const estimateMicroUsd = 10_000;

/** A route as one process knows it. */
export const knownRouteSchema = z.looseObject({
  version: z.number(),
  baseline: z.looseObject({ model: z.string() }),
  candidate: z.looseObject({ model: z.string(), share: z.number(), salt: z.string(), rollout: z.string().optional() }).nullable(),
});

/** See {@link knownRouteSchema}. */
export type KnownRoute = z.output<typeof knownRouteSchema>;

/** What a ticket came to with one model. */
export interface TriedTicket {
  readonly succeeded: boolean;
  readonly costMicroUsd: number;
  readonly latencyMs: number;
}

/** The application under care: it asks runbookd for each ticket's model and for permission, and checks what the model answers. */
export interface RoutedApplication {
  /** Works on a ticket; undefined: no permission came. Rejects when it is aborted or runbookd cannot be reached. */
  work(number: number, signal: AbortSignal): Promise<MigratedTicket | undefined>;
  /** Works on a past ticket with one model; nothing is published and no usage is reported. */
  tryOut(ticketId: string, model: ModelRef, signal: AbortSignal): Promise<TriedTicket>;
  /** Whether the route is followed. While it is not, every ticket gets the model that the process began with. */
  follow(follows: boolean): void;
}

/** What the application is made of. */
export interface RoutedApplicationOptions {
  readonly client: Pick<RunbookdClient, "routes" | "admit" | "reportUsage" | "release">;
  readonly model: ModelClient;
  /** Name of this process, for the evidence. */
  readonly process: string;
  readonly budget: string;
  readonly now: () => number;
  /** What the client was served last. */
  readonly known: () => KnownRoute;
  /** Cost of an answer in micro-USD. */
  readonly costOf: (response: ModelResponse) => number;
}

/** Creates the application. */
export function createRoutedApplication(options: RoutedApplicationOptions): RoutedApplication {
  const { client, model, budget, now } = options;
  const first = options.known();
  let follows = true;

  /** A ticket is done when no answer has left something to do. */
  const isAccepted = (response: ModelResponse) => response.kind === "answer" && !response.text.includes(weakWords);

  const ask = async (
    ticket: Ticket,
    asked: { readonly model: string; readonly user: string; readonly turn: number },
    signal: AbortSignal,
  ) => model.ask(requestFor(ticket, asked), signal);

  /** The model of a ticket, with what is told about it. A process that ignores the route names the rollout that others told it of. */
  const assign = async (ticketId: string) => {
    const served = options.known();
    const rollout = served.candidate?.rollout;
    if (follows) return { route: served, rollout, isFollowing: true, given: await client.routes.forTicket(migratedRoute, ticketId) };
    return { route: first, rollout, isFollowing: false, given: { ...first.baseline, variant: "baseline" as const } };
  };

  return {
    async work(number, signal) {
      const ticket = ticketOf(number);
      const { id: ticketId } = ticket;
      const { route, rollout, isFollowing, given } = await assign(ticketId);
      // The client tells runbookd itself what it has assigned; who assigns without it tells so.
      const told = isFollowing || rollout === undefined ? {} : { assignments: [{ rollout, arm: "baseline" as const }] };
      const askedAt = now();
      const admission = await client.admit({ ticketId, budget, estimateMicroUsd, ...told });
      if (admission.kind !== "admitted") return undefined;
      const admittedAt = now();
      const models: string[] = [];
      let succeeded = true;
      let costMicroUsd = 0;
      for (const turn of calls.keys()) {
        // Asked anew before each call, as it would be after a pause: a ticket keeps the model that it began with.
        const { model: asked } = isFollowing ? await client.routes.forTicket(migratedRoute, ticketId) : given;
        const response = await ask(ticket, { model: asked, user: ticketId, turn }, signal);
        models.push(response.kind === "answer" ? response.model : asked);
        succeeded &&= isAccepted(response);
        costMicroUsd += options.costOf(response);
        client.reportUsage({
          ...usageOfResponse(response, asked, now()),
          operation: migratedRoute,
          prompt: migratedRoute,
          budget,
          ticketId,
          turn,
          variant: given.variant,
          ...told,
        });
      }
      const outcome = succeeded ? "succeeded" : "failed";
      await client.release({ ticketId, budget, variant: given.variant, outcome, ...told });
      return {
        kind: "ticket",
        process: options.process,
        ticketId,
        route: describeRoute(route),
        follows: isFollowing,
        assignment:
          rollout === undefined ? null : { rollout, arm: given.variant, share: isFollowing ? (route.candidate?.share ?? 0) : null },
        askedAt,
        admittedAt,
        endedAt: now(),
        models,
        outcome,
        costMicroUsd,
      };
    },
    async tryOut(ticketId, { model: asked }, signal) {
      const ticket = ticketOf(Number(/\d+$/.exec(ticketId)?.[0] ?? 0));
      const beganAt = now();
      let succeeded = true;
      let costMicroUsd = 0;
      for (const turn of calls.keys()) {
        const response = await ask(ticket, { model: asked, user: `sample of ${ticketId}`, turn }, signal);
        succeeded &&= isAccepted(response);
        costMicroUsd += options.costOf(response);
      }
      return { succeeded, costMicroUsd, latencyMs: now() - beganAt };
    },
    follow(next) {
      follows = next;
    },
  };
}

function requestFor(
  { title, body }: Ticket,
  { model, user, turn }: { readonly model: string; readonly user: string; readonly turn: number },
): ModelRequest {
  return {
    model,
    max_tokens: maxTokens,
    system: [{ type: "text", text: "You work on tickets of a software team." }],
    messages: [{ role: "user", content: [{ type: "text", text: `${title}\n\n${body}\n\n${calls[turn] ?? calls[0]}` }] }],
    metadata: { user_id: user },
  };
}

function describeRoute({ version, baseline, candidate }: KnownRoute): MigratedTicket["route"] {
  return {
    version,
    baseline: baseline.model,
    candidate: candidate?.model ?? null,
    share: candidate?.share ?? 0,
    salt: candidate?.salt ?? "",
  };
}
