import { z } from "zod";
import type { Failure } from "../../../packages/sdk/src/wire/failures.ts";
import { maskSecrets } from "../../../packages/sdk/src/wire/mask-secrets.ts";
import type { Clock, Instant } from "../../core/clock.ts";
import { hourMs, minuteMs } from "../../core/duration.ts";
import { shortLine } from "../../core/one-line.ts";
import {
  type BoundedAnswer,
  type BoundedSender,
  defaultRequestLimits,
  type RequestLimits,
} from "../../platform/requests/bounded-request.ts";

/** Where GitHub's API is, and what it is asked with. */
export interface GitHubAccess {
  /** Without a slash at the end, e.g. `https://api.github.com`, or `https://github.example/api/v3` of a GitHub Enterprise Server. */
  readonly apiUrl: string;
  readonly token: string;
}

/** Limits of one request: a page of alerts is long, and GitHub may think about it for some seconds. */
export const gitHubRequestLimits: RequestLimits = {
  ...defaultRequestLimits,
  headersMs: 15_000,
  totalMs: 60_000,
  maxBytes: 16 * 1024 * 1024,
};

/** Why GitHub did not give what it was asked for. The message of the error is for people and holds no secret. */
export type GitHubRefusalKind =
  /** An answer with a status other than success; `words` are GitHub's own. */
  | { readonly kind: "status"; readonly status: number; readonly words: string }
  /** A rate limit: nothing is asked before `until`. */
  | { readonly kind: "limited"; readonly until: Instant }
  /** No answer; of a write it says whether GitHub may have done it. */
  | { readonly kind: "failed"; readonly failure: Failure }
  /** An answer that is too long, is not JSON, or names a next page elsewhere. */
  | { readonly kind: "unreadable" };

/** See {@link GitHubRefusalKind}. */
export class GitHubRefusal extends Error {
  readonly refusal: GitHubRefusalKind;
  constructor(message: string, refusal: GitHubRefusalKind) {
    super(message);
    this.name = "GitHubRefusal";
    this.refusal = refusal;
  }
}

/** One page of a list. */
export interface GitHubPage {
  readonly items: readonly unknown[];
  /** Of this page's content, to ask whether it has changed. */
  readonly etag?: string;
}

/** A list that is asked for. */
export interface GitHubList {
  /** Below the address of the API, with its query. */
  readonly path: string;
  /** Entity tag of the first page as it was read last. */
  readonly etag?: string | undefined;
  readonly signal: AbortSignal;
}

/** A change that is sent. */
export interface GitHubWrite {
  readonly method: "POST" | "PUT";
  /** Below the address of the API. */
  readonly path: string;
  readonly body: object;
  readonly signal: AbortSignal;
}

/** What GitHub answered to a change; what a status means depends on the change. */
export interface GitHubWritten {
  readonly status: number;
  /** Of an answer with JSON; else undefined. */
  readonly json: unknown;
  /** GitHub's own, on one short line. */
  readonly words: string;
}

/** Reads from GitHub, and writes to it. Members reject with {@link GitHubRefusal}, or with the signal's reason. */
export interface GitHubClient {
  /** Sends a change once: whether one without an answer was made has to be read. Rejects with `limited` only where nothing was done. */
  write(request: GitHubWrite): Promise<GitHubWritten>;
  /** The JSON at a path below the address of the API. */
  read(path: string, signal: AbortSignal): Promise<unknown>;
  /** Pages in GitHub's order, each asked for when the one before has been taken; nothing when the first page still has the entity tag. */
  pages(list: GitHubList): AsyncIterable<GitHubPage>;
}

/** A list may not go on for ever. */
const maxPages = 200;
/** Longest time that a limit is believed. */
const maxPauseMs = hourMs;

/**
 * A client that sends its token to the host of the API alone: no redirect is followed, and a next page elsewhere is refused. While a rate limit of GitHub
 * lasts, nothing is sent. No request is repeated: a listing is, as a whole, at its next time, and a change only after it was read whether it was made.
 * https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
 */
export function createGitHubClient(
  sender: Pick<BoundedSender, "send">,
  { apiUrl, token }: GitHubAccess,
  clock: Pick<Clock, "now">,
): GitHubClient {
  let pausedUntil = Number.NEGATIVE_INFINITY;
  const { origin } = new URL(apiUrl);
  const basePath = new URL(`${apiUrl}/`).pathname;

  const ask = async (
    url: string,
    {
      etag,
      signal,
      method = "GET",
      body,
    }: Omit<GitHubList, "path"> & { readonly method?: "GET" | GitHubWrite["method"]; readonly body?: object },
  ) => {
    signal.throwIfAborted();
    if (clock.now() < pausedUntil) throw limitedUntil(pausedUntil);
    const answer = await sender.send({
      method,
      url,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${token}`,
        "x-github-api-version": "2022-11-28",
        ...(etag !== undefined && { "if-none-match": etag }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      signal,
    });
    if (answer.kind === "failed") {
      signal.throwIfAborted();
      throw new GitHubRefusal(answer.failure.message, { kind: "failed", failure: answer.failure });
    }
    const until = limitOf(answer, clock.now());
    if (until === undefined) return answer;
    pausedUntil = until;
    throw limitedUntil(until);
  };

  const nextOf = (link: string | undefined): string | undefined => {
    const next = /<([^<>\s]{1,4000})>\s{0,5};\s{0,5}rel="next"/.exec((link ?? "").slice(0, 16_384))?.[1];
    if (next === undefined) return undefined;
    const url = URL.canParse(next, apiUrl) ? new URL(next, apiUrl) : undefined;
    if (url === undefined || url.origin !== origin || !url.pathname.startsWith(basePath))
      throw new GitHubRefusal("GitHub names a next page at another address, which was not asked.", { kind: "unreadable" });
    return url.href;
  };

  return {
    async read(path, signal) {
      return jsonOf(await ask(`${apiUrl}${path}`, { signal }));
    },
    async write({ path, ...request }) {
      const { status, body, truncated } = await ask(`${apiUrl}${path}`, request);
      return { status, json: truncated ? undefined : parsed(body), words: wordsOf(body) };
    },
    async *pages({ path, etag, signal }) {
      let url: string | undefined = `${apiUrl}${path}`;
      for (let page = 1; url !== undefined; page += 1) {
        if (page > maxPages) throw new GitHubRefusal(`The list has more than ${maxPages} pages.`, { kind: "unreadable" });
        const answer: Answered = await ask(url, { etag: page === 1 ? etag : undefined, signal });
        if (answer.status === 304 && page === 1 && etag !== undefined) return;
        const items = listShape.safeParse(jsonOf(answer));
        if (!items.success) throw new GitHubRefusal("GitHub answered something that is not a list.", { kind: "unreadable" });
        const tag = answer.headers["etag"];
        yield { items: items.data, ...(tag !== undefined && tag.length <= 200 && { etag: tag }) };
        url = nextOf(answer.headers["link"]);
      }
    },
  };
}

type Answered = Extract<BoundedAnswer, { readonly kind: "answered" }>;

const listShape = z.array(z.unknown());

function jsonOf({ status, body, truncated }: Answered): unknown {
  if (status !== 200) throw new GitHubRefusal(`GitHub answered ${status}.`, { kind: "status", status, words: wordsOf(body) });
  if (truncated) throw new GitHubRefusal("The answer of GitHub is longer than what is read.", { kind: "unreadable" });
  try {
    return JSON.parse(body);
  } catch {
    throw new GitHubRefusal("GitHub answered something that is not JSON.", { kind: "unreadable" });
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const errorShape = z.object({ message: z.string() });

/** What GitHub says about its refusal, on one short line. */
function wordsOf(body: string): string {
  try {
    const parsed = errorShape.safeParse(JSON.parse(body.slice(0, 10_000)));
    return parsed.success ? maskSecrets(shortLine(parsed.data.message, 200)) : "";
  } catch {
    return "";
  }
}

/** When a limit that an answer speaks of ends; undefined when it speaks of none. https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api */
function limitOf({ status, headers, body }: Answered, now: Instant): Instant | undefined {
  if (status !== 403 && status !== 429) return undefined;
  const [retryAfter, reset] = [headers["retry-after"], headers["x-ratelimit-reset"]];
  if (retryAfter !== undefined && /^\d{1,6}$/.test(retryAfter)) return now + Math.min(Number(retryAfter) * 1000, maxPauseMs);
  if (headers["x-ratelimit-remaining"] === "0" && reset !== undefined && /^\d{1,12}$/.test(reset))
    return Math.min(Math.max(Number(reset) * 1000, now + 1000), now + maxPauseMs);
  return status === 429 || /secondary rate limit/i.test(wordsOf(body)) ? now + minuteMs : undefined;
}

function limitedUntil(until: Instant): GitHubRefusal {
  return new GitHubRefusal(`GitHub limits our requests; nothing is asked before ${new Date(until).toISOString()}.`, {
    kind: "limited",
    until,
  });
}
