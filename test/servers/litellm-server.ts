import { createHash } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { serveLoopback } from "../../demo/simulators/serve-loopback.ts";
import { answerFault, type HttpFaults } from "./http-faults.ts";

/** Behaviors of LiteLLM that a caller must survive, each behind a switch. */
export interface LiteLlmQuirks extends HttpFaults {
  /** Blocking a key that there is not: 404 with an audit log, 401 without one, as a wrong key of ours is answered. */
  auditLogs: boolean;
  /** The proxy has no database: every management call is 500. */
  noDatabase: boolean;
  /** The key that asks may read keys and not block them. */
  notAdmin: boolean;
  /** The row is written back as it was right after it was blocked. */
  blockLost: boolean;
  /** Of a key that was never blocked, `blocked` is false and not null. */
  neverNull: boolean;
  /** A proxy in front of it answers 404 with a page. */
  wrongAddress: boolean;
}

interface CachedKey {
  readonly blocked: boolean;
  readonly until: number;
}

/** A LiteLLM proxy of several workers, each with a cache of keys, behind one address that takes them in turn. */
export interface LiteLlmServer extends AsyncDisposable {
  readonly url: string;
  readonly masterKey: string;
  readonly quirks: LiteLlmQuirks;
  /** Paths with their queries, and bodies, in order. */
  readonly requests: readonly string[];
  /** Makes a key with this text, and resolves with its hashed token. */
  addKey(text: string): string;
  remove(token: string): void;
  /** Whether a worker lets a request with the key in; it fills that worker's cache. */
  isAccepted(worker: number, text: string): boolean;
  /** Begins a request at a worker; its end writes the key back as the request found it. */
  begin(worker: number, text: string): () => void;
  /** Milliseconds pass. */
  pass(ms: number): void;
}

const cacheMs = 60_000;

/**
 * Speaks the management of virtual keys with the master key as Bearer: `/key/info`, which without a key describes the key that asks, and `/key/block`, which
 * changes the database and the cache of the worker that takes it. https://github.com/BerriAI/litellm
 */
export async function startLiteLlm(workers = 2): Promise<LiteLlmServer> {
  const rows = new Map<string, { blocked: boolean | null; readonly alias: string }>();
  const caches = Array.from({ length: workers }, () => new Map<string, CachedKey>());
  const requests: string[] = [];
  const masterKey = "sk-master-0123456789abcdef";
  const quirks: LiteLlmQuirks = {
    fault: undefined,
    auditLogs: false,
    noDatabase: false,
    notAdmin: false,
    blockLost: false,
    neverNull: false,
    wrongAddress: false,
  };
  let now = 0;
  let turn = 0;
  const lookUp = (worker: number, token: string): CachedKey | undefined => {
    const cached = caches[worker]?.get(token);
    if (cached !== undefined && cached.until > now) return cached;
    const row = rows.get(token);
    if (row === undefined) return undefined;
    const fresh = { blocked: row.blocked === true, until: now + cacheMs };
    caches[worker]?.set(token, fresh);
    return fresh;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (answerFault(quirks, request, response)) return;
    const worker = turn++ % workers;
    const url = new URL(request.url ?? "/", "http://litellm.invalid");
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString("utf8");
    requests.push(`${url.pathname}${url.search} ${text}`.trim());
    const answer = (status: number, body: unknown) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const refuse = (status: number, type: string, message: string) =>
      answer(status, { error: { message, type, param: "key", code: String(status) } });
    if (quirks.wrongAddress) return void response.writeHead(404, { "content-type": "text/html" }).end("<html>404</html>");
    const given = request.headers.authorization ?? "";
    if (given !== `Bearer ${masterKey}`)
      return refuse(401, "token_not_found_in_db", `Authentication Error, Invalid proxy server token passed. Received API Key = ${given}`);
    if (quirks.noDatabase) return refuse(500, "internal_server_error", "Database not connected. Connect a database to your proxy");
    const shown = (token: string, { blocked, alias }: { blocked: boolean | null; alias: string }) => ({
      key_name: "sk-...abcd",
      key_alias: alias,
      spend: 0.5,
      blocked: blocked ?? (quirks.neverNull ? false : null),
      token,
    });
    if (url.pathname === "/key/info" && request.method === "GET") {
      const asked = url.searchParams.get("key") ?? "";
      // It describes the key that asks, which is nobody's to disable.
      if (asked === "") return answer(200, { key: "sk-...cdef", info: { key_name: "sk-...cdef", blocked: false } });
      const row = rows.get(asked);
      if (row === undefined) return refuse(404, "not_found_error", `Key not found in database: ${asked}`);
      return answer(200, { key: asked, info: shown(asked, row) });
    }
    if (url.pathname !== "/key/block" || request.method !== "POST") return answer(404, { detail: "Not Found" });
    const body = z.object({ key: z.string() }).safeParse(JSON.parse(text));
    if (!body.success) return answer(422, { detail: body.error.issues });
    const token = body.data.key.startsWith("sk-") ? hashOf(body.data.key) : body.data.key;
    if (quirks.notAdmin) return refuse(401, "auth_error", `Only proxy admin can be used to block keys. Your key=${given}`);
    const row = rows.get(token);
    if (row === undefined) {
      if (quirks.auditLogs) return refuse(404, "bad_request_error", `Key ${body.data.key} not found`);
      return refuse(
        401,
        "token_not_found_in_db",
        `Authentication Error, Invalid proxy server token passed. key=${token}, not found in db.`,
      );
    }
    row.blocked = true;
    caches[worker]?.set(token, { blocked: true, until: now + cacheMs });
    answer(200, shown(token, row));
    if (quirks.blockLost) row.blocked = false;
  };

  const server = await serveLoopback((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  return {
    url: server.url,
    masterKey,
    quirks,
    requests,
    addKey(text) {
      const token = hashOf(text);
      rows.set(token, { blocked: null, alias: "an application" });
      return token;
    },
    remove: (token) => void rows.delete(token),
    isAccepted: (worker, text) => lookUp(worker, hashOf(text))?.blocked === false,
    begin(worker, text) {
      const token = hashOf(text);
      const seen = lookUp(worker, token);
      return () => {
        if (seen !== undefined) caches[worker]?.set(token, { ...seen, until: now + cacheMs });
      };
    },
    pass: (ms) => void (now += ms),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
