import { rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";

/** What the program under test reports of one run, on the machine's monotonic clock in milliseconds. */
export interface Observation {
  firstAt?: number;
  doneAt?: number;
  /** How often each was reported: more than one is an effect seen twice. */
  firsts: number;
  dones: number;
}

/** Listens on a unix socket for lines `first|done <id> <monotonic ns>`. A stream, because datagrams are dropped in a storm. */
export interface Observer extends AsyncDisposable {
  readonly path: string;
  /** Forgets everything, and expects this number of finished runs. Resolves when they are, or rejects after `timeoutMs`. */
  expect(count: number, timeoutMs: number): { readonly runs: ReadonlyMap<string, Observation>; readonly finished: Promise<void> };
}

/** Now, on the clock that the programs under test report. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Starts to listen on `path`. */
export async function createObserver(path: string): Promise<Observer> {
  let runs = new Map<string, Observation>();
  let remaining = 0;
  let settle: (() => void) | undefined;
  const sockets = new Set<Socket>();

  const read = (line: string): void => {
    const [what, id = "", ns = "0"] = line.split(" ");
    const at = Number(ns) / 1e6;
    const run = runs.get(id) ?? { firsts: 0, dones: 0 };
    runs.set(id, run);
    if (what === "first") {
      run.firsts += 1;
      run.firstAt ??= at;
      return;
    }
    run.dones += 1;
    if (run.dones > 1) return;
    run.doneAt = at;
    remaining -= 1;
    if (remaining === 0) settle?.();
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    let rest = "";
    socket.setEncoding("utf8").on("data", (chunk) => {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) read(line);
    });
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));

  return {
    path,
    expect(count, timeoutMs) {
      runs = new Map();
      remaining = count;
      const finished = new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`${remaining} of ${count} runs did not finish in ${timeoutMs} ms`)), timeoutMs);
        settle = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      return { runs, finished };
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      rmSync(path, { force: true });
    },
  };
}
