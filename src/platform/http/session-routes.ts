import { personRoles, sessionEndSchema, sessionSchema, signInLinkSchema } from "../../../packages/sdk/src/wire/sessions.ts";
import type { Shape } from "../../../packages/sdk/src/wire/shape.ts";
import type { Caller, Role } from "../../core/role.ts";
import { maxSessionMs, type Sessions } from "./redis-sessions.ts";
import { viewers } from "./roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Route } from "./route.ts";
import { writeSessionCookie } from "./session-cookie.ts";

/** What a person did with a session. */
export interface SessionAct {
  readonly kind: "signed_in" | "signed_out";
  readonly by: string;
  readonly role: Role;
}

/** Signing in with a token, who is signed in, and signing out. `record` is where that is written down; without it there is no session. */
export function createSessionRoutes(sessions: Sessions, record: (act: SessionAct) => Promise<void>): readonly Route[] {
  return [
    defineRoute({
      method: "post",
      path: "/api/session",
      summary: "Sign in: exchange a token for a session, whose cookie no script can read",
      allow: viewers,
      fromPage: true,
      takesLink: true,
      // A session that an unfit store loses costs one more sign-in, and a person must see what is wrong with the store.
      stops: true,
      query: noQuery,
      body: noBody,
      success: {
        status: 201,
        description: "Who is signed in; the cookie ends after 12 hours without a request, after 7 days at most, and with its token",
        schema: sessionSchema,
      },
      problems: ["conflict"],
      async handle({ caller, access }) {
        const { tokenSha256, secret: previous, cookie } = access ?? {};
        if (tokenSha256 === undefined)
          return problem("unauthenticated", "A session begins with a token, not with another session: Authorization: Bearer …");
        if (cookie === undefined) {
          return problem(
            "conflict",
            "Over plain http on a network a session could be read on the way. Serve runbookd over https and set RUNBOOKD_PUBLIC_URL to its address, or use a loopback address.",
          );
        }
        if (previous !== undefined) await sessions.end(previous);
        const { secret, session } = await sessions.start(tokenSha256);
        await record({ kind: "signed_in", by: caller.name, role: caller.role });
        return json(describe(caller, session.expiresAt), { "Set-Cookie": writeSessionCookie(cookie, secret, maxSessionMs) });
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/session/links",
      summary: "Make a link that signs in once with the caller's token, within ten minutes",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: {
        status: 201,
        description: "`path` behind the address of the console; its secret is in the fragment, which browsers send to no server",
        schema: signInLinkSchema,
      },
      async handle({ access }) {
        const { tokenSha256 } = access ?? {};
        if (tokenSha256 === undefined)
          return problem("unauthenticated", "A link begins with a token, not with a session: Authorization: Bearer …");
        const { secret, expiresAt } = await sessions.createLink(tokenSha256);
        return json({ path: `/#${secret}`, expiresAt });
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/session",
      summary: "Who is signed in, with which role, and until when",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "The caller; `expiresAt` moves with each request", schema: sessionSchema },
      handle: async ({ caller, access }) => json(describe(caller, access?.session?.expiresAt)),
    }),
    defineRoute({
      method: "delete",
      path: "/api/session",
      summary: "Sign out: the session ends on every server",
      allow: viewers,
      stops: true,
      endsSession: true,
      query: noQuery,
      body: noBody,
      success: { status: 200, description: "`ended` is false for a caller who sent a token", schema: sessionEndSchema },
      async handle({ caller, access: { session, secret, cookie } = {} }) {
        if (session === undefined || secret === undefined || cookie === undefined) return json({ ended: false });
        await sessions.end(secret);
        // It has ended already: a record that cannot be written does not keep the cookie.
        await record({ kind: "signed_out", by: caller.name, role: caller.role }).catch(() => undefined);
        return json({ ended: true }, { "Set-Cookie": writeSessionCookie(cookie, "", 0) });
      },
    }),
  ];
}

function describe({ name, role }: Caller, expiresAt: number | undefined): Shape<typeof sessionSchema> {
  const personRole = personRoles.find((one) => one === role);
  // The routes let in people alone.
  if (personRole === undefined) throw new Error(`${role} is not a role of people.`);
  return { name, role: personRole, ...(expiresAt !== undefined && { expiresAt }) };
}
