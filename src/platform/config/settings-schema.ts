import { z } from "zod";
import { gitHubAlertKinds } from "../../core/github-alert-kinds.ts";
import { isLimitName, limitNames } from "../../core/limits.ts";
import { durabilitySources } from "../redis/judge-redis.ts";
import { gitRepositoriesSchema } from "./code-host-settings.ts";
import { commandsSchema } from "./command-settings.ts";
import { featuresSchema } from "./feature-settings.ts";
import { mailAddress } from "./mail-address.ts";
import { notifyGroupsSchema } from "./notify-settings.ts";
import { parseRedisUrl, redisUrlGrammar } from "./redis-url.ts";

/** Keys whose value may come from a file: the same name with `_FILE`. */
export const secretKeys = [
  "REDIS_URL",
  "RUNBOOKD_WEBHOOK_TOKEN",
  "SMTP_URL",
  "LANGFUSE_SECRET_KEY",
  "LANGFUSE_WEBHOOK_SECRET",
  "ANTHROPIC_API_KEY",
  "ANTHROPIC_ADMIN_KEY",
  "OPENAI_API_KEY",
  "OPENAI_ADMIN_KEY",
  "GITHUB_TOKEN",
  "GITHUB_WEBHOOK_SECRET",
  "UNLEASH_ADMIN_TOKEN",
  "UNLEASH_FRONTEND_TOKEN",
  "LITELLM_MASTER_KEY",
] as const;

/** A text with what would be accepted, for a fault's second half; `meta` also carries it into the JSON Schema. */
function setting<Schema extends z.ZodType>(schema: Schema, description: string, accepted: string): Schema {
  return schema.meta({ description, accepted });
}

const check = <Value>(read: (text: string) => Value | undefined, message: string) =>
  z.string().transform((text, context): Value => {
    const value = read(text.trim());
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });

const port = check((text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined), "must be a port number");

const list = (text: string) => text.split(",").map((item) => item.trim());

function readUrl(text: string, schemes: readonly string[]): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return schemes.includes(url.protocol) && url.hostname !== "" ? url : undefined;
}

/** An http(s) address without credentials, query and fragment; the trailing slash is cut. */
function readBase(text: string): string | undefined {
  const url = readUrl(text, ["http:", "https:"]);
  if (url === undefined || url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") return undefined;
  return url.href.replace(/\/+$/, "");
}

function readOrigin(text: string): string | undefined {
  const base = readBase(text);
  return base !== undefined && base === new URL(base).origin && !base.includes("*") ? base : undefined;
}

function readAll<Value>(texts: readonly string[], read: (text: string) => Value | undefined): readonly Value[] | undefined {
  const values = texts.map((text) => read(text));
  return values.every((value) => value !== undefined) ? values : undefined;
}

const hostPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39})$/;
const filePath = z
  .string()
  .min(1)
  .max(4096)
  .refine((path) => !path.includes("\0"), "holds NUL");

const tokens = check((text) => {
  const values = list(text);
  return values.length <= 2 && values.every((token) => /^[\x21-\x7e]{16,512}$/.test(token)) ? values : undefined;
}, "must be one or two tokens");

const providerKey = check((text) => (/^[\x21-\x7e]{8,512}$/.test(text) ? text : undefined), "must be a key");

/** Unleash takes no other names; "." and ".." would lead to another address. */
const unleashName = z.string().regex(/^(?!\.{1,2}$)[\w\-.~]{1,100}$/, "must be a name of Unleash");

const redisUrl = check((text) => (parseRedisUrl(text) === undefined ? undefined : text), "must be a Redis address");

/** Credentials, trust and extra headers of an HTTP system, beside its address. */
const access = z.strictObject({
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]{1,100}$/, "must be a header name"), z.string().max(4096)).optional(),
  bearer_token_file: filePath.optional(),
  username: z.string().min(1).max(256).optional(),
  password_file: filePath.optional(),
  ca_file: filePath.optional(),
});

const accessAccepted = "any of headers, bearer_token_file, username with password_file, ca_file";

/**
 * Every setting: the flat ones have the same name in the environment and in runbookd.yml, the structured ones stand in runbookd.yml only.
 * `runbookd schema config` prints it.
 */
export const settingsSchema = z.strictObject({
  REDIS_URL: setting(
    redisUrl.optional(),
    "Redis 6.2+. If unset, runbookd starts its own redis-server and stores data in RUNBOOKD_DATA.",
    redisUrlGrammar,
  ),
  REDIS_WAIT_REPLICAS: setting(
    check((text) => (/^\d$/.test(text) ? Number(text) : undefined), "must be a number of replicas").default(0),
    "Replicas that must have a run before it is accepted, and an intent before its effect begins",
    "an integer from 0 to 9",
  ),
  REDIS_DURABLE_BY: setting(
    z.enum(durabilitySources).optional(),
    "What makes writes durable on a managed Redis that does not permit CONFIG GET; what Redis itself says comes first",
    durabilitySources.join(", "),
  ),
  RUNBOOKD_DATA: setting(filePath.default(".runbookd"), "Folder for tokens and the own Redis", "a folder's path"),
  RUNBOOKD_TRUSTED_PROXIES: setting(
    z
      .string()
      .transform((text) => text.split(",").map((entry) => entry.trim()))
      .pipe(z.array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], "must be addresses or networks, with commas between")))
      .optional(),
    "Proxies in front of this server, behind which many callers share one address: their connections are neither counted nor closed",
    "addresses or networks with commas between, e.g. 10.0.0.5, 10.1.0.0/16",
  ),
  RUNBOOKD_HOST: setting(
    z.string().regex(hostPattern, "must be a host name or address").default("127.0.0.1"),
    "Where the API listens",
    "a host name or IP address, e.g. 127.0.0.1 or 0.0.0.0",
  ),
  RUNBOOKD_PORT: setting(
    port.default(9097),
    "Port of the API; 0 = any free one",
    "a port number from 0 to 65535 (Kubernetes sets tcp://… unless enableServiceLinks is false)",
  ),
  RUNBOOKD_METRICS_HOST: setting(
    z.string().regex(hostPattern, "must be a host name or address").optional(),
    "Where /metrics listens; absent: where the API listens",
    "a host name or IP address, e.g. 127.0.0.1 or 10.0.0.5",
  ),
  RUNBOOKD_METRICS_PORT: setting(
    port.optional(),
    "Port of /metrics; absent: 9098 for a server, 9099 for a worker; 0 = any free one",
    "a port number from 0 to 65535",
  ),
  RUNBOOKD_WEBHOOK_TOKEN: setting(
    tokens.optional(),
    "What Alertmanager sends as Bearer or as the password of Basic",
    "one token, or two separated by a comma while rotating; 16 to 512 printable characters each",
  ),
  RUNBOOKD_PUBLIC_URL: setting(
    check(readBase, "must be an http(s) address").optional(),
    "The address that people reach this runbookd at; links in mails begin with it",
    "e.g. https://runbookd.example.com",
  ),
  PROMETHEUS_URL: setting(
    check(readBase, "must be an http(s) address without credentials").optional(),
    "Prometheus; absent: every check of a metric is inconclusive",
    "e.g. http://127.0.0.1:9090; credentials belong under prometheus in runbookd.yml",
  ),
  ALERTMANAGER_URL: setting(
    check((text) => readAll(list(text), readBase), "holds something that must be an http(s) address without credentials").optional(),
    "Alertmanager, or several separated by commas",
    "e.g. http://127.0.0.1:9093; credentials belong under alertmanager in runbookd.yml",
  ),
  EVALUATOR_URL: setting(
    check(readBase, "must be an http(s) address without credentials").optional(),
    "Where the application works on the same tickets with two models or two versions of a prompt; absent: a person is asked",
    "e.g. http://127.0.0.1:8085/evaluations; credentials belong under evaluator in runbookd.yml",
  ),
  PROMPT_EVALUATOR_URL: setting(
    check(readBase, "must be an http(s) address without credentials").optional(),
    "Old name of EVALUATOR_URL, which is still accepted in its place",
    "EVALUATOR_URL",
  ),
  LANGFUSE_URL: setting(
    check(readBase, "must be an http(s) address without credentials").optional(),
    "Langfuse, as the store of prompts; absent: prompts are in Redis",
    "e.g. https://cloud.langfuse.com",
  ),
  LANGFUSE_PUBLIC_KEY: setting(
    z
      .string()
      .regex(/^[\x21-\x7e]{1,200}$/, "must be a key")
      .optional(),
    "The project's public key at Langfuse",
    "pk-lf-…",
  ),
  LANGFUSE_SECRET_KEY: setting(
    z
      .string()
      .regex(/^[\x21-\x7e]{1,200}$/, "must be a key")
      .optional(),
    "The project's secret key at Langfuse",
    "sk-lf-…",
  ),
  LANGFUSE_WEBHOOK_SECRET: setting(
    z
      .string()
      .regex(/^[\x21-\x7e]{16,512}$/, "must be a secret")
      .optional(),
    "What Langfuse signs its webhooks with; absent: /webhooks/langfuse answers 404",
    "lf-whsec_…, at least 16 printable characters",
  ),
  ANTHROPIC_API_KEY: setting(
    providerKey.optional(),
    "Key that batches are submitted to Anthropic with; absent: none are",
    "one key, 8 to 512 printable characters",
  ),
  ANTHROPIC_ADMIN_KEY: setting(
    providerKey.optional(),
    "Admin key that the cost of batches at Anthropic is read and keys are disabled with; absent: neither is done",
    "one key, 8 to 512 printable characters",
  ),
  ANTHROPIC_BASE_URL: setting(
    check(readBase, "must be an http(s) address without credentials").default("https://api.anthropic.com"),
    "Where Anthropic's API is",
    "e.g. https://api.anthropic.com",
  ),
  OPENAI_API_KEY: setting(
    providerKey.optional(),
    "Key that batches are submitted to OpenAI with; absent: none are",
    "one key, 8 to 512 printable characters",
  ),
  OPENAI_ADMIN_KEY: setting(
    providerKey.optional(),
    "Admin key that the usage of batches at OpenAI is read with; absent: ours is not compared with it",
    "one key, 8 to 512 printable characters",
  ),
  OPENAI_BASE_URL: setting(
    check(readBase, "must be an http(s) address without credentials").default("https://api.openai.com/v1"),
    "Where OpenAI's API is",
    "e.g. https://api.openai.com/v1",
  ),
  GITHUB_TOKEN: setting(
    providerKey.optional(),
    "Token that the alerts of `github.repositories` are listed with",
    "one fine-grained token or token of an app, 8 to 512 printable characters",
  ),
  GITHUB_API_URL: setting(
    check(readBase, "must be an http(s) address without credentials").default("https://api.github.com"),
    "Where GitHub's API is",
    "e.g. https://api.github.com, or https://github.example.com/api/v3 for GitHub Enterprise Server",
  ),
  GITHUB_WEBHOOK_SECRET: setting(
    tokens.optional(),
    "What GitHub signs its webhooks with; absent: /webhooks/github answers 404",
    "one secret, or two separated by a comma while rotating; 16 to 512 printable characters each, no comma",
  ),
  KEV_URL: setting(
    check(readBase, "must be an http(s) address without credentials").optional(),
    "CISA's catalog of exploited vulnerabilities, which is read daily; absent: whether a CVE is exploited is known from its source only",
    "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json, or a copy of it; the same in every process",
  ),
  EPSS_URL: setting(
    check(readBase, "must be an http(s) address without credentials").optional(),
    "FIRST's API of EPSS, which is asked daily for the CVEs of open findings; absent: probabilities are known from their source only",
    "https://api.first.org/data/v1/epss, or a copy of it; the same in every process",
  ),
  UNLEASH_URL: setting(
    check(readBase, "must be an http(s) address without credentials").optional(),
    "Unleash, whose flags runs may switch; absent: a flag of Unleash cannot be switched",
    "e.g. https://unleash.example.com",
  ),
  UNLEASH_ADMIN_TOKEN: setting(
    providerKey.optional(),
    "Token of a service account at Unleash that flags are read and switched with",
    "one token, 8 to 512 printable characters, without Bearer",
  ),
  UNLEASH_FRONTEND_TOKEN: setting(
    providerKey.optional(),
    "Frontend token of the environment at Unleash, by which it is seen what applications get",
    "one token, 8 to 512 printable characters, without Bearer",
  ),
  FLAGD_FILE: setting(
    filePath.optional(),
    "File that flagd watches, in which runs may switch flags; absent: a flag of flagd cannot be switched",
    "a JSON file's path, in a folder that may be written to",
  ),
  FLAGD_URL: setting(
    check(readBase, "must be an http(s) address without credentials").optional(),
    "OFREP service of the flagd that watches FLAGD_FILE, by which it is seen what applications get",
    "e.g. http://127.0.0.1:8016",
  ),
  LITELLM_URL: setting(
    check(readBase, "must be an http(s) address without credentials").optional(),
    "LiteLLM proxy, whose virtual keys runs may disable; absent: a key of LiteLLM cannot be disabled",
    "e.g. http://127.0.0.1:4000",
  ),
  LITELLM_MASTER_KEY: setting(
    providerKey.optional(),
    "Master key of the LiteLLM proxy, or the key of a proxy administrator",
    "one key, 8 to 512 printable characters",
  ),
  SMTP_URL: setting(
    check((text) => (readUrl(text, ["smtp:", "smtps:"]) === undefined ? undefined : text), "must be an SMTP address").optional(),
    "The mail server; absent: reports are kept and not mailed",
    "smtp://[user:password@]host:port or smtps://…",
  ),
  MAIL_FROM: setting(mailAddress.optional(), "Sender of every mail", "one plain address such as runbookd@example.com"),
  MAIL_TO: setting(
    mailAddress.optional(),
    "Recipient of reports: the mail group `default` unless runbookd.yml defines it",
    "one plain address; several go into mail_groups in runbookd.yml",
  ),
  RUNBOOKD_RUNBOOKS: setting(filePath.default("runbooks"), "Folder of the runbooks", "a folder's path"),
  RUNBOOKD_ATTACKS: setting(
    filePath.default("security/attacks"),
    "Folder of the recorded attacks, one file `<feature>.yml` for each feature",
    "a folder's path",
  ),
  RUNBOOKD_HTTP_ALLOW: setting(
    check((text) => readAll(list(text), readOrigin), "holds something that is no origin").optional(),
    "Origins that http-request may call; absent: none",
    "origins separated by commas, e.g. https://api.example.com,http://127.0.0.1:8080; no path and no wildcard",
  ),
  RUNBOOKD_CONCURRENCY: setting(
    check((text) => (/^[1-9]\d?$|^100$/.test(text) ? Number(text) : undefined), "must be a number of runs").default(10),
    "Runs that one worker executes at once",
    "an integer from 1 to 100",
  ),
  RUNBOOKD_MAX_BUDGETS: setting(
    check(
      (text) => (/^[1-9]\d{0,4}$/.test(text) && Number(text) <= 10_000 ? Number(text) : undefined),
      "must be a number of budgets",
    ).default(2000),
    "Budgets that may exist; a further one is refused. Each has series of its own in the metrics of every process",
    "an integer from 1 to 10000; the same in every process",
  ),
  RUNBOOKD_USAGE_EVENTS: setting(
    check(
      (text) => (/^[1-9]\d{3,6}$/.test(text) && Number(text) <= 5_000_000 ? Number(text) : undefined),
      "must be a number of events",
    ).optional(),
    "Old setting: where RUNBOOKD_USAGE_MEGABYTES is absent, room for this number of usage events of 600 bytes",
    "an integer from 1000 to 5000000; the same in every process",
  ),
  RUNBOOKD_USAGE_DAYS: setting(
    check((text) => (/^[1-9]\d?$/.test(text) && Number(text) <= 30 ? Number(text) : undefined), "must be a number of days").default(2),
    "How old a usage report may be, and how long the ids of reports are remembered, so that none is counted twice",
    "an integer from 1 to 30; the same in every process",
  ),
  RUNBOOKD_UNKNOWN_COST_USD: setting(
    check(
      (text) => (/^\d{1,4}(?:\.\d{1,6})?$/.test(text) && Number(text) > 0 && Number(text) <= 1000 ? Number(text) : undefined),
      "must be an amount in USD",
    ).default(0.05),
    "What a request is charged with whose usage cannot be read or priced, when nothing was reserved for it and too few requests of its operation have a known cost",
    "an amount above 0 and up to 1000, e.g. 0.05; the same in every process",
  ),
  RUNBOOKD_USAGE_EVENT_DAYS: setting(
    check((text) => (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 400 ? Number(text) : undefined), "must be a number of days").default(
      35,
    ),
    "Days for which usage events are kept; a rise of cost is explained from them",
    "an integer from 1 to 400; the same in every process",
  ),
  RUNBOOKD_USAGE_MEGABYTES: setting(
    check(
      (text) => (/^[1-9]\d{0,5}$/.test(text) && Number(text) <= 100_000 ? Number(text) : undefined),
      "must be a number of megabytes",
    ).optional(),
    "Memory of Redis for usage events, about; the earliest are dropped when it is used up. 64 when absent",
    "an integer from 1 to 100000; the same in every process. An event takes about 600 bytes",
  ),
  RUNBOOKD_FINDING_DAYS: setting(
    check((text) => (/^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined), "must be a number of days").default(400),
    "Days for which security findings are kept after their end; open ones stay, and at most 50000 ended ones are kept",
    "an integer from 1 to 9999; an audit of a year needs at least 366",
  ),
  RUNBOOKD_GRACE_SECONDS: setting(
    check((text) => (/^\d{1,4}$/.test(text) && Number(text) >= 15 ? Number(text) : undefined), "must be a grace period").default(60),
    "Shutdown grace period in seconds. Steps may finish until 10 s before it ends; the process exits 3 s before.",
    "an integer from 15 to 9999, not more than Kubernetes' terminationGracePeriodSeconds",
  ),
  RUNBOOKD_FREEZE_FILE: setting(filePath.optional(), "While this file exists nothing is changed", "a file's path"),
  RUNBOOKD_TICKET_REPOSITORY: setting(
    filePath.optional(),
    "Git repository whose worktrees tickets work in; absent: the work of tickets cannot be preserved",
    "a folder's path",
  ),
  RUNBOOKD_TICKET_WORKTREES: setting(
    filePath.optional(),
    "Folder for worktrees that are made anew; absent: beside the repository, with -worktrees behind its name",
    "a folder's path",
  ),
  RUNBOOKD_TIME_FACTOR: setting(
    check((text) => (/^\d{1,4}(?:\.\d+)?$/.test(text) && Number(text) >= 1 ? Number(text) : undefined), "must be a factor").default(1),
    "Divides what the budget ledger calls a minute, a lease and a row of its history; only for a demo whose rules and runbooks are divided too",
    "a number from 1 to 9999",
  ),
  RUNBOOKD_LOG_LEVEL: setting(
    z.enum(["debug", "info", "warn", "error", "silent"]).default("info"),
    "Least severe log lines that are written",
    "debug, info, warn, error or silent",
  ),
  prometheus: setting(access.optional(), "How Prometheus is reached", accessAccepted),
  alertmanager: setting(access.optional(), "How every Alertmanager is reached", accessAccepted),
  evaluator: setting(access.optional(), "How the evaluator is reached", accessAccepted),
  prompt_evaluator: setting(access.optional(), "Old name of evaluator, which is still accepted in its place", accessAccepted),
  unleash: setting(
    z.strictObject({ project: unleashName.default("default"), environment: unleashName }).optional(),
    "Where at Unleash the flags are",
    "environment, and project (default: default)",
  ),
  mail_groups: setting(
    z
      .record(
        z.string().regex(/^[a-z][a-z0-9-]{0,39}$/, "must be a group name"),
        z.array(mailAddress).min(1, "is empty: empty never means all").max(50),
      )
      .optional(),
    "Who `notify` and `send-report` may write to",
    "group names (lower case, digits, hyphens), each with a list of plain addresses",
  ),
  notify_groups: setting(
    notifyGroupsSchema.optional(),
    "Who `notify`, `send-report` and questions may tell, beyond mail; a group of mail_groups with the same name is told too",
    "group names, each with any of mail (addresses), webhooks (name, url or url_file, headers, bearer_token_file), slack (name, url or url_file), pagerduty (name, routing_key_file, severity)",
  ),
  guardrails: setting(
    z
      .record(
        z.string().refine((name) => isLimitName(name), "must be a limit's name"),
        z.number().int("must be a whole number").min(0),
      )
      .optional(),
    "Limits of guardrails; a runbook may only lower them",
    `names of limits (${limitNames.join(", ")}), each with a whole number of at least 0`,
  ),
  severities: setting(
    z.record(z.string().min(1).max(100), z.enum(["critical", "warning", "info"])).optional(),
    "What the `severity` labels of other people's alerts mean, for `runbookd lint`",
    "values of the label, each with critical, warning or info",
  ),
  protected_targets: setting(
    z
      .array(z.string().regex(/^[^\s*]{1,300}(?:\/\*)?$/, "must be a target, or the beginning of targets followed by /*"))
      .max(1000)
      .optional(),
    "Targets that no run ever raises",
    "a list of targets; `/*` at the end stands for everything below",
  ),
  commands: setting(
    commandsSchema.optional(),
    "Commands that `run-command` may run, by name",
    "command names, each with argv (absolute program first, `{name}` for an argument), and any of args, env, env_files, open_env, cwd, timeout, effect (once, set, probed), risk (lowers, raises), target, ok_exits, not_applied_exits, probe",
  ),
  features: setting(
    featuresSchema.optional(),
    "Parts of the workload that can be switched off alone, by the name that findings and alerts give them",
    "feature names (lower case, digits, hyphens), each with any of flags, budgets, keys ({ system, id }), repository (owner/name), paths, probe (url, method, body, refused_by), code_host (github, git), tests, attacks and deployment ({ command } or { workflow }), version_urls, exposure (public, customers, internal), data (regulated, personal, internal, none), agency (power, environment, predictability, systemic, in the words of OWASP AIVSS)",
  ),
  github: setting(
    z
      .strictObject({
        repositories: z
          .array(z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/, "must be owner/name"))
          .min(1, "is empty: empty never means all")
          .max(100),
        alerts: z.array(z.enum(gitHubAlertKinds)).min(1, "is empty: empty never means all").optional(),
      })
      .optional(),
    "Repositories whose security alerts are listed every five minutes",
    `repositories (owner/name, 1 to 100), and any of alerts (${gitHubAlertKinds.join(", ")}; all of them by default)`,
  ),
  git_repositories: setting(
    gitRepositoriesSchema.optional(),
    "Repositories of plain git in which changes are merged, for features whose code_host is git",
    "owner/name as features name it, each with path (of a bare repository, or of a clone whose remote origin is what counts) and main (the branch that changes go into; main by default)",
  ),
  price_table: setting(filePath.optional(), "Price table that replaces the shipped one", "a file's path"),
  price_overlay: setting(
    filePath.optional(),
    "Price table whose rows go before the others: negotiated prices, models of one's own",
    "a file's path",
  ),
  model_table: setting(filePath.optional(), "Table of models whose rows go before the shipped ones", "a file's path"),
});

/** See {@link settingsSchema}. */
export type Settings = z.output<typeof settingsSchema>;

/** Names of the settings that the environment may hold. */
export const environmentKeys = Object.keys(settingsSchema.shape).filter((key) => key === key.toUpperCase());

/** What would be accepted for a key, as one phrase. */
export function acceptedFor(key: string): string {
  const field = Object.hasOwn(settingsSchema.shape, key)
    ? Object.entries(settingsSchema.shape).find(([name]) => name === key)?.[1]
    : undefined;
  const accepted = field?.meta()?.["accepted"];
  return typeof accepted === "string" ? accepted : `one of ${Object.keys(settingsSchema.shape).join(", ")}`;
}

/** The JSON Schema of runbookd.yml. */
export function configJsonSchema(): object {
  return z.toJSONSchema(settingsSchema, { io: "input", unrepresentable: "any" });
}
