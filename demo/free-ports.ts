import { createServer } from "node:net";

async function takePort(): Promise<{ readonly port: number; readonly release: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("A TCP server has no port.");
  const release = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  return { port: address.port, release };
}

/** So many different TCP ports of the loopback interface that were free a moment ago. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const taken = await Promise.all(Array.from({ length: count }, takePort));
  await Promise.all(taken.map(({ release }) => release()));
  return taken.map(({ port }) => port);
}

/** One TCP port of the loopback interface that was free a moment ago. Prefer port 0 wherever the program under test can report what it got. */
export async function freePort(): Promise<number> {
  const { port, release } = await takePort();
  await release();
  return port;
}
