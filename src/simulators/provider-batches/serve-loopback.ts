import { createServer } from "node:http";
import type { Express } from "express";

/** Serves an app on loopback; port 0 takes any free one. Rejects when the port is taken. Disposing ends every connection. */
export async function serveLoopback(app: Express, port: number): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(app);
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
