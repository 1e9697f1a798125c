import type { Clock } from "./clock.ts";
import { problemSchema } from "./wire/problems.ts";
import { tolerant } from "./wire/tolerant.ts";

/** runbookd did not answer, or answered that it cannot now. Asking again may help. */
export class Unreachable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "Unreachable";
  }
}

/** runbookd refused the request as wrong; asking again does not help. */
export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "Refused";
    this.status = status;
  }
}

/** What a conditional GET came to. */
export type Changed =
  | { readonly kind: "unchanged" }
  | { readonly kind: "missing" }
  | { readonly kind: "changed"; readonly body: unknown; readonly etag: string | undefined };

/** Requests to runbookd with the token in place. */
export interface Http {
  /** A GET of what the client may have already; `etag` is what came with it, `more` are further headers. Rejects as `send` does. */
  getChanged(path: string, etag: string | undefined, more?: Readonly<Record<string, string>>): Promise<Changed>;
  /** The parsed body; undefined for a GET of what does not exist. Rejects with Unreachable or Refused. */
  send(method: "GET" | "POST" | "PUT", path: string, body?: unknown): Promise<unknown>;
}

const timeoutMs = 5000;

/** The server that is asked, and with what. */
export interface HttpTarget {
  readonly url: string;
  readonly token: string;
  readonly fetch: typeof fetch;
  readonly clock: Pick<Clock, "timeout">;
  /** Names this process among those that follow a document. */
  readonly follower: string;
}

/** Sends each request once; the caller retries. */
export function createHttp(target: HttpTarget): Http {
  const base = target.url.replace(/\/+$/, "");

  const exchange = async (
    method: string,
    path: string,
    { headers, body }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string },
  ): Promise<{ readonly response: Response; readonly text: string }> => {
    let response: Response;
    let text: string;
    try {
      response = await target.fetch(`${base}${path}`, {
        method,
        headers: { authorization: `Bearer ${target.token}`, accept: "application/json", ...headers },
        ...(body === undefined ? {} : { body }),
        signal: target.clock.timeout(timeoutMs),
      });
      text = await response.text();
    } catch (error) {
      throw new Unreachable(error instanceof Error ? error.message : "no answer", { cause: error });
    }
    if (response.ok || response.status === 304 || (method === "GET" && response.status === 404)) return { response, text };
    const sentence = describe(response.status, text);
    if (response.status >= 500 || response.status === 408 || response.status === 429) throw new Unreachable(sentence);
    throw new Refused(response.status, sentence);
  };

  return {
    async send(method, path, body) {
      const { response, text } =
        body === undefined
          ? await exchange(method, path, {})
          : await exchange(method, path, { headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
      return response.ok ? JSON.parse(text) : undefined;
    },
    async getChanged(path, etag, more) {
      const headers = { ...more, "runbookd-follower": target.follower, ...(etag !== undefined && { "if-none-match": etag }) };
      const { response, text } = await exchange("GET", path, { headers });
      if (response.status === 404) return { kind: "missing" };
      if (response.status === 304) return { kind: "unchanged" };
      return { kind: "changed", body: JSON.parse(text), etag: response.headers.get("etag") ?? undefined };
    },
  };
}

const readProblem = tolerant(problemSchema.pick({ title: true, detail: true, issues: true }));

function describe(status: number, text: string): string {
  try {
    const { title, detail, issues = [] } = readProblem.parse(JSON.parse(text));
    return [`HTTP ${status}: ${title}. ${detail}`, ...issues].join(" ");
  } catch {
    return `HTTP ${status}`;
  }
}
