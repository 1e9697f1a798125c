import { connect } from "node:net";
import { describe, expect, it } from "@jest/globals";
import { createSystemClock } from "../../core/clock.ts";
import { keepConnection } from "./connection-limits.ts";
import { createHttpServer } from "./create-http-server.ts";
import { createMetricsServer } from "./create-metrics-server.ts";

const clock = createSystemClock();
const anywhere = { host: "127.0.0.1", port: 0 };

describe("an HTTP server", () => {
  it("says on which port it listens when any was asked for, and rejects a port that is taken", async () => {
    const server = await createHttpServer((_request, response) => response.end("here"), anywhere, clock);
    const { port } = server.address;
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("here");
    await expect(createHttpServer(() => undefined, { host: "127.0.0.1", port }, clock)).rejects.toThrow("EADDRINUSE");
    await server.close();
  });

  it("lets a request in flight end when it closes, and takes no new one", async () => {
    let release: () => void = () => undefined;
    let enter: () => void = () => undefined;
    const entered = new Promise<void>((resolve) => (enter = resolve));
    const server = await createHttpServer(
      (_request, response) => {
        release = () => response.end("finished");
        enter();
      },
      anywhere,
      clock,
    );
    const url = `http://127.0.0.1:${server.address.port}/`;
    const inFlight = fetch(url).then(async (response) => response.text());
    await entered;
    const closed = server.close(60_000);
    await expect(fetch(url)).rejects.toThrow("fetch failed");
    release();
    expect(await inFlight).toBe("finished");
    await closed;
  });

  it("cuts what is still open when its grace is over, and may be closed twice", async () => {
    const server = await createHttpServer(() => undefined, anywhere, clock);
    const hanging = fetch(`http://127.0.0.1:${server.address.port}/`).then(
      () => "answered",
      () => "cut",
    );
    const socket = connect(server.address.port, "127.0.0.1");
    const gone = new Promise((resolve) => socket.once("close", resolve).once("error", resolve));
    await new Promise((resolve) => socket.once("connect", resolve));
    await Promise.all([server.close(0), server.close(0)]);
    expect(await hanging).toBe("cut");
    await gone;
  });
});

describe("the metrics listener", () => {
  it("answers GET /metrics and nothing else", async () => {
    let broken = false;
    const registry = {
      contentType: "text/plain; version=0.0.4",
      metrics: async () => {
        if (broken) throw new Error("a collector's secret");
        return "up 1\n";
      },
    };
    const server = await createMetricsServer(registry, anywhere, clock);
    const base = `http://127.0.0.1:${server.address.port}`;
    const answer = await fetch(`${base}/metrics`);
    expect([answer.status, answer.headers.get("content-type"), await answer.text()]).toEqual([200, "text/plain; version=0.0.4", "up 1\n"]);
    expect((await fetch(`${base}/api/runs`)).status).toBe(404);
    expect((await fetch(`${base}/metrics`, { method: "POST" })).status).toBe(404);
    broken = true;
    const failed = await fetch(`${base}/metrics`);
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toContain("secret");
    await server.close();
  });
});

describe("the connections of one address", () => {
  /** What became of so many connections: opened, or ended at once. */
  async function open(port: number, count: number, localAddress = "127.0.0.1") {
    const sockets = Array.from({ length: count }, () => connect({ port, host: "127.0.0.1", localAddress }));
    const ended = sockets.map(
      async (socket) => new Promise<boolean>((resolve) => socket.on("error", () => undefined).once("close", () => resolve(true))),
    );
    await Promise.all(sockets.map(async (socket) => new Promise((resolve) => socket.once("connect", resolve).once("close", resolve))));
    const endedSoon = await Promise.all(ended.map(async (one) => Promise.race([one, clock.sleep(500).then(() => false)])));
    return { sockets, ended: endedSoon.filter(Boolean).length };
  }

  it("are half of all at most while no token was shown, and leave room for another's", async () => {
    const server = await createHttpServer((_request, response) => response.end("here"), anywhere, clock);
    const greedy = await open(server.address.port, 700);
    expect(greedy.ended).toBe(200);
    expect((await open(server.address.port, 20, "127.0.0.2")).ended).toBe(0);
    for (const socket of greedy.sockets) socket.destroy();
    await clock.sleep(100);
    expect((await open(server.address.port, 20)).ended).toBe(0);
    await server.close(0);
  });

  it("are not counted when they are a trusted proxy's, or once a token was shown", async () => {
    const proxied = await createHttpServer(() => undefined, { ...anywhere, trustedProxies: ["127.0.0.2", "127.0.0.0/30"] }, clock);
    expect((await open(proxied.address.port, 600)).ended).toBe(0);
    await proxied.close(0);
    const known = await createHttpServer(
      (request, response) => {
        keepConnection(request.socket);
        response.end();
      },
      anywhere,
      clock,
    );
    const { sockets } = await open(known.address.port, 500);
    await Promise.all(
      sockets.map(async (socket) => {
        socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
        return new Promise((resolve) => socket.once("data", resolve));
      }),
    );
    expect((await open(known.address.port, 400)).ended).toBe(0);
    await known.close(0);
  });
});
