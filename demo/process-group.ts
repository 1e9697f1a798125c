import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One program that the demo started. Its output goes to its own log file. */
export interface StartedProcess {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** True until the process is gone. */
  isAlive(): boolean;
  /** Resolves when the process is gone, with a sentence that says how. */
  readonly gone: Promise<string>;
  signal(name: NodeJS.Signals): void;
  /** Sends a message to a Node child that was started with `messages`. */
  send(message: object): void;
  /** The last characters of its log. */
  tail(characters?: number): string;
  /** Ends it in order, and by force after five seconds. */
  stop(): Promise<void>;
}

/** What to start. */
export interface ProcessOptions {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Its working directory; this process's own by default. */
  readonly cwd?: string;
  /** Opens a message channel to a Node child; the child ends when it is closed. */
  readonly messages?: boolean;
}

/** Everything that runs for one demo. Disposing it ends what is left, youngest first, each by its own process id. */
export interface ProcessGroup extends AsyncDisposable {
  start(options: ProcessOptions): StartedProcess;
  readonly all: readonly StartedProcess[];
}

const graceMs = 5000;

/** Programs inherit nothing of the environment but what makes programs run at all: a setting of the user must not leak into the demo. */
function baseEnvironment(): Record<string, string> {
  const names = ["PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH"];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])));
}

function sentenceOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}

/** An empty group; logs go to `logFolder`. */
export function createProcessGroup(logFolder: string): ProcessGroup {
  const all: StartedProcess[] = [];
  const children = new Set<ChildProcess>();
  // The last resort when this process ends without having disposed the group.
  const killAll = () => {
    for (const child of children) child.kill("SIGKILL");
  };
  process.once("exit", killAll);

  return {
    all,
    start({ name, program, args, env = {}, cwd, messages = false }) {
      const logFile = join(logFolder, `${name}.log`);
      const log = openSync(logFile, "a");
      const child = spawn(program, args, {
        env: { ...baseEnvironment(), ...env },
        ...(cwd !== undefined && { cwd }),
        stdio: messages ? ["ignore", log, log, "ipc"] : ["ignore", log, log],
      });
      closeSync(log);
      children.add(child);
      const gone = new Promise<string>((resolve) => {
        child.once("error", (error) => {
          children.delete(child);
          resolve(`could not be started: ${error.message}`);
        });
        child.once("exit", (code, signal) => {
          children.delete(child);
          resolve(sentenceOf(code, signal));
        });
      });
      // A message to a child that is just ending is not worth a crash; `gone` tells what became of it.
      child.on("error", () => undefined);
      const started: StartedProcess = {
        name,
        pid: child.pid ?? -1,
        logFile,
        gone,
        isAlive: () => children.has(child),
        signal: (signal) => {
          child.kill(signal);
        },
        send: (message) => {
          if (child.connected) child.send(message);
        },
        tail: (characters = 1500) => readFileSync(logFile, "utf8").slice(-characters),
        async stop() {
          if (!children.has(child)) return;
          child.kill("SIGTERM");
          const force = setTimeout(() => child.kill("SIGKILL"), graceMs);
          await gone;
          clearTimeout(force);
        },
      };
      all.push(started);
      return started;
    },
    async [Symbol.asyncDispose]() {
      for (const started of all.toReversed()) await started.stop();
      process.off("exit", killAll);
    },
  };
}
