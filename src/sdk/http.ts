import { z } from "zod";

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

/** Requests to runbookd with the token in place. */
export interface Http {
  /** The parsed body; undefined for a GET of what does not exist. Rejects with Unreachable or Refused. */
  send(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown>;
}

const timeoutMs = 5000;

/** Retries nothing by itself. */
export function createHttp(target: { readonly url: string; readonly token: string; readonly fetch: typeof fetch }): Http {
  const base = target.url.replace(/\/+$/, "");
  return {
    async send(method, path, body) {
      let response: Response;
      let text: string;
      try {
        response = await target.fetch(`${base}${path}`, {
          method,
          headers: {
            authorization: `Bearer ${target.token}`,
            accept: "application/json",
            ...(body === undefined ? {} : { "content-type": "application/json" }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(timeoutMs),
        });
        text = await response.text();
      } catch (error) {
        throw new Unreachable(error instanceof Error ? error.message : "no answer", { cause: error });
      }
      if (response.ok) return JSON.parse(text);
      if (method === "GET" && response.status === 404) return undefined;
      const sentence = describe(response.status, text);
      if (response.status >= 500 || response.status === 408 || response.status === 429) throw new Unreachable(sentence);
      throw new Refused(response.status, sentence);
    },
  };
}

const problem = z.object({ title: z.string(), detail: z.string(), issues: z.array(z.string()).optional() });

function describe(status: number, text: string): string {
  try {
    const { title, detail, issues = [] } = problem.parse(JSON.parse(text));
    return [`HTTP ${status}: ${title}. ${detail}`, ...issues].join(" ");
  } catch {
    return `HTTP ${status}`;
  }
}
