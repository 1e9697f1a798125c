import { createHash } from "node:crypto";
import type { Flag } from "../../packages/sdk/src/wire/flags.ts";

/** A runbookd that serves flags and nothing else, as a fetch. */
export interface FlagServing {
  readonly fetch: typeof fetch;
  /** What is served, by key. Values of another shape stand for a damaged answer. */
  readonly flags: Map<string, unknown>;
  /** Requests for flags, in order. */
  readonly asked: { readonly keys: readonly string[]; readonly held: string; readonly follower: string; readonly status: number }[];
  /** Bodies of reports of requests, in order. */
  readonly reports: unknown[];
  /** `silent`: the connection is refused. A number: every answer has that status. `lost`: reports arrive and their answers do not. */
  trouble: "silent" | "lost" | number | undefined;
  /** Requests with more keys are answered 400, and so is any with one of `badKeys`. */
  maxKeys: number;
  readonly badKeys: Set<string>;
}

/** Serves `flags`, each under its key. */
export function serveFlags(...flags: readonly Flag[]): FlagServing {
  const serving: FlagServing = {
    flags: new Map(flags.map((flag) => [flag.key, flag])),
    asked: [],
    reports: [],
    trouble: undefined,
    maxKeys: 50,
    badKeys: new Set(),
    fetch: async (input, init) => {
      const request = new Request(input, init);
      if (serving.trouble === "silent") throw new TypeError("fetch failed");
      if (typeof serving.trouble === "number") return Response.json({ title: "No.", detail: "Not now." }, { status: serving.trouble });
      const { pathname, searchParams } = new URL(request.url);
      if (request.method === "POST" && pathname === "/api/features/requests") {
        serving.reports.push(await request.json());
        if (serving.trouble === "lost") throw new TypeError("fetch failed");
        return Response.json({ result: "counted" });
      }
      if (request.method !== "GET" || pathname !== "/api/flags/served")
        return Response.json({ title: "No.", detail: "?" }, { status: 404 });
      const keys = (searchParams.get("keys") ?? "").split(",");
      const answer = (status: number, body: unknown, headers: Record<string, string> = {}): Response => {
        const { headers: sent } = request;
        serving.asked.push({ keys, held: sent.get("runbookd-held") ?? "", follower: sent.get("runbookd-follower") ?? "", status });
        return status === 304 ? new Response(null, { status, headers }) : Response.json(body, { status, headers });
      };
      if (keys.length > serving.maxKeys || keys.some((key) => serving.badKeys.has(key))) {
        return answer(400, { title: "It does not fit.", detail: "keys" });
      }
      const body = { flags: keys.flatMap((key) => (serving.flags.has(key) ? [serving.flags.get(key)] : [])) };
      const etag = `"${createHash("sha256").update(JSON.stringify(body)).digest("hex").slice(0, 32)}"`;
      return request.headers.get("if-none-match") === etag ? answer(304, undefined, { etag }) : answer(200, body, { etag });
    },
  };
  return serving;
}
