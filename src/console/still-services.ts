import { signal } from "@preact/signals";
import { createDrafts } from "./drafts.ts";
import type { FeedNews, FeedState } from "./live-feed.ts";
import type { Services } from "./services.ts";
import type { SessionState } from "./session.ts";

/** Services of a page that is drawn once: nothing is asked, and no time passes. */
export function stillServices(reader: { readonly name: string; readonly role: string } = { name: "ann", role: "approver" }): Services {
  const clock = { now: () => 0, after: () => () => {} };
  const nothing = async () => new Response("", { status: 503 });
  return {
    clock,
    router: { place: signal({ page: "now" }), go: () => {} },
    session: {
      state: signal<SessionState>({ kind: "signed_in", ...reader }),
      load: async () => {},
      signIn: async () => undefined,
      signOut: async () => {},
      end: () => {},
    },
    requests: { fetch: nothing, clock, onSignedOut: () => {} },
    feed: {
      state: signal<FeedState>({ kind: "live" }),
      listen: (_listener: (news: FeedNews) => void) => () => {},
      start: () => {},
      stop: () => {},
    },
    drafts: createDrafts(),
    keys: { areOn: signal(true), isListed: signal(false), listen: () => () => {} },
  };
}
