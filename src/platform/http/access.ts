import type { Session } from "./redis-sessions.ts";
import type { SessionCookie } from "./session-cookie.ts";

/** How a caller was recognized. */
export interface Access {
  /** Of the token that was sent; absent: a session was recognized. */
  readonly tokenSha256?: string;
  readonly session?: Session;
  /** What the browser sent as its cookie; proven only when `session` is there. */
  readonly secret?: string;
  /** The cookie for this caller; absent where no session can begin, see `sessionCookieFor`. */
  readonly cookie?: SessionCookie;
}
