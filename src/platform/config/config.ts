import type { CommandTemplate } from "../../core/command-template.ts";
import type { Feature } from "../../core/feature.ts";
import type { GitHubAlertKind } from "../../core/github-alert-kinds.ts";
import type { NotificationTarget } from "../../core/notification-target.ts";
import type { DurabilitySource } from "../redis/judge-redis.ts";
import type { RedisPlace } from "./redis-url.ts";
import type { Settings } from "./settings-schema.ts";

/** How an HTTP system is reached; `headers` include its credentials. */
export interface Endpoint {
  readonly url: string;
  readonly headers: { readonly [name: string]: string };
  /** PEM of the authority to trust beside the system's own. */
  readonly ca: string | undefined;
}

/** How a provider of batches is reached. */
export interface ProviderSettings {
  readonly baseUrl: string;
  readonly apiKey: string | undefined;
  readonly adminKey: string | undefined;
}

/** How the alerts of repositories at GitHub are listed. */
export interface GitHubSettings {
  readonly apiUrl: string;
  readonly token: string;
  /** `owner/name`, at least one. */
  readonly repositories: readonly string[];
  readonly alerts: readonly GitHubAlertKind[];
}

/** Everything that the processes are configured with; proven. */
export interface Config {
  readonly redis: RedisPlace;
  /** Replicas that must have a write before it counts; 0 = none is asked. */
  readonly replicas: number;
  /** What makes writes durable where Redis does not say it. */
  readonly durableBy: DurabilitySource | undefined;
  readonly dataFolder: string;
  readonly host: string;
  /** Addresses and networks of proxies in front of this server. */
  readonly trustedProxies: readonly string[];
  readonly port: number;
  /** Absent: 9098 for a server, 9099 for a worker. */
  /** Where /metrics listens. */
  readonly metricsHost: string;
  readonly metricsPort: number | undefined;
  /** Empty only on loopback. */
  readonly webhookTokens: readonly string[];
  readonly publicUrl: string | undefined;
  readonly prometheus: Endpoint | undefined;
  readonly alertmanagers: readonly Endpoint[];
  readonly evaluator: Endpoint | undefined;
  /** Providers of batches by OTel's name; keys that are absent do without what they are for. */
  readonly providers: { readonly anthropic: ProviderSettings; readonly openai: ProviderSettings };
  /** The store of prompts, with its keys as headers. */
  readonly langfuse: { readonly url: string; readonly headers: { readonly [name: string]: string } } | undefined;
  readonly langfuseWebhookSecret: string | undefined;
  /** What GitHub signs its webhooks with; none: no event is accepted. */
  readonly gitHubWebhookSecrets: readonly string[];
  /** Whose alerts are listed; undefined: no repository is named. */
  readonly gitHub: GitHubSettings | undefined;
  /** GitHub as the host of code; undefined: no feature has its code there. */
  readonly gitHubAccess: { readonly apiUrl: string; readonly token: string } | undefined;
  /** Repositories of plain git by `owner/name`. */
  readonly gitRepositories: { readonly [repository: string]: { readonly path: string; readonly main: string } };
  /** Feeds on exploited vulnerabilities; one without an address is not read. */
  readonly exploitation: { readonly kevUrl: string | undefined; readonly epssUrl: string | undefined };
  /** Unleash, with the one environment whose flags are switched. */
  readonly unleash:
    | {
        readonly url: string;
        readonly adminToken: string;
        readonly frontendToken: string;
        readonly project: string;
        readonly environment: string;
      }
    | undefined;
  /** The file that flagd watches, and its OFREP service. */
  readonly flagd: { readonly file: string; readonly url: string } | undefined;
  readonly litellm: { readonly url: string; readonly masterKey: string } | undefined;
  readonly mail: {
    readonly smtpUrl: string | undefined;
    readonly from: string | undefined;
    /** Addresses by group; `default` is where reports go. */
    readonly groups: { readonly [group: string]: readonly string[] };
    /** Who else is told, by group; with their secrets. */
    readonly targets: { readonly [group: string]: readonly NotificationTarget[] };
  };
  readonly runbooks: string;
  /** Folder of the recorded attacks. */
  readonly attacks: string;
  readonly httpAllow: readonly string[];
  readonly concurrency: number;
  /** Budgets that may exist. */
  readonly maxBudgets: number;
  /** For how long and in how many bytes of Redis usage events are kept. */
  readonly usageRetention: { readonly retentionMs: number; readonly maxBytes: number };
  /** How old a usage report may be, and how long ids are remembered. */
  readonly usageDays: number;
  /** What a request is charged with of which nothing is known. */
  readonly unknownCostUsd: number;
  /** Days for which security findings are kept after their end. */
  readonly findingDays: number;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs: number;
  readonly freezeFile: string | undefined;
  /** Where the work of tickets is. */
  readonly ticketWork: { readonly repository: string; readonly worktrees: string } | undefined;
  /** Divides the lengths of the budget ledger; 1 in real life. */
  readonly timeFactor: number;
  readonly logLevel: Settings["RUNBOOKD_LOG_LEVEL"];
  /** Limits by name that replace the defaults of the guardrails. */
  readonly guardrails: { readonly [limit: string]: number };
  /** Severities of other people's alerts by what they mean here; only lint reads them. */
  readonly severities: { readonly [severity: string]: string };
  /** Targets that no run ever raises. */
  readonly protectedTargets: readonly string[];
  /** What `run-command` may run. */
  readonly commands: readonly CommandTemplate[];
  /** What can be switched off alone. */
  readonly features: readonly Feature[];
  /** File with rows about models that go before the shipped ones. */
  readonly modelTable: string | undefined;
  /** File with the price table that replaces the shipped one. */
  readonly priceTable: string | undefined;
  /** File with prices that go before the others. */
  readonly priceOverlay: string | undefined;
  /** Every secret among the settings, for redaction. */
  readonly secrets: readonly string[];
}
