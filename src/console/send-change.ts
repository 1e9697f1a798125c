import type { Requests } from "./resource.ts";
import { consoleHeader } from "./session.ts";

/** What a request asks the server to change. */
export interface ChangeRequest {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
}

/**
 * What became of it. `refused`: the server said no, and nothing was changed; `problem` is the name of the refusal. `unknown`: no answer came, or
 * none that says whether it was done.
 */
export type ChangeResult =
  | { readonly kind: "done"; readonly body: unknown }
  | { readonly kind: "refused"; readonly status: number; readonly problem: string; readonly detail: string }
  | { readonly kind: "unknown"; readonly detail: string };

const timeoutMs = 15_000;

/** Asks the server to change something, once: what is sent again is for the caller to decide. */
export async function sendChange({ fetch, clock, onSignedOut }: Requests, { method, path, body }: ChangeRequest): Promise<ChangeResult> {
  const late = new AbortController();
  const cancel = clock.after(timeoutMs, () => late.abort());
  try {
    const response = await fetch(path, {
      method,
      credentials: "same-origin",
      signal: late.signal,
      headers: { accept: "application/json", ...consoleHeader, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.ok) return { kind: "done", body: answer };
    if (response.status === 401) onSignedOut();
    return refusalOf(response.status, answer);
  } catch {
    return { kind: "unknown", detail: "The server did not answer." };
  } finally {
    cancel();
  }
}

function refusalOf(status: number, answer: unknown): ChangeResult {
  const { type, detail } = typeof answer === "object" && answer !== null ? fieldsOf(answer) : {};
  const sentence = typeof detail === "string" ? detail : `The server answered ${status}.`;
  // A store that did not answer in time may have written; a proxy's own error says nothing about the server.
  if (status >= 500) return { kind: "unknown", detail: sentence };
  return { kind: "refused", status, problem: typeof type === "string" ? type.slice(type.lastIndexOf(":") + 1) : "", detail: sentence };
}

function fieldsOf(value: object): { readonly type?: unknown; readonly detail?: unknown } {
  return value;
}
