import { z } from "zod";
import { runEventSchema, runRecordSchema } from "../../packages/sdk/src/wire/journal.ts";
import { pageSchema } from "../../packages/sdk/src/wire/page.ts";
import {
  newRunSchema,
  outcomes,
  runAbortSchema,
  runReferenceSchema,
  runStates,
  runSummarySchema,
} from "../../packages/sdk/src/wire/runs.ts";
import type { Shape } from "../../packages/sdk/src/wire/shape.ts";
import { instantQuery } from "../platform/http/instant.ts";
import { admins, operators, viewers } from "../platform/http/roles.ts";
import {
  defineEventRoute,
  defineRoute,
  type HandlerResponse,
  json,
  noBody,
  noQuery,
  problem,
  type Refusal,
  type Route,
  type ServerSentEvent,
} from "../platform/http/route.ts";
import type { ControlResult, RunControl, StartResult } from "./run-control.ts";
import type { IndexedEntry, RunFilter, RunReader } from "./run-reader.ts";

/** An id or a target in a query: short text. */
const name = z.string().min(1).max(256);

const listQuery = z.strictObject({
  state: z.enum([...runStates, "open"]).optional(),
  outcome: z.enum(outcomes).optional(),
  runbook: name.optional(),
  target: name.optional(),
  alert: name.optional(),
  since: instantQuery.optional(),
  until: instantQuery.optional(),
  cursor: z.string().min(1).max(512).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** Runs: listing, one run, its events as they are written, and what people do to it. */
export function createRunRoutes({ reader, control }: { readonly reader: RunReader; readonly control: RunControl }): readonly Route[] {
  return [
    defineRoute({
      method: "get",
      path: "/api/runs",
      summary:
        "Runs, newest first, by page: of a state (`open`: all that have not ended), an outcome, a runbook, a target, an alert's name and a time",
      allow: viewers,
      query: listQuery,
      body: noBody,
      success: {
        status: 200,
        description: "`items` are summaries; `nextCursor` asks for the next page and is absent on the last",
        schema: pageSchema(runSummarySchema),
      },
      async handle({ query: { cursor, limit, state, outcome, runbook, target, alert, since, until } }) {
        const filter: RunFilter = {
          ...(state === undefined ? {} : { state }),
          ...(outcome === undefined ? {} : { outcome }),
          ...(runbook === undefined ? {} : { runbookId: runbook }),
          ...(target === undefined ? {} : { target }),
          ...(alert === undefined ? {} : { alertName: alert }),
          ...(since === undefined ? {} : { since }),
          ...(until === undefined ? {} : { until }),
        };
        const page = await reader.list(filter, cursor === undefined ? { limit } : { cursor, limit });
        return page === undefined ? problem("invalid-request", "The cursor is not one that this list has given out.") : json(page);
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/runs",
      summary: "Start a run by hand",
      allow: operators,
      query: noQuery,
      body: newRunSchema,
      success: { status: 202, description: "`runId` is the new run", schema: runReferenceSchema },
      problems: ["not-found", "conflict"],
      async handle({ body, caller }) {
        const { runbook: runbookId, params, mode } = body;
        return started(await control.start({ runbookId, params, ...(mode === undefined ? {} : { mode }), requester: caller.name }));
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/runs/{id}",
      summary: "One run: `summary`, `journal`, `runbookSource` as pinned and `report` once it is written",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The run", schema: runRecordSchema },
      problems: ["not-found"],
      async handle({ params }) {
        const run = await reader.get(params["id"] ?? "");
        return run === undefined ? noRun() : json(run);
      },
    }),
    defineEventRoute({
      method: "get",
      path: "/api/runs/{id}/events",
      summary: "The run's journal as server-sent events: the id is the entry's index, Last-Event-ID resumes behind it, `end` is the last",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "Server-sent events", events: runEventSchema },
      problems: ["not-found"],
      async handle({ params, lastEventId, signal }) {
        const id = params["id"] ?? "";
        const after = lastEventId === undefined ? -1 : Number(/^\d{1,9}$/.test(lastEventId) ? lastEventId : Number.NaN);
        if (Number.isNaN(after)) return problem("invalid-request", "Last-Event-ID is not an id that this stream has given out.");
        if ((await reader.get(id)) === undefined) return noRun();
        return { kind: "events", events: toEvents(reader.follow(id, after, signal), after) };
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/runs/{id}/abort",
      summary: "End the run before its next effect",
      allow: operators,
      stops: true,
      query: noQuery,
      body: runAbortSchema,
      success: { status: 202, description: "It will stop", schema: runReferenceSchema },
      problems: ["not-found", "conflict"],
      handle: async ({ params, body, caller }) => started(await control.abort(params["id"] ?? "", caller.name, body.reason)),
    }),
    defineRoute({
      method: "post",
      path: "/api/runs/{id}/resume",
      summary: "Wake a waiting run now",
      allow: operators,
      query: noQuery,
      body: noBody,
      success: { status: 202, description: "It was woken", schema: runReferenceSchema },
      problems: ["not-found", "conflict"],
      handle: async ({ params, caller }) => started(await control.resume(params["id"] ?? "", caller.name)),
    }),
    defineRoute({
      method: "post",
      path: "/api/runs/{id}/rerun",
      summary:
        "Start a new run with the same request and the document in force; `document=pinned` (admin only) takes the first run's document",
      allow: operators,
      query: z.strictObject({ document: z.enum(["present", "pinned"]).default("present") }),
      body: noBody,
      success: { status: 202, description: "`runId` is the new run", schema: runReferenceSchema },
      problems: ["not-found", "conflict"],
      async handle({ params, query: { document }, caller }) {
        if (document === "pinned" && !admins.includes(caller.role)) {
          return problem("forbidden", "Only an admin repeats a run with a document that is no longer in force.");
        }
        return started(await control.rerun(params["id"] ?? "", caller.name, document));
      },
    }),
  ];
}

function started(result: ControlResult | StartResult): HandlerResponse<Shape<typeof runReferenceSchema>> {
  switch (result.kind) {
    case "ok":
      return json({ runId: result.runId });
    case "conflict":
      return problem("conflict", result.reason);
    case "invalid":
      return problem("invalid-request", "The parameters do not fit the runbook.", result.issues);
    case "not_found":
      return problem("not-found", "There is no such run or runbook.");
  }
}

function noRun(): Refusal {
  return problem("not-found", "There is no such run.");
}

async function* toEvents(
  entries: AsyncIterable<IndexedEntry>,
  after: number,
): AsyncGenerator<ServerSentEvent & Shape<typeof runEventSchema>> {
  let last = after;
  for await (const { index, entry } of entries) {
    last = index;
    yield { id: String(index), event: entry.kind, data: entry };
  }
  yield { id: String(Math.max(last, 0)), event: "end", data: {} };
}
