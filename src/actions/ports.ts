import type { Labels } from "../core/alert.ts";
import type { Instant } from "../core/clock.ts";
import type { Failure } from "../core/failure.ts";
import type { NotificationTarget } from "../core/notification.ts";
import type { Outbox } from "../core/outbox.ts";
import type { BudgetControl } from "../workload/budget.ts";
import type { CommandTemplate } from "./command-template.ts";

/** One sample of an instant query. The value may be NaN or infinite, as Prometheus gave it. */
export interface PrometheusSample {
  readonly labels: Labels;
  readonly value: number;
  readonly at: Instant;
}

/** An empty list of samples is an answer; `unavailable` means that nobody could see. */
export type PrometheusAnswer =
  | { readonly kind: "samples"; readonly samples: readonly PrometheusSample[]; readonly warnings: readonly string[] }
  | { readonly kind: "unavailable"; readonly reason: string };

/** Reads Prometheus. Never rejects for what Prometheus says or does not say. */
export interface PrometheusReader {
  query(promql: string, options: { readonly at?: Instant; readonly signal: AbortSignal }): Promise<PrometheusAnswer>;
}

/** One request to a listed origin. */
export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
}

/** `answered` is any complete answer, whatever its status. */
export type HttpAnswer =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string;
      /** From Retry-After, at most 60 s; absent when there is none or it is nonsense. */
      readonly retryAfterMs?: number;
    }
  | { readonly kind: "failed"; readonly failure: Failure };

/** Sends requests to the origins that the configuration lists, and to no other. */
export interface HttpPort {
  /** Why this URL may not be asked, or undefined when it may. */
  refusal(url: string): string | undefined;
  request(request: HttpRequest): Promise<HttpAnswer>;
}

/** The address book: groups are configured, and nothing from an alert can name an address. */
export interface Recipients {
  /** Addresses of a group, or undefined when there is none of that name. */
  addresses(group: string): readonly string[] | undefined;
  /** Ids of what is told beside the addresses; empty when there is none. */
  targets(group: string): readonly string[];
  /** A target with its secrets, for the moment of sending. */
  target(group: string, id: string): NotificationTarget | undefined;
  readonly defaultGroup: string;
  /** Domain of the sender's address; the right side of every Message-ID. */
  readonly domain: string;
}

/** A command to start. `cookie` marks every process that comes from it, so that none is forgotten. */
export interface CommandStart {
  /** Begins with an absolute path. */
  readonly argv: readonly string[];
  /** Exactly this and the cookie. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly cookie: string;
  /** Aborted at the time limit, by a stop, or when the run belongs to somebody else: the command is killed then. */
  readonly signal: AbortSignal;
}

/** One output stream: its beginning without secrets, and what identifies all of it. */
export interface CommandStream {
  readonly text: string;
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
      readonly left: boolean;
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

/** Everything that actions may touch. */
export interface ActionPorts {
  readonly budgets: BudgetControl;
  readonly prometheus: PrometheusReader;
  readonly http: HttpPort;
  readonly outbox: Pick<Outbox, "put" | "find">;
  readonly recipients: Recipients;
  readonly commands: CommandRunner;
}
