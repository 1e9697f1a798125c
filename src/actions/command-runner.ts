import type { CommandTemplate } from "../core/command-template.ts";

/** A command to start. `cookie` marks every process that comes from it, so that none is forgotten. */
export interface CommandStart {
  /** Begins with an absolute path. */
  readonly argv: readonly string[];
  /** Exactly this and the cookie. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly cookie: string;
  /** Aborted at the time limit, by a stop, or when another worker has claimed the run: the command is killed then. */
  readonly signal: AbortSignal;
}

/** One output stream: its beginning and its end without secrets, and what identifies all of it. */
export interface CommandStream {
  readonly text: string;
  /** Its last characters, at most 16,384; the same as `text` when it is short. */
  readonly tail: string;
  readonly truncated: boolean;
  readonly bytes: number;
  readonly sha256: string;
}

/** How a command ended. `left`: processes of it were still there and had to be killed. */
export type CommandOutcome =
  | { readonly kind: "not_started"; readonly reason: string }
  | {
      readonly kind: "exited";
      readonly code: number;
      readonly hasOrphans: boolean;
      readonly stdout: CommandStream;
      readonly stderr: CommandStream;
    }
  | {
      readonly kind: "killed";
      readonly why: "timeout" | "stopped" | "signal";
      readonly signal: string;
      readonly stdout: CommandStream;
      readonly stderr: CommandStream;
    };

/** Runs registered commands. Never rejects for what a command does. */
export interface CommandRunner {
  template(name: string): CommandTemplate | undefined;
  /** The real place of a relative path, when it exists and is below the real place of `root`. */
  placeBelow(root: string, path: string): Promise<string | undefined>;
  /** Resolves only after every process of the command is gone. */
  run(command: CommandStart): Promise<CommandOutcome>;
}
