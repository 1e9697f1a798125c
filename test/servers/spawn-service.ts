import { spawn } from "node:child_process";

/** A program that serves until it is ended. */
export interface Service extends AsyncDisposable {
  readonly pid: number;
  /** What it printed so far, both streams; the last 20,000 characters. */
  output(): string;
  signal(name: NodeJS.Signals): void;
  /** Sends the signal and resolves once the process is gone. Harmless when it is gone already. */
  stop(name?: NodeJS.Signals): Promise<void>;
}

/**
 * Starts a program and resolves when `isReady` says so, asking every 20 ms.
 * Rejects with what the program printed when it ends early or is not ready within `withinMs` (15 s); nothing is left behind then.
 * `env`: variables beside those of this process.
 */
export async function spawnService(
  binary: string,
  args: readonly string[],
  isReady: () => Promise<boolean>,
  options: { readonly cwd?: string; readonly withinMs?: number; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<Service> {
  const child = spawn(binary, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  let text = "";
  const collect = (chunk: Buffer) => {
    text = (text + chunk.toString("utf8")).slice(-20_000);
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  let failure: Error | undefined;
  let ended = false;
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => {
      ended = true;
      resolve();
    });
    child.once("error", (error) => {
      failure = error;
      ended = true;
      resolve();
    });
  });
  // The last lines, which say why it ended, may come after its exit.
  const closed = new Promise((resolve) => child.once("close", resolve));
  // A crashed test must not leave servers behind.
  const onExit = () => {
    child.kill("SIGKILL");
  };
  process.once("exit", onExit);

  const stop = async (name: NodeJS.Signals = "SIGTERM") => {
    process.off("exit", onExit);
    if (ended) return;
    child.kill(name);
    const hard = setTimeout(() => child.kill("SIGKILL"), 5000);
    await gone;
    clearTimeout(hard);
  };

  const deadline = performance.now() + (options.withinMs ?? 15_000);
  while (!(await isReady())) {
    if (ended || performance.now() > deadline) {
      await stop("SIGKILL");
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 1000))]);
      throw new Error(`${binary} ${ended ? "ended" : "was not ready in time"}:\n${text}`, { cause: failure });
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    pid: child.pid ?? -1,
    output: () => text,
    signal: (name) => {
      child.kill(name);
    },
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}

/** Whether a GET of `url` answers 2xx at this moment. */
export async function isReadyAt(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
