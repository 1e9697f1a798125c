import type { IncomingMessage, ServerResponse } from "node:http";
import { serveLoopback } from "../../demo/simulators/serve-loopback.ts";
import { hash32 } from "../../src/core/random.ts";
import { answerFault, type HttpFaults } from "./http-faults.ts";

/** Behaviors of Unleash that a caller must survive, each behind a switch. */
export interface UnleashQuirks extends HttpFaults {
  /** The environment asks for change requests: 403 for everyone who may not skip them. */
  changeRequests: boolean;
  /** The account lacks UPDATE_FEATURE_ENVIRONMENT. */
  readOnly: boolean;
  /** The Frontend API evaluates what its cache holds until it is refreshed. */
  staleFrontend: boolean;
  /** The Frontend API is switched off, or a proxy does not know it: 404 without Unleash's error. */
  noFrontend: boolean;
  /** Answers 500 after the change was made: the answer is lost, the effect is not. */
  answerLost: boolean;
  /** Answers 200 and changes nothing, as a proxy that retries does when another writer switches the flag back. */
  switchedBack: boolean;
  /** Address of the Admin API is wrong: every 404 is the proxy's own. */
  wrongAddress: boolean;
}

interface Feature {
  enabled: boolean;
  /** Percent of users of a flexible rollout, as Unleash writes it. */
  strategies: { name: string; parameters: { rollout: string; stickiness: string; groupId: string } }[];
  archived: boolean;
}

/** An Unleash with the project `default` and its environment `production`, as far as switching and evaluating goes. */
export interface UnleashServer extends AsyncDisposable {
  readonly url: string;
  readonly adminToken: string;
  readonly frontendToken: string;
  readonly quirks: UnleashQuirks;
  readonly features: Map<string, Feature>;
  /** Methods and paths in order. */
  readonly requests: readonly string[];
  /** The Frontend API takes what is set now. */
  refresh(): void;
}

/** A feature with one strategy for a share of the users. */
export function anUnleashFeature(enabled: boolean, rollout = "100"): Feature {
  return {
    enabled,
    strategies: [{ name: "flexibleRollout", parameters: { rollout, stickiness: "default", groupId: "g" } }],
    archived: false,
  };
}

/**
 * Speaks the part of the Admin API that switches a flag in one environment, with the token alone as `Authorization`, and the Frontend API, which lists only the
 * flags that are on for the user of the query. Switching on a flag without strategies adds one for everyone. https://github.com/Unleash/unleash
 */
export async function startUnleash(): Promise<UnleashServer> {
  const features = new Map<string, Feature>();
  const requests: string[] = [];
  const [adminToken, frontendToken] = ["user:admin-0123456789abcdef", "default:production.frontend-0123456789abcdef"];
  const quirks: UnleashQuirks = {
    fault: undefined,
    changeRequests: false,
    readOnly: false,
    staleFrontend: false,
    noFrontend: false,
    answerLost: false,
    switchedBack: false,
    wrongAddress: false,
  };
  let cached = new Map<string, Feature>();
  const refresh = () => void (cached = structuredClone(features));

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (answerFault(quirks, request, response)) return;
    const url = new URL(request.url ?? "/", "http://unleash.invalid");
    const method = request.method ?? "GET";
    requests.push(`${method} ${url.pathname}`);
    if (!quirks.staleFrontend) refresh();
    const answer = (status: number, body: unknown) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const refuse = (status: number, name: string, message: string) => answer(status, { name, message, details: [{ message }] });
    const permission = (name: string) =>
      refuse(
        403,
        "PermissionError",
        `You don't have the required permissions to perform this operation. To perform this action, you need the "${name}" permission.`,
      );
    const { authorization } = request.headers;

    if (url.pathname === "/api/frontend") {
      if (quirks.noFrontend) return void response.writeHead(404, { "content-type": "text/plain" }).end("no such page");
      if (authorization === adminToken || authorization === undefined)
        return answer(401, {
          message: "This endpoint requires an API token. Please add an authorization header to your request with a valid token",
        });
      if (authorization !== frontendToken)
        return answer(403, { message: "invalid token: expected a different token type for this endpoint" });
      const user = url.searchParams.get("userId") ?? "";
      const toggles = [...cached].filter(([, feature]) => isOnFor(feature, user)).map(([name]) => shown(name));
      return answer(200, { toggles });
    }
    if (quirks.wrongAddress) return answer(404, { message: "no Route matched with those values" });
    if (authorization !== adminToken) return refuse(401, "UnauthorizedError", `You must log in to use Unleash. (${authorization ?? ""})`);
    const path = /^\/api\/admin\/projects\/([^/]+)\/features\/([^/]+)\/environments\/([^/]+)(?:\/(on|off))?$/.exec(url.pathname);
    if (path === null) return refuse(404, "NotFoundError", `The path you were looking for (${url.pathname}) is not available.`);
    const [project, name, environment] = path.slice(1, 4).map((part) => decodeURIComponent(part));
    const feature = features.get(name ?? "");
    if (feature === undefined || project !== "default")
      return refuse(404, "NotFoundError", `There's no feature named "${name ?? ""}" in project "${project ?? ""}".`);
    if (environment !== "production") return refuse(404, "NotFoundError", `Could not find environment ${environment ?? ""}`);
    if (path[4] === undefined)
      return answer(200, { name, environment, enabled: feature.enabled, strategies: feature.strategies, defaultStrategy: null });
    if (method !== "POST") return refuse(404, "NotFoundError", "no such method");
    if (quirks.readOnly) return permission("UPDATE_FEATURE_ENVIRONMENT");
    if (quirks.changeRequests) return permission("SKIP_CHANGE_REQUEST");
    if (feature.archived) return refuse(400, "ArchivedFeatureError", "Cannot perform this operation on archived features");
    if (path[4] === "on" && feature.strategies.length === 0) feature.strategies.push(...anUnleashFeature(true).strategies);
    if (!quirks.switchedBack) feature.enabled = path[4] === "on";
    if (quirks.answerLost) return refuse(500, "InternalError", "Something went wrong");
    response.writeHead(200).end();
  };

  const server = await serveLoopback((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  return {
    url: server.url,
    adminToken,
    frontendToken,
    quirks,
    features,
    requests,
    refresh,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function isOnFor({ enabled, archived, strategies }: Feature, user: string): boolean {
  return (
    enabled && !archived && strategies.some(({ parameters }) => hash32(`${parameters.groupId}:${user}`) % 100 < Number(parameters.rollout))
  );
}

function shown(name: string): object {
  return {
    name,
    enabled: true,
    variant: { name: "disabled", enabled: false, feature_enabled: true, featureEnabled: true },
    impressionData: false,
  };
}
