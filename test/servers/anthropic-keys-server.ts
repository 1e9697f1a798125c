import type { IncomingMessage, ServerResponse } from "node:http";
import { z } from "zod";
import { serveLoopback } from "../../demo/simulators/serve-loopback.ts";
import { answerFault, type HttpFaults } from "./http-faults.ts";

/** Behaviors of Anthropic's Admin API that a caller must survive, each behind a switch. */
export interface AnthropicKeysQuirks extends HttpFaults {
  /** 403: the Admin key may read and not write. */
  readOnly: boolean;
  /** Answers 200 with the key as it was. */
  ignored: boolean;
  /** Answers 500 after the change was made. */
  answerLost: boolean;
  /** A proxy in front of it answers 404 of its own. */
  wrongAddress: boolean;
  /** Answers for another key. */
  mixedUp: boolean;
}

type Status = "active" | "inactive" | "archived" | "expired";

/** The keys of an organization at Anthropic. */
export interface AnthropicKeysServer extends AsyncDisposable {
  readonly url: string;
  readonly adminKey: string;
  readonly quirks: AnthropicKeysQuirks;
  /** Status of each key by its id. */
  readonly keys: Map<string, Status>;
  /** Methods and paths in order. */
  readonly requests: readonly string[];
}

const bodySchema = z.object({ status: z.enum(["active", "inactive", "archived"]).optional(), name: z.string().min(1).max(500).optional() });

/** Speaks `/v1/organizations/api_keys/{id}` with an Admin key. https://platform.claude.com/docs/en/api/admin/api_keys */
export async function startAnthropicKeys(): Promise<AnthropicKeysServer> {
  const keys = new Map<string, Status>();
  const requests: string[] = [];
  const adminKey = "sk-ant-admin01-0123456789abcdef";
  const quirks: AnthropicKeysQuirks = {
    fault: undefined,
    readOnly: false,
    ignored: false,
    answerLost: false,
    wrongAddress: false,
    mixedUp: false,
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (answerFault(quirks, request, response)) return;
    const { pathname } = new URL(request.url ?? "/", "http://anthropic.invalid");
    requests.push(`${request.method ?? ""} ${pathname}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const answer = (status: number, body: unknown) =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const refuse = (status: number, type: string, message: string) =>
      answer(status, { type: "error", error: { type, message }, request_id: "req_1" });
    const given = request.headers["x-api-key"];
    if (quirks.wrongAddress) return answer(404, { detail: "Not Found" });
    if (given !== adminKey) return refuse(401, "authentication_error", `invalid x-api-key ${String(given)}`);
    if (request.headers["anthropic-version"] !== "2023-06-01")
      return refuse(400, "invalid_request_error", "anthropic-version: header is required");
    const id = /^\/v1\/organizations\/api_keys\/([^/]+)$/.exec(pathname)?.[1] ?? "";
    const status = keys.get(id);
    if (status === undefined) return refuse(404, "not_found_error", `API key ${id} not found`);
    const shown = (now: Status) => ({
      type: "api_key",
      id: quirks.mixedUp ? `${id}x` : id,
      name: "an application",
      status: now,
      partial_key_hint: "sk-ant-api03-R2D...igAA",
      created_at: "2026-01-05T12:00:00Z",
      created_by: null,
      expires_at: null,
      principal: null,
      scope: { type: "organization" },
    });
    if (request.method === "GET") return answer(200, shown(status));
    const body = bodySchema.safeParse(JSON.parse(Buffer.concat(chunks).toString("utf8")));
    if (request.method !== "POST" || !body.success)
      return refuse(400, "invalid_request_error", "status: Input should be 'active', 'inactive' or 'archived'");
    if (quirks.readOnly) return refuse(403, "permission_error", "Your key may not do this.");
    if (!quirks.ignored) keys.set(id, body.data.status ?? status);
    if (quirks.answerLost) return refuse(500, "api_error", "Internal server error");
    answer(200, shown(keys.get(id) ?? status));
  };

  const server = await serveLoopback((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  return { url: server.url, adminKey, quirks, keys, requests, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
