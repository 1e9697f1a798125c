import { type ReadonlySignal, signal } from "@preact/signals";
import { problemOf } from "./resource.ts";

/** Who reads the page. */
export type SessionState =
  | { readonly kind: "unknown" }
  | { readonly kind: "signed_out" }
  /** The server could not be asked. */
  | { readonly kind: "away"; readonly detail: string }
  | { readonly kind: "signed_in"; readonly name: string; readonly role: string };

/** The session of the browser. The server keeps it; the page never stores the token. */
export interface Session {
  readonly state: ReadonlySignal<SessionState>;
  /** Asks the server who is signed in. */
  load(): Promise<void>;
  /** Exchanges the token for a session. The result says what is wrong, and is undefined when it worked. */
  signIn(token: string): Promise<string | undefined>;
  signOut(): Promise<void>;
  /** The server said that there is no session. */
  end(): void;
}

/** A request that changes something says that it comes from the console; a cookie alone changes nothing. */
export const consoleHeader = { "runbookd-console": "1" } as const;

const address = "/api/session";

/** Creates the session; nothing is asked yet. */
export function createSession(fetch: typeof globalThis.fetch): Session {
  const state = signal<SessionState>({ kind: "unknown" });

  async function load(): Promise<void> {
    try {
      const response = await fetch(address, { credentials: "same-origin", headers: { accept: "application/json" } });
      state.value = response.ok ? readerOf(await response.json()) : await withoutSession(response);
    } catch {
      state.value = { kind: "away", detail: "The server does not answer." };
    }
  }

  return {
    state,
    load,
    async signIn(token) {
      // A header holds only these characters; anything else would throw, and is no token.
      if (!/^[\x21-\x7e]+$/.test(token)) return "A token has only letters, digits and signs without spaces.";
      try {
        const headers = { authorization: `Bearer ${token}`, ...consoleHeader };
        const response = await fetch(address, { method: "POST", credentials: "same-origin", headers });
        if (response.status === 401) return "The server does not accept this token.";
        if (!response.ok) return await problemOf(response);
        await load();
        return state.value.kind === "signed_in" ? undefined : "The browser did not keep the session. Allow cookies for this address.";
      } catch {
        return "The server does not answer.";
      }
    },
    async signOut() {
      await fetch(address, { method: "DELETE", credentials: "same-origin", headers: consoleHeader }).catch(() => undefined);
      await load();
    },
    end() {
      state.value = { kind: "signed_out" };
    },
  };
}

async function withoutSession(response: Response): Promise<SessionState> {
  return response.status === 401 ? { kind: "signed_out" } : { kind: "away", detail: await problemOf(response) };
}

function readerOf(body: unknown): SessionState {
  if (typeof body === "object" && body !== null && "name" in body && "role" in body)
    return { kind: "signed_in", name: String(body.name), role: String(body.role) };
  return { kind: "signed_out" };
}
