import { type IncomingMessage, type ServerResponse } from "node:http";
import { z } from "zod";
import { serveLoopback } from "../../demo/simulators/serve-loopback.ts";

/** Behaviours of Langfuse that a caller must survive, each behind a switch. */
export interface LangfuseQuirks {
  /** Answers 429 to so many requests first. */
  rateLimited: number;
  /** Answers 500 after the label has been moved: the answer is lost, the effect is not. */
  labelAnswerLost: boolean;
  /** Somebody else moves the same label to this version between our PATCH and our next look. */
  rivalLabels: number | undefined;
  /** Answers HTML, as a proxy in front of it does. */
  proxyPage: boolean;
  /** Rows of other people that stand first in every list. */
  oddRows: readonly unknown[];
  /** Versions of these prompts are shown without their text. */
  oddPrompts: readonly string[];
}

interface Version {
  readonly version: number;
  readonly labels: Set<string>;
  readonly body: { readonly type: string; readonly prompt: unknown; readonly config: unknown; readonly commitMessage: unknown };
}

/** A Langfuse on loopback, as far as prompts go. */
export interface LangfuseServer extends AsyncDisposable {
  readonly url: string;
  readonly quirks: LangfuseQuirks;
  /** Methods and paths in order. */
  readonly requests: readonly string[];
}

const postSchema = z.object({
  name: z.string().min(1),
  type: z.enum(["text", "chat"]).default("text"),
  prompt: z.unknown(),
  labels: z.array(z.string().regex(/^[a-z0-9_\-.]{1,36}$/)).default([]),
  config: z.unknown().default({}),
  commitMessage: z.string().max(500).nullish(),
});
const patchSchema = z.object({ newLabels: z.array(z.string().regex(/^[a-z0-9_\-.]{1,36}$/)) });

/**
 * Speaks `/api/public/v2/prompts` with Basic authentication: versions count up by name, `latest` is always on the newest and reserved, a label that is given is taken off
 * every other version, and none can be taken away. Default label of a GET is `production`.
 */
export async function startLangfuse(keys: { readonly publicKey: string; readonly secretKey: string }): Promise<LangfuseServer> {
  const prompts = new Map<string, Version[]>();
  const quirks: LangfuseQuirks = {
    rateLimited: 0,
    labelAnswerLost: false,
    rivalLabels: undefined,
    proxyPage: false,
    oddRows: [],
    oddPrompts: [],
  };
  const requests: string[] = [];
  const expected = `Basic ${Buffer.from(`${keys.publicKey}:${keys.secretKey}`).toString("base64")}`;

  const give = (versions: readonly Version[], target: Version, labels: readonly string[]) => {
    for (const label of labels) {
      for (const version of versions) version.labels.delete(label);
      target.labels.add(label);
    }
  };
  const shown = (name: string, { version, labels, body }: Version) => ({
    name,
    version,
    ...body,
    ...(quirks.oddPrompts.includes(name) && { prompt: null }),
    labels: [...labels],
    tags: [],
    createdAt: "2026-01-05T12:00:00.000Z",
    updatedAt: "2026-01-05T12:00:00.000Z",
    resolutionGraph: null,
  });

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? "/", "http://langfuse.invalid");
    const method = request.method ?? "GET";
    requests.push(`${method} ${url.pathname}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    const text = Buffer.concat(chunks).toString("utf8");
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    };
    const notFound = () => answer(404, { message: "Prompt not found", error: "LangfuseNotFoundError" });
    const invalid = (error: unknown) => answer(400, { message: "Invalid request data", error });

    if (quirks.proxyPage) return void response.writeHead(200, { "content-type": "text/html" }).end("<html>Sign in</html>");
    if (request.headers.authorization !== expected) return answer(401, { message: "Invalid credentials", error: "UnauthorizedError" });
    if (quirks.rateLimited > 0) {
      quirks.rateLimited -= 1;
      return answer(429, { message: "Rate limit exceeded" });
    }
    const path = /^\/api\/public\/v2\/prompts(?:\/([^/]+))?(?:\/versions\/(\d+))?$/.exec(url.pathname);
    if (path === null) return answer(404, { message: "Not found" });
    const name = path[1] === undefined ? undefined : decodeURIComponent(path[1]);

    if (name === undefined && method === "POST") {
      const parsed = postSchema.safeParse(JSON.parse(text));
      if (!parsed.success) return invalid(parsed.error.issues);
      const { name: own, labels, type, prompt, config, commitMessage } = parsed.data;
      const versions = prompts.get(own) ?? [];
      prompts.set(own, versions);
      const made = { version: versions.length + 1, labels: new Set<string>(), body: { type, prompt, config, commitMessage } };
      versions.push(made);
      give(versions, made, [...labels, "latest"]);
      return answer(201, shown(own, made));
    }
    if (name === undefined) {
      const filter = url.searchParams.get("name");
      const [page, limit] = [Number(url.searchParams.get("page") ?? 1), Number(url.searchParams.get("limit") ?? 10)];
      const all = [...prompts].filter(([own]) => filter === null || own === filter);
      const data = all.slice((page - 1) * limit, page * limit).map(([own, versions]) => ({
        name: own,
        type: versions.at(-1)?.body.type,
        versions: versions.map(({ version }) => version),
        labels: [...new Set(versions.flatMap(({ labels }) => [...labels]))],
        tags: [],
        lastUpdatedAt: "2026-01-05T12:00:00.000Z",
        lastConfig: {},
      }));
      return answer(200, {
        data: [...quirks.oddRows, ...data],
        meta: { page, limit, totalItems: all.length, totalPages: Math.ceil(all.length / limit) },
      });
    }
    const versions = prompts.get(name) ?? [];
    if (path[2] !== undefined && method === "PATCH") {
      const target = versions.find(({ version }) => version === Number(path[2]));
      const parsed = patchSchema.safeParse(JSON.parse(text));
      if (target === undefined) return notFound();
      if (!parsed.success || parsed.data.newLabels.includes("latest")) return invalid("newLabels");
      give(versions, target, parsed.data.newLabels);
      const rival = versions.find(({ version }) => version === quirks.rivalLabels);
      if (rival !== undefined) give(versions, rival, parsed.data.newLabels);
      if (quirks.labelAnswerLost) return answer(500, { message: "Internal Server Error" });
      return answer(200, shown(name, target));
    }
    const wantedVersion = url.searchParams.get("version");
    const wantedLabel = url.searchParams.get("label") ?? "production";
    const found = versions.find(({ version, labels }) =>
      wantedVersion === null ? labels.has(wantedLabel) : version === Number(wantedVersion),
    );
    return found === undefined ? notFound() : answer(200, shown(name, found));
  };

  const server = await serveLoopback((request, response) => {
    handle(request, response).catch(() => response.destroy());
  });
  return {
    url: server.url,
    quirks,
    requests,
    [Symbol.asyncDispose]: async () => server[Symbol.asyncDispose](),
  };
}
