/**
 * A process of an application that asks `client.flags` of the SDK at every request whether its feature is on: 200 while it is, 403 while it is not. It prints
 * `off <UTC milliseconds>` when the flag goes off. Environment: FC_URL and FC_TOKEN of runbookd, FC_FLAG, FC_PORT to listen on; FC_STALE=yes puts a cache in
 * front of runbookd that passes every request on and answers with what it had first.
 */
import { createServer } from "node:http";
import { createRunbookdClient } from "../../packages/sdk/src/client.ts";

const { FC_URL: url = "", FC_TOKEN: token = "", FC_FLAG: flag = "", FC_PORT: port = "", FC_STALE: stale } = process.env;

let isFollowing = false;
let isKept = false;
const throughCache: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (!response.url.includes("/api/flags/served")) return response;
  if (isKept) {
    await response.arrayBuffer();
    return new Response(null, { status: 304 });
  }
  isKept = response.ok;
  return response;
};

const client = createRunbookdClient({ url, token, ...(stale === "yes" && { fetch: throughCache }) });
client.flags.watch((event) => {
  if (event.kind === "changed") void printOff();
});

async function printOff(): Promise<void> {
  const resolution = await client.flags.evaluate(flag);
  if (resolution.kind !== "resolved" || resolution.value !== true) process.stdout.write(`off ${Date.now()}\n`);
}

async function statusOf(path: string | undefined): Promise<number> {
  if (path === "/healthz") return isFollowing ? 200 : 503;
  return (await client.flags.enabled(flag)) ? 200 : 403;
}

const server = createServer((request, response) => {
  request.resume();
  void statusOf(request.url).then((status) => response.writeHead(status).end());
});
server.listen(Number(port), "127.0.0.1");
// Served first: waiting for runbookd alone does not keep a process alive.
await client.flags.follow([flag]);
isFollowing = true;
