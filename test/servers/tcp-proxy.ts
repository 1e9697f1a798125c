import { connect, createServer, type Socket } from "node:net";

/** One address in front of several servers, as a load balancer has it. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /** Where new connections lead; undefined refuses them. */
  target: number | undefined;
  /** Ends every connection in the middle of what it carries. */
  cut(): void;
  /** Connections that are open. */
  open(): number;
}

/** Listens on a free loopback port, or on `port`. */
export async function startTcpProxy(port = 0): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const state: { target: number | undefined } = { target: undefined };
  const server = createServer((near) => {
    if (state.target === undefined) return void near.destroy();
    const far = connect(state.target, "127.0.0.1");
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.once("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy listens on no port.");
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return Object.assign(state, {
    port: address.port,
    cut,
    open: () => sockets.size / 2,
    async [Symbol.asyncDispose]() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
