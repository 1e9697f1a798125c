import { type ChildProcess, fork } from "node:child_process";
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { z } from "zod";
import { createSystemClock } from "../../src/core/clock.ts";
import { waitUntil } from "../wait-until.ts";
import { endWithStarter } from "../workload/host-process.ts";
import { checkOutCommit } from "./check-out-commit.ts";

/*
 * Keeps the processes of the application running, as a process manager does. `PUT /releases/{key}` with `{sha}` puts a commit into service: it is checked out, and
 * one process after the other is ended and started anew. The same key again begins nothing. `GET /releases/{key}` says how far it is.
 */

const settings = z
  .looseObject({
    SUPERVISOR_PORT: z.coerce.number(),
    SUPERVISOR_GIT: z.string(),
    SUPERVISOR_ORIGIN: z.string(),
    /** Folder for the releases. */
    SUPERVISOR_FOLDER: z.string(),
    /** A line of JSON for each release that was begun, and for each that is in service. */
    SUPERVISOR_LOG: z.string(),
    /** Ports of the processes, with commas between. */
    SUPERVISOR_PORTS: z.string(),
  })
  .parse(process.env);

const graceMs = 5000;
const startMs = 60_000;

interface Release {
  readonly sha: string;
  state: "running" | "done" | "failed";
  fault?: string;
}

const clock = createSystemClock();
const ending = new AbortController();
const ports = settings.SUPERVISOR_PORTS.split(",").map(Number);
const processes = new Map<number, ChildProcess>();
const releases = new Map<string, Release>();
let queue: Promise<void> = Promise.resolve();

function record(line: object): void {
  appendFileSync(settings.SUPERVISOR_LOG, `${JSON.stringify({ at: clock.now(), ...line })}\n`);
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), graceMs);
  await gone;
  clearTimeout(force);
}

async function start(port: number, release: { readonly folder: string; readonly sha: string }): Promise<number> {
  await stop(processes.get(port));
  const child = fork(join(import.meta.dirname, "desk-process.js"), [], {
    env: { ...process.env, DESK_RELEASE: release.folder, DESK_SHA: release.sha, DESK_PORT: String(port) },
  });
  processes.set(port, child);
  const answers = async () => {
    if (child.exitCode !== null) return "gone" as const;
    const response = await fetch(`http://127.0.0.1:${port}/version`, { signal: AbortSignal.timeout(2000) });
    return z.object({ sha: z.literal(release.sha) }).safeParse(await response.json()).success ? ("up" as const) : undefined;
  };
  const state = await waitUntil(clock, `The process at port ${port} did not start`, answers, { withinMs: startMs, signal: ending.signal });
  if (state === "gone") throw new Error(`The process at port ${port} ended at once.`);
  return child.pid ?? 0;
}

async function put(key: string, release: Release): Promise<void> {
  record({ kind: "begun", key, sha: release.sha });
  try {
    const folder = join(settings.SUPERVISOR_FOLDER, `${releases.size}-${release.sha.slice(0, 12)}`);
    const sha = await checkOutCommit({ git: settings.SUPERVISOR_GIT, origin: settings.SUPERVISOR_ORIGIN, sha: release.sha, folder });
    const pids: number[] = [];
    for (const port of ports) pids.push(await start(port, { folder, sha }));
    release.state = "done";
    record({ kind: "in_service", key, sha, pids });
  } catch (error) {
    release.state = "failed";
    release.fault = error instanceof Error ? error.message : String(error);
    record({ kind: "failed", key, sha: release.sha, fault: release.fault });
  }
}

const bodySchema = z.object({ sha: z.string().regex(/^[0-9a-f]{40}$/) });

const server = createServer((request, response) => {
  const answer = (status: number, body: unknown) =>
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const key = decodeURIComponent(/^\/releases\/([^/?]{1,300})$/.exec(request.url ?? "")?.[1] ?? "");
  if (key === "") return answer(404, {});
  if (request.method === "GET") return answer(releases.has(key) ? 200 : 404, releases.get(key) ?? {});
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const wanted = bodySchema.safeParse(JSON.parse(Buffer.concat(chunks).toString("utf8") || "null"));
    if (!wanted.success) return answer(400, { fault: "A release needs a full commit id." });
    const release = releases.get(key) ?? { sha: wanted.data.sha, state: "running" };
    if (release.sha !== wanted.data.sha) return answer(409, { fault: "This key has put another commit into service." });
    if (!releases.has(key)) {
      releases.set(key, release);
      queue = queue.then(async () => put(key, release));
    }
    return answer(202, release);
  });
});
server.listen(settings.SUPERVISOR_PORT, "127.0.0.1");

endWithStarter(async () => {
  ending.abort(new Error("The demo ends."));
  server.close();
  server.closeAllConnections();
  await Promise.all([...processes.values()].map(stop));
});
