import { type ReadonlySignal, signal } from "@preact/signals";
import type { PageClock } from "./page-clock.ts";

/** Why an answer could not be had. `status` is absent when the server did not answer. */
export interface Trouble {
  readonly status?: number;
  readonly detail: string;
}

/** What is there of a resource. With `trouble` beside a body, the body is the last one that was read. */
export interface Reading<Body> {
  readonly body?: Body;
  /** When the body was read; UTC, milliseconds. */
  readonly readAt?: number;
  readonly trouble?: Trouble;
}

/** One address of the API, read again on demand. */
export interface Resource<Body> {
  readonly reading: ReadonlySignal<Reading<Body>>;
  /** Reads it; while a read is under way that one is awaited. */
  refresh(): Promise<void>;
  /** Reads it again at once, or when the read that is under way has ended: that one may have missed what changed. */
  refreshAgain(): Promise<void>;
  /** Reads it again after each of these pauses until it is closed or `mayRefresh` says no. */
  refreshEvery(pauseMs: () => number, mayRefresh: () => boolean): void;
  /** Ends what is under way. */
  close(): void;
}

/** What a request is made with. */
export interface Requests {
  readonly fetch: typeof fetch;
  readonly clock: PageClock;
  /** Called when the server says that there is no session. */
  readonly onSignedOut: () => void;
}

const timeoutMs = 15_000;

/** Creates the resource of an address; nothing is read yet. */
export function createResource<Body>(requests: Requests, url: string): Resource<Body> {
  const reading = signal<Reading<Body>>({});
  const ended = new AbortController();
  let etag: string | undefined;
  let underWay: Promise<void> | undefined;
  let cancelNext: (() => void) | undefined;
  let isWanted = false;

  async function read(): Promise<void> {
    const answer = await request<Body>(requests, url, { etag, signal: ended.signal });
    if (ended.signal.aborted) return;
    const previous = reading.value;
    if (answer.kind === "trouble") {
      const { trouble: _previous, ...standing } = previous;
      reading.value = { ...(answer.isGone ? {} : standing), trouble: answer.trouble };
      return;
    }
    etag = answer.kind === "body" ? answer.etag : etag;
    const body = answer.kind === "body" ? answer.body : previous.body;
    reading.value = { ...(body !== undefined && { body }), readAt: requests.clock.now() };
  }

  const refresh = async () => {
    underWay ??= read().finally(() => {
      underWay = undefined;
    });
    return underWay;
  };

  return {
    reading,
    refresh,
    async refreshAgain() {
      if (isWanted) return;
      isWanted = underWay !== undefined;
      await underWay;
      isWanted = false;
      if (!ended.signal.aborted) await refresh();
    },
    refreshEvery(pauseMs, mayRefresh) {
      cancelNext?.();
      cancelNext = requests.clock.after(pauseMs(), () => {
        if (ended.signal.aborted || !mayRefresh()) return;
        void refresh().then(() => this.refreshEvery(pauseMs, mayRefresh));
      });
    },
    close() {
      cancelNext?.();
      ended.abort();
    },
  };
}

type Received<Body> =
  | { readonly kind: "body"; readonly body: Body; readonly etag: string | undefined }
  | { readonly kind: "unchanged" }
  /** `isGone`: what was shown may not be shown any more. */
  | { readonly kind: "trouble"; readonly trouble: Trouble; readonly isGone: boolean };

async function request<Body>(
  { fetch, clock, onSignedOut }: Requests,
  url: string,
  { etag, signal }: { readonly etag: string | undefined; readonly signal: AbortSignal },
): Promise<Received<Body>> {
  const late = new AbortController();
  const cancel = clock.after(timeoutMs, () => late.abort());
  try {
    const headers = { accept: "application/json", ...(etag !== undefined && { "if-none-match": etag }) };
    const response = await fetch(url, { headers, credentials: "same-origin", signal: AbortSignal.any([signal, late.signal]) });
    if (response.status === 304) return { kind: "unchanged" };
    if (response.status === 401) onSignedOut();
    if (!response.ok) {
      const trouble = { status: response.status, detail: await problemOf(response) };
      return { kind: "trouble", trouble, isGone: [401, 403, 404, 410].includes(response.status) };
    }
    // The server's tests hold each body to the schema of its route; the page does not check it again.
    const body: Body = await response.json();
    return { kind: "body", body, etag: response.headers.get("etag") ?? undefined };
  } catch {
    return { kind: "trouble", trouble: { detail: "The server does not answer." }, isGone: false };
  } finally {
    cancel();
  }
}

/** The sentence of a problem; a proxy in between may answer something else. */
export async function problemOf(response: Response): Promise<string> {
  try {
    const problem: unknown = await response.json();
    if (typeof problem === "object" && problem !== null && "detail" in problem && typeof problem.detail === "string") return problem.detail;
  } catch {
    // Falls through to the status.
  }
  return `The server answered ${response.status}.`;
}
