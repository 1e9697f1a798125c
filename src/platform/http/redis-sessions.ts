import { join } from "node:path";
import type { Redis } from "ioredis";
import type { Clock, Instant } from "../../core/clock.ts";
import { dayMs, hourMs, minuteMs } from "../../core/duration.ts";
import { sha256 } from "../../core/json.ts";
import type { RandomSource } from "../../core/random.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { available } from "../redis/available.ts";
import { runKeys } from "../redis/run-keys.ts";
import { defineScript } from "../redis/script.ts";

/** A person who is signed in. */
export interface Session {
  /** Hash of the token that it began with: it has the name and the role that the token has now, and ends with it. */
  readonly tokenSha256: string;
  /** When it ends without another request. */
  readonly expiresAt: Instant;
}

/** What a session is asked for. `read` is also permitted for a minute while Redis is away; `recheck`, of a stream, asks Redis every 5 s at most. */
export type SessionUse = "read" | "change" | "recheck";

/** Sessions of browsers. Of a secret only its hash is kept. */
export interface Sessions {
  /** A new session with a secret of 256 bits; no secret that a caller brought is ever taken over. */
  start(tokenSha256: string): Promise<{ readonly secret: string; readonly session: Session }>;
  /** A link that signs in once with this token, and not after `expiresAt`. */
  createLink(tokenSha256: string): Promise<{ readonly secret: string; readonly expiresAt: Instant }>;
  /** The token of a link, which cannot be used again. Undefined: there is no such link, or no longer. */
  redeemLink(secret: string): Promise<string | undefined>;
  /** Undefined: there is none, or no longer. Rejects with StoreUnavailable when Redis does not answer. */
  find(secret: string, use: SessionUse): Promise<Session | undefined>;
  /**
   * False: there was none. Rejects with StoreUnavailable when Redis does not answer: then it has ended for this server, and ends for the others as
   * soon as Redis answers this one.
   */
  end(secret: string): Promise<boolean>;
}

/** A session without a request for this long ends. */
const idleMs = 12 * hourMs;
/** Longest life of a session, in ms. */
export const maxSessionMs = 7 * dayMs;
/** Sessions of one token; one more ends the oldest. */
const maxPerToken = 20;
/** How long a session is believed without Redis. */
const awayMs = minuteMs;
const recheckMs = 5000;
/** Sessions are prolonged no more often than this. */
const prolongMs = minuteMs;
const maxRemembered = 2000;
const linkMs = 10 * minuteMs;
/** Tells the secret of a link from a token. */
const linkPrefix = "link_";

const lua = join(import.meta.dirname, "lua");

/** Starts a session; documented in its file. */
export const startSession = defineScript({
  path: join(lua, "start-session.lua"),
  keys: ["session", "sessionsOfToken"],
  args: ["sessionHash", "tokenHash", "createdAt", "idleMs", "maxMs", "maxPerToken"],
});

/** What sessions work with. */
export interface SessionDeps {
  readonly redis: Redis;
  readonly clock: Pick<Clock, "now">;
  readonly random: Pick<RandomSource, "token">;
}

/** What this process remembers of a session. `ended`: here, and secrets are never used again. */
type Remembered = "ended" | { readonly session: Session; readonly readAt: Instant };

/** See {@link Sessions}. */
export function createSessions({ redis, clock, random }: SessionDeps): Sessions {
  const remembered = new Map<string, Remembered>();
  /** Ended here while Redis was away. */
  const unended = new Set<string>();
  const remember = (hash: string, what: Remembered) => {
    remembered.delete(hash);
    remembered.set(hash, what);
    const [oldest] = remembered.keys();
    if (remembered.size > maxRemembered && oldest !== undefined) remembered.delete(oldest);
  };

  async function read(hash: string): Promise<Session | undefined> {
    const key = runKeys.session(hash);
    const [fields, ttl] = await available(() => Promise.all([redis.hmget(key, "token", "createdAt"), redis.pttl(key)]));
    const [tokenSha256, createdAt] = fields;
    if (typeof tokenSha256 !== "string" || typeof createdAt !== "string" || ttl <= 0) return undefined;
    const now = clock.now();
    const remainingMs = Number(createdAt) + maxSessionMs - now;
    const lifeMs = Math.min(idleMs, remainingMs);
    if (!(lifeMs > 0)) return undefined;
    if (ttl < lifeMs - prolongMs) await available(() => redis.pexpire(key, lifeMs));
    return { tokenSha256, expiresAt: now + Math.max(ttl, lifeMs) };
  }

  async function remove(hash: string): Promise<boolean> {
    const [tokenSha256] = await available(() => redis.hmget(runKeys.session(hash), "token"));
    const ended = await available(() => redis.del(runKeys.session(hash)));
    if (typeof tokenSha256 === "string") await available(() => redis.zrem(runKeys.sessionsOfToken(tokenSha256), hash));
    unended.delete(hash);
    return ended > 0;
  }

  return {
    async start(tokenSha256) {
      const secret = random.token();
      const sessionHash = sha256(secret);
      const createdAt = clock.now();
      await available(() =>
        startSession.run(redis, {
          keys: { session: runKeys.session(sessionHash), sessionsOfToken: runKeys.sessionsOfToken(tokenSha256) },
          args: { sessionHash, tokenHash: tokenSha256, createdAt, idleMs, maxMs: maxSessionMs, maxPerToken },
        }),
      );
      return { secret, session: { tokenSha256, expiresAt: createdAt + idleMs } };
    },
    async createLink(tokenSha256) {
      const secret = `${linkPrefix}${random.token()}`;
      await available(() => redis.set(runKeys.signInLink(sha256(secret)), tokenSha256, "PX", linkMs));
      return { secret, expiresAt: clock.now() + linkMs };
    },
    async redeemLink(secret) {
      if (!secret.startsWith(linkPrefix)) return undefined;
      return (await available(() => redis.getdel(runKeys.signInLink(sha256(secret))))) ?? undefined;
    },
    async find(secret, use) {
      const hash = sha256(secret);
      const before = remembered.get(hash);
      if (before === "ended") return undefined;
      const isRecent = (ms: number) => before !== undefined && clock.now() - before.readAt <= ms && clock.now() < before.session.expiresAt;
      if (use === "recheck" && isRecent(recheckMs)) return before?.session;
      try {
        const readAt = clock.now();
        const session = await read(hash);
        for (const one of unended) await remove(one);
        if (remembered.get(hash) === "ended") return undefined;
        if (session === undefined) remembered.delete(hash);
        else remember(hash, { session, readAt });
        return session;
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || use === "change" || remembered.get(hash) === "ended" || !isRecent(awayMs)) throw error;
        return before?.session;
      }
    },
    async end(secret) {
      const hash = sha256(secret);
      remember(hash, "ended");
      if (unended.size < maxRemembered) unended.add(hash);
      return remove(hash);
    },
  };
}
