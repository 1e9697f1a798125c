import type { HttpPort } from "../../actions/http-port.ts";
import { urlPathFault } from "../../core/canonical-target.ts";
import type { Clock } from "../../core/clock.ts";
import { createBoundedSender, defaultRequestLimits, type RequestLimits } from "../../platform/requests/bounded-request.ts";

/** The HTTP port of actions over the network; close it to drop its connections. */
export interface HttpClient extends HttpPort {
  close(): Promise<void>;
}

/** What an HTTP client may reach, and how long it may take. */
export interface HttpClientOptions {
  /** Origins, e.g. `https://gateway.example`. */
  readonly allow: readonly string[];
  readonly clock: Clock;
  readonly limits?: RequestLimits;
}

/** Requests go to these origins and to no other, and no redirect is followed. An empty list allows nothing. */
export function createHttpClient(options: HttpClientOptions): HttpClient {
  const allowed = new Set(options.allow.map((origin) => new URL(origin).origin));
  const sender = createBoundedSender(options.limits ?? defaultRequestLimits, options);

  function refusal(text: string): string | undefined {
    if (!URL.canParse(text)) return "it is no absolute URL";
    const url = new URL(text);
    if (url.protocol !== "http:" && url.protocol !== "https:") return "only http and https are spoken";
    if (url.username !== "" || url.password !== "") return "a URL may hold no credentials";
    // What a person reads must be what is sent: the parser would quietly drop or turn these.
    if (/[\\\s\p{Cc}]/u.test(text)) return "it holds a backslash, a space or a control character";
    const fault = urlPathFault(text);
    if (fault !== undefined) return fault;
    if (allowed.has(url.origin)) return undefined;
    return `its origin ${url.origin} is not listed in RUNBOOKD_HTTP_ALLOW (listed: ${[...allowed].join(", ") || "none"})`;
  }

  return {
    refusal,
    async request(request) {
      const refused = refusal(request.url);
      if (refused !== undefined) {
        return {
          kind: "failed",
          failure: { reason: "invalid_parameters", message: `The request was not sent: ${refused}.`, applied: "no" },
        };
      }
      return sender.send(request);
    },
    close: () => sender.close(),
  };
}
