import { type RequestListener } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "@jest/globals";
import { serveLoopback } from "../../../demo/simulators/serve-loopback.ts";
import { createSystemClock } from "../../core/clock.ts";
import { createHttpClient } from "../../integrations/http/create-http-client.ts";
import { type BoundedSender, createBoundedSender, type RequestLimits } from "./bounded-request.ts";

const limits: RequestLimits = { connectMs: 500, headersMs: 300, bodyMs: 300, totalMs: 1000, maxBytes: 1000 };
const releases: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release();
});

function aSender(): BoundedSender {
  const sender = createBoundedSender(limits, { clock: createSystemClock() });
  releases.push(() => sender.close());
  return sender;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = await serveLoopback(listener);
  releases.push(async () => server[Symbol.asyncDispose]());
  return server.url;
}

async function serveTcp(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  releases.push(
    () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  );
  const address = server.address();
  return `http://127.0.0.1:${address !== null && typeof address === "object" ? address.port : 0}`;
}

const post = (sender: BoundedSender, url: string, signal = new AbortController().signal) =>
  sender.send({ method: "POST", url, headers: {}, body: "x", signal });

describe("answers", () => {
  it("gives status, headers, body and when to come back", async () => {
    const url = await serve((_request, response) => response.writeHead(429, { "retry-after": "2", "x-a": "b" }).end("slow"));
    expect(await post(aSender(), url)).toMatchObject({
      kind: "answered",
      status: 429,
      headers: { "x-a": "b" },
      body: "slow",
      truncated: false,
      retryAfterMs: 2000,
    });
  });

  it("cuts a body at its limit and never receives the rest", async () => {
    let sent = 0;
    const url = await serve((_request, response) => {
      const more = () => {
        sent += 65_536;
        if (!response.destroyed && sent < 1e9) response.write(Buffer.alloc(65_536, 120), () => setImmediate(more));
      };
      more();
    });
    const answer = await post(aSender(), url);
    expect(answer).toMatchObject({ kind: "answered", truncated: true });
    expect(answer.kind === "answered" && answer.body).toHaveLength(1000);
    expect(sent).toBeLessThan(1e8);
  });

  it("follows no redirect", async () => {
    let followed = 0;
    const url = await serve((request, response) => {
      if (request.url === "/secret") followed += 1;
      response.writeHead(302, { location: "/secret" }).end();
    });
    expect(await post(aSender(), url)).toMatchObject({ kind: "answered", status: 302 });
    expect(followed).toBe(0);
  });
});

describe("failures", () => {
  it("is not applied when nothing listens", async () => {
    expect(await post(aSender(), "http://127.0.0.1:1/")).toMatchObject({
      kind: "failed",
      failure: { reason: "not_reachable", applied: "no" },
    });
  });

  it("is not applied when the name does not exist", async () => {
    expect(await post(aSender(), "http://nothing.invalid/")).toMatchObject({ kind: "failed", failure: { applied: "no" } });
  });

  it("is not applied when TLS does not start", async () => {
    const url = await serve((_request, response) => response.end());
    expect(await post(aSender(), url.replace("http:", "https:"))).toMatchObject({
      kind: "failed",
      failure: { reason: "not_reachable", applied: "no" },
    });
  });

  it.each<[string, (socket: Socket) => void]>([
    ["it is reset after the request", (socket) => socket.once("data", () => socket.resetAndDestroy())],
    ["it ends without an answer", (socket) => socket.once("data", () => socket.end())],
    ["the answer is no HTTP", (socket) => socket.once("data", () => socket.end("hello\r\n\r\n"))],
    [
      "half of the body is missing",
      (socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")),
    ],
    ["no answer comes", (socket) => socket.resume()],
    ["the body stops", (socket) => socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf"))],
    [
      "the body trickles",
      (socket) =>
        socket.once("data", () => {
          socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n");
          const timer = setInterval(() => socket.write("x"), 50);
          socket.on("close", () => clearInterval(timer));
        }),
    ],
  ])("is unknown when %s", async (_name, onSocket) => {
    const url = await serveTcp(onSocket);
    expect(await post(aSender(), url)).toMatchObject({ kind: "failed", failure: { applied: "unknown" } });
  });

  it.each([
    ["one header of 40 kB", { "x-a": "x".repeat(40_000) }],
    ["a hundred headers of 8 kB", Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`x-${index}`, "x".repeat(8000)]))],
  ])("is unknown when the answer comes with %s", async (_name, headers) => {
    const url = await serve((_request, response) => response.writeHead(200, headers).end("ok"));
    expect(await post(aSender(), url)).toMatchObject({ kind: "failed", failure: { applied: "unknown" } });
  });

  it("is unknown when the attempt is cut off", async () => {
    const url = await serveTcp((socket) => socket.resume());
    expect(await post(aSender(), url, AbortSignal.timeout(50))).toMatchObject({
      kind: "failed",
      failure: { reason: "timeout", applied: "unknown" },
    });
  });

  it("never tells the URL, which may hold a secret", async () => {
    const answer = await post(aSender(), "http://127.0.0.1:1/?token=s3cret");
    expect(JSON.stringify(answer)).not.toContain("s3cret");
  });
});

it("carries the requests of the allowed origin", async () => {
  const url = await serve((request, response) => response.end(`${request.method} ${String(request.headers["idempotency-key"])}`));
  const client = createHttpClient({ allow: [url], limits, clock: createSystemClock() });
  releases.push(() => client.close());
  const signal = new AbortController().signal;
  expect(await client.request({ method: "PUT", url: `${url}/x`, headers: { "idempotency-key": "k" }, body: "b", signal })).toMatchObject({
    status: 200,
    body: "PUT k",
  });
});
