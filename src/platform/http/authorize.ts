import type { Request } from "express";
import type { Caller } from "../../core/role.ts";
import { runHeader } from "../../core/run.ts";
import { aProblem } from "./problem.ts";
import { type HttpResponse, problem, type Route } from "./route.ts";
import type { TokenVerifier } from "./token-verifier.ts";
import { bearerOf } from "./webhook-auth.ts";

/** A caller who may do this, or the answer that says why not. */
export type Permitted = { readonly ok: true; readonly caller: Caller } | { readonly ok: false; readonly response: HttpResponse };

/** What a run may not reach, whatever token its document holds. */
const pathsForbiddenToRuns = /^\/api\/(?:runs|approvals|freeze)\b/;

/** What a caller is judged with. */
export interface Authority {
  readonly tokens: TokenVerifier;
  /** Where people reach this server; absent: under the name that they use. */
  readonly publicUrl?: string | undefined;
}

/** Denies by default: a valid bearer token whose role the route names, and no request that a browser sends for another site. */
export async function authorize(
  request: Request,
  route: Pick<Route, "allow" | "fromPage" | "method" | "path">,
  { tokens, publicUrl }: Authority,
): Promise<Permitted> {
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
  const token = bearerOf(request.headers.authorization);
  const caller = token === undefined ? undefined : await tokens.verify(token);
  if (caller === undefined) {
    const headers = { "WWW-Authenticate": 'Bearer realm="runbookd"' };
    return {
      ok: false,
      response: { kind: "problem", problem: aProblem("unauthenticated", "Send a valid token: Authorization: Bearer …"), headers },
    };
  }
  if (route.allow.includes(caller.role)) return { ok: true, caller };
  return {
    ok: false,
    response: problem("forbidden", `This needs one of the roles ${route.allow.join(", ")}; the token has ${caller.role}.`),
  };
}

/** `X-Forwarded-*` is what anybody may claim: the own origin is the configured one, else what the client itself connected to. */
function isSameOrigin(request: Request, publicUrl: string | undefined): boolean {
  const origin = request.get("origin");
  if (origin === undefined) return true;
  return origin === (publicUrl === undefined ? `http://${request.headers.host ?? ""}` : new URL(publicUrl).origin);
}
