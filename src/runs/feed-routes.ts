import { z } from "zod";
import { feedEventSchema } from "../../packages/sdk/src/wire/feed.ts";
import { viewers } from "../platform/http/roles.ts";
import { defineEventRoute, noBody, problem, type Route } from "../platform/http/route.ts";
import { type Feed, isPlace } from "./feed.ts";

/** What pages and terminals follow to know when to read again. */
export function createFeedRoutes(feed: Feed): readonly Route[] {
  return [
    defineEventRoute({
      method: "get",
      path: "/api/feed",
      summary:
        "What changed, as server-sent events: hints without data, so that a page reads again. Last-Event-ID (or `after`) resumes on any server; `reset` says that hints were missed",
      allow: viewers,
      query: z.strictObject({ after: z.string().max(40).optional() }),
      body: noBody,
      success: { status: 200, description: "Server-sent events", events: feedEventSchema },
      async handle({ query, lastEventId, signal }) {
        const after = lastEventId ?? query.after;
        if (after !== undefined && !isPlace(after))
          return problem("invalid-request", "Last-Event-ID is not an id that this feed has given out.");
        return { kind: "events", events: await feed.follow(after, signal) };
      },
    }),
  ];
}
