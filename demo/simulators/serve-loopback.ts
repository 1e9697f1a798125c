import { createServer, type RequestListener } from "node:http";

/** A server on loopback. Disposing ends every connection. */
export interface LoopbackServer extends AsyncDisposable {
  readonly url: string;
}

/** Serves on loopback; port 0, the default, takes any free one. Rejects when the port is taken. */
export async function serveLoopback(listener: RequestListener, port = 0): Promise<LoopbackServer> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error(`The server listens on ${address}, not on a port.`);
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
