import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

/** Where the build of the page is. */
export const consoleBuild = join(import.meta.dirname.replace(/(\/dist)?\/test\/servers$/u, ""), "dist/src/console");

/** One file of the build, as its manifest names it. Sizes are in bytes. */
export interface BuiltFile {
  readonly path: string;
  readonly file: string;
  readonly type: string;
  readonly bytes: number;
  readonly gzipBytes: number;
}

/** The manifest of the build. */
export function readManifest(): { readonly shell: string; readonly files: readonly BuiltFile[] } {
  return JSON.parse(readFileSync(join(consoleBuild, "manifest.json"), "utf8"));
}

const policy = [
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'",
  "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
].join("; ");

/** What the API answers: a body, or a status with the detail of a problem. */
export type ConsoleAnswer = { readonly body: unknown } | { readonly status: number; readonly detail: string; readonly problem?: string };

/** Answers by path, or by path and query; what is not read is named with its method, such as `POST /api/approvals/q_1`. */
export type ConsoleAnswers = ReadonlyMap<string, ConsoleAnswer>;

/** The built page over an API whose answers a test chooses. The token is `viewer-token`. */
export interface ConsoleServer extends AsyncDisposable {
  readonly url: string;
  /** May be changed while the page is open. */
  answers: ConsoleAnswers;
  /** Whether there is a feed. */
  isLive: boolean;
  /** Role of the reader. */
  role: "viewer" | "operator" | "approver" | "admin";
}

/** Serves the page under the policy that the product has, and the answers. */
export async function startConsoleServer(answers: ConsoleAnswers): Promise<ConsoleServer> {
  const { shell, files } = readManifest();
  const state: Pick<ConsoleServer, "answers" | "isLive" | "role"> = { answers, isLive: false, role: "approver" };
  const server = createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://localhost");
    const file = files.find(({ path }) => path === pathname);
    const send = (status: number, type: string, body: string | Buffer, headers = {}) =>
      response.writeHead(status, { "content-type": type, ...headers }).end(body);
    const problem = (status: number, detail: string) => send(status, "application/problem+json", JSON.stringify({ status, detail }));
    if (file !== undefined)
      return send(200, file.type, readFileSync(join(consoleBuild, `${file.file}.gz`)), { "content-encoding": "gzip" });
    if (!pathname.startsWith("/api/")) {
      return send(200, "text/html; charset=utf-8", readFileSync(join(consoleBuild, shell)), { "content-security-policy": policy });
    }
    const isSession = pathname === "/api/session";
    if (isSession && request.method === "POST") {
      if (request.headers.authorization !== "Bearer viewer-token") return problem(401, "Send a valid token.");
      const headers = { "set-cookie": "rb=1; HttpOnly; SameSite=Strict; Path=/" };
      return send(201, "application/json", JSON.stringify({ name: "ann", role: state.role }), headers);
    }
    if (request.headers.cookie !== "rb=1") return problem(401, "Send a valid token.");
    if (isSession && request.method === "DELETE")
      return send(200, "application/json", JSON.stringify({ ended: true }), { "set-cookie": "rb=; Max-Age=0; Path=/" });
    if (isSession) return send(200, "application/json", JSON.stringify({ name: "ann", role: state.role }));
    if (pathname === "/api/feed" && state.isLive)
      return response.writeHead(200, { "content-type": "text/event-stream" }).write("id: 1-0\nevent: ready\ndata: {}\n\n");
    const answer =
      request.method === "GET"
        ? (state.answers.get(`${pathname}${search}`) ?? state.answers.get(pathname))
        : state.answers.get(`${request.method} ${pathname}`);
    if (answer === undefined) return problem(404, "There is no such thing.");
    if ("body" in answer) return send(200, "application/json", JSON.stringify(answer.body));
    const type = answer.problem === undefined ? {} : { type: `urn:problem-type:runbookd:${answer.problem}` };
    return send(answer.status, "application/problem+json", JSON.stringify({ ...type, status: answer.status, detail: answer.detail }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server listens on no port.");
  return Object.assign(state, {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
