import type { Request } from "express";
import { sha256 } from "../../core/json.ts";
import type { Caller } from "../../core/role.ts";
import { runHeader } from "../../core/run.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import type { Access } from "./access.ts";
import { aProblem } from "./problem.ts";
import type { Session, Sessions, SessionUse } from "./redis-sessions.ts";
import { type HttpResponse, problem, type Refusal, type Route, unavailable } from "./route.ts";
import { readSessionCookie, type SessionCookie, sessionCookieFor, writeSessionCookie } from "./session-cookie.ts";
import type { TokenVerifier } from "./token-verifier.ts";
import { bearerOf } from "./webhook-auth.ts";

/** A caller who may do this, or the answer that says why not. */
export type Permitted =
  | { readonly ok: true; readonly caller: Caller; readonly access: Access }
  | { readonly ok: false; readonly response: HttpResponse };

/** What a run may not reach, whatever token its document holds. */
const pathsForbiddenToRuns = /^\/api\/(?:runs|approvals|freeze)\b/;

/** What the console sends with every request; a form of another site cannot. */
export const consoleHeader = "runbookd-console";

/** What a caller is judged with. */
export interface Authority {
  readonly tokens: TokenVerifier;
  /** Absent: nothing but tokens is accepted. */
  readonly sessions?: Pick<Sessions, "find" | "end" | "redeemLink">;
  /** Where people reach this server; absent: under the name that they use. */
  readonly publicUrl?: string | undefined;
}

/** What is judged. `isRecheck`: the request was permitted before, and its stream goes on. */
export interface JudgedRequest {
  readonly request: Request;
  readonly route: Pick<Route, "allow" | "fromPage" | "method" | "path" | "endsSession" | "takesLink">;
  readonly isRecheck?: boolean;
}

/**
 * Denies by default: a valid bearer token, or the cookie of a session, whose role the route names, and no request that a browser sends for another site.
 * A cookie alone changes nothing: the console's header and the origin must prove that its own page sends the request.
 */
export async function authorize({ request, route, isRecheck = false }: JudgedRequest, authority: Authority): Promise<Permitted> {
  const { tokens, publicUrl } = authority;
  const site = request.get("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && (site !== "none" || route.fromPage)) {
    return { ok: false, response: problem("forbidden", "Requests that a browser sends for another site are refused.") };
  }
  if (route.fromPage && !isSameOrigin(request, publicUrl)) {
    return { ok: false, response: problem("forbidden", "Requests that come from a page of another origin are refused.") };
  }
  if (request.get(runHeader) !== undefined && route.method !== "get" && pathsForbiddenToRuns.test(route.path)) {
    return {
      ok: false,
      response: problem("forbidden", "A run may not start, steer or decide runs: this request says that a run sent it."),
    };
  }
  const { authorization } = request.headers;
  const { cookie, secret } = cookieOf(request, publicUrl);
  const beside = { ...(cookie !== undefined && { cookie }), ...(secret !== undefined && { secret }) };
  const token = bearerOf(authorization);
  if (token !== undefined) {
    const caller = await tokens.verify(token);
    if (caller !== undefined) return judgeRole({ caller, access: { tokenSha256: sha256(token), ...beside } }, route);
    const tokenSha256 = route.takesLink ? await authority.sessions?.redeemLink(token) : undefined;
    const linked = tokenSha256 === undefined ? undefined : await tokens.verifyHash?.(tokenSha256);
    if (tokenSha256 === undefined || linked === undefined) return noToken();
    return judgeRole({ caller: linked, access: { tokenSha256, ...beside } }, route);
  }
  // Who sends a header that is no token means it; the cookie does not take its place.
  if (authorization !== undefined || secret === undefined || authority.sessions === undefined) return noToken();
  if (route.method !== "get" && !isFromConsole(request, publicUrl)) {
    return {
      ok: false,
      response: problem("forbidden", `A cookie alone changes nothing: send the header ${consoleHeader}: 1 from a page of this server.`),
    };
  }
  const use: SessionUse = route.method === "get" ? (isRecheck ? "recheck" : "read") : "change";
  const cleared = route.endsSession && cookie !== undefined ? { "Set-Cookie": writeSessionCookie(cookie, "", 0) } : {};
  let session: Session | undefined;
  try {
    session = await authority.sessions.find(secret, use);
  } catch (error) {
    if (!(route.endsSession && error instanceof StoreUnavailable)) throw error;
    // A person who leaves a borrowed telephone must not stay signed in on it because of Redis.
    await authority.sessions.end(secret).catch(() => undefined);
    const gone = unavailable("This browser is signed out. The session ends on the other servers when Redis answers again.");
    return { ok: false, response: { ...gone, headers: { ...gone.headers, ...cleared } } };
  }
  const caller = session === undefined ? undefined : await tokens.verifyHash?.(session.tokenSha256);
  if (session === undefined || caller === undefined) {
    const { response } = noToken("The session has ended; sign in again with a token.");
    return { ok: false, response: { ...response, headers: { ...response.headers, ...cleared } } };
  }
  return judgeRole({ caller, access: { session, ...beside } }, route);
}

function judgeRole(recognized: { readonly caller: Caller; readonly access: Access }, { allow }: Pick<Route, "allow">): Permitted {
  const { role } = recognized.caller;
  if (allow.includes(role)) return { ok: true, ...recognized };
  return { ok: false, response: problem("forbidden", `This needs one of the roles ${allow.join(", ")}; the token has ${role}.`) };
}

function noToken(detail = "Send a valid token: Authorization: Bearer …"): { readonly ok: false; readonly response: Refusal } {
  const headers = { "WWW-Authenticate": 'Bearer realm="runbookd"' };
  return { ok: false, response: { kind: "problem", problem: aProblem("unauthenticated", detail), headers } };
}

function cookieOf(
  request: Request,
  publicUrl: string | undefined,
): { readonly cookie?: SessionCookie | undefined; readonly secret?: string | undefined } {
  const cookie = sessionCookieFor({ host: request.headers.host, publicUrl });
  return cookie === undefined ? {} : { cookie, secret: readSessionCookie(request.headers.cookie, cookie) };
}

/** Browsers name the origin with every request that changes something; older ones leave out `Sec-Fetch-Site`, which was judged already. */
function isFromConsole(request: Request, publicUrl: string | undefined): boolean {
  return (
    request.get(consoleHeader) === "1" &&
    request.get("origin") !== undefined &&
    isSameOrigin(request, publicUrl) &&
    request.get("sec-fetch-site") !== "none"
  );
}

/** `X-Forwarded-*` is what anybody may claim: the own origin is the configured one, else what the client itself connected to. */
function isSameOrigin(request: Request, publicUrl: string | undefined): boolean {
  const origin = request.get("origin");
  if (origin === undefined) return true;
  return origin === (publicUrl === undefined ? `http://${request.headers.host ?? ""}` : new URL(publicUrl).origin);
}
