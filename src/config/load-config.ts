import { isIPv4 } from "node:net";
import { parseDocument } from "yaml";
import type { CommandTemplate } from "../actions/command-template.ts";
import type { NotificationTarget } from "../core/notification.ts";
import { registeredCommands } from "./command-settings.ts";
import { secretsOfTarget, targetsOfGroup } from "./notify-settings.ts";
import { parseRedisUrl, passwordOfRedisUrl, type RedisPlace } from "./redis-url.ts";
import { acceptedFor, environmentKeys, secretKeys, settingsSchema, type Settings } from "./settings-schema.ts";

/** One setting that is refused. It never holds the value, which may be a secret. */
export interface ConfigFault {
  readonly key: string;
  /** Where the value came from. */
  readonly source: "environment" | "runbookd.yml" | "together";
  /** Completes a sentence that begins with the key. */
  readonly problem: string;
  readonly accepted: string;
}

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

/** Everything that the processes are configured with; proven. */
export interface Config {
  readonly redis: RedisPlace;
  /** Replicas that must have a write before it counts; 0 = none is asked. */
  readonly replicas: number;
  readonly dataFolder: string;
  readonly host: string;
  readonly port: number;
  /** Absent: 9098 for a server, 9099 for a worker. */
  readonly metricsPort: number | undefined;
  /** Empty only on loopback. */
  readonly webhookTokens: readonly string[];
  readonly publicUrl: string | undefined;
  readonly prometheus: Endpoint | undefined;
  readonly alertmanagers: readonly Endpoint[];
  readonly promptEvaluator: Endpoint | undefined;
  /** Providers of batches by OTel's name; keys that are absent do without what they are for. */
  readonly providers: { readonly anthropic: ProviderSettings; readonly openai: ProviderSettings };
  /** The store of prompts, with its keys as headers. */
  readonly langfuse: { readonly url: string; readonly headers: { readonly [name: string]: string } } | undefined;
  readonly langfuseWebhookSecret: string | undefined;
  readonly mail: {
    readonly smtpUrl: string | undefined;
    readonly from: string | undefined;
    /** Addresses by group; `default` is where reports go. */
    readonly groups: { readonly [group: string]: readonly string[] };
    /** Who else is told, by group; with their secrets. */
    readonly targets: { readonly [group: string]: readonly NotificationTarget[] };
  };
  readonly runbooks: string;
  readonly httpAllow: readonly string[];
  readonly concurrency: number;
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
  /** Targets that no run ever raises. */
  readonly protectedTargets: readonly string[];
  /** What `run-command` may run. */
  readonly commands: readonly CommandTemplate[];
  readonly priceTable: string | undefined;
  /** Every secret among the settings, for redaction. */
  readonly secrets: readonly string[];
}

/** A configuration, or every fault at once. */
export type LoadedConfig = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/** Where settings come from. */
export interface ConfigSources {
  readonly env: { readonly [name: string]: string | undefined };
  /** Text of runbookd.yml, when there is one. */
  readonly yaml?: string;
  /** Reads the file of a `*_FILE` setting; throws when it cannot. */
  readFile(path: string): string;
}

const maxYamlCharacters = 262_144;

/** Reads and proves the settings: the environment wins over runbookd.yml, and no fault hides another. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const faults: ConfigFault[] = [];
  const fromYaml = sources.yaml === undefined ? {} : readYaml(sources.yaml, faults);
  const { values, fromEnvironment } = readEnvironment(sources, faults);
  const merged = { ...readSecretFiles(fromYaml, sources, faults), ...values };
  const parsed = settingsSchema.safeParse(merged);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const place = issue.path.slice(1).join(".");
      const at = place === "" ? "" : `(at ${place}) `;
      const [first] = issue.path;
      const refuse = (key: string, problem: string) =>
        faults.push({ key, source: fromEnvironment.has(key) ? "environment" : "runbookd.yml", problem, accepted: acceptedFor(key) });
      if (issue.code !== "unrecognized_keys") refuse(String(first ?? "runbookd.yml"), `${at}${issue.message}`);
      else if (first === undefined) for (const key of issue.keys) refuse(key, "is no setting");
      else refuse(String(first), `${at}has unknown keys: ${issue.keys.join(", ")}`);
    }
    return { ok: false, faults };
  }
  const config = toConfig(parsed.data, sources, faults);
  return faults.length === 0 ? { ok: true, config } : { ok: false, faults };
}

/** One line per fault, for a terminal. */
export function describeFaults(faults: readonly ConfigFault[]): string {
  return faults.map(({ key, source, problem, accepted }) => `${key} (${source}) ${problem}. Accepted: ${accepted}.`).join("\n");
}

/** Whether only this machine can reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

type Values = { readonly [key: string]: unknown };

function readYaml(text: string, faults: ConfigFault[]): Values {
  const refuse = (problem: string): Values => {
    faults.push({ key: "runbookd.yml", source: "runbookd.yml", problem, accepted: "one YAML mapping of settings, at most 256 kB" });
    return {};
  };
  if (text.length > maxYamlCharacters) return refuse("is too large");
  const document = parseDocument(text, { merge: false, uniqueKeys: true, version: "1.2", schema: "core" });
  const [error] = document.errors;
  if (error !== undefined) return refuse(`is no YAML: ${error.message.split("\n")[0] ?? ""}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 20 });
  } catch {
    return refuse("uses too many aliases");
  }
  if (value === null || value === undefined) return {};
  if (typeof value !== "object" || Array.isArray(value)) return refuse("is no mapping");
  const isFlat = (key: string, field: unknown) =>
    environmentKeys.includes(key.replace(/_FILE$/, "")) && ["number", "boolean"].includes(typeof field);
  return Object.fromEntries(
    Object.entries(value).map(([key, field]): [string, unknown] => [key, isFlat(key, field) ? String(field) : field]),
  );
}

function readEnvironment(
  { env, ...sources }: ConfigSources,
  faults: ConfigFault[],
): { readonly values: Values; readonly fromEnvironment: ReadonlySet<string> } {
  const named = [...environmentKeys, ...secretKeys.map((key) => `${key}_FILE`)];
  // An empty variable is one that is not set: compose files and units write it so.
  const given = Object.fromEntries(named.map((key) => [key, env[key]] as const).filter(([, value]) => value !== undefined && value !== ""));
  const values = readSecretFiles(given, { readFile: (path) => sources.readFile(path) }, faults, "environment");
  return { values, fromEnvironment: new Set(Object.keys(values)) };
}

/** `X_FILE` becomes `X` with the file's text; both at once is a fault. */
function readSecretFiles(
  values: Values,
  sources: Pick<ConfigSources, "readFile">,
  faults: ConfigFault[],
  source: ConfigFault["source"] = "runbookd.yml",
): Values {
  const read: { [key: string]: unknown } = { ...values };
  for (const key of secretKeys) {
    const fileKey = `${key}_FILE`;
    const path = read[fileKey];
    delete read[fileKey];
    if (path === undefined) continue;
    const refuse = (problem: string) =>
      faults.push({ key: fileKey, source, problem, accepted: `a readable file that holds ${key}, alone` });
    if (read[key] !== undefined) refuse(`is set beside ${key}`);
    else if (typeof path !== "string") refuse("is no path");
    else {
      const text = readText(path, sources);
      if (text === undefined || text === "") refuse(text === "" ? "names an empty file" : "names a file that cannot be read");
      else read[key] = text;
    }
  }
  return read;
}

function readText(path: string, sources: Pick<ConfigSources, "readFile">): string | undefined {
  try {
    return sources.readFile(path).trim();
  } catch {
    return undefined;
  }
}

function toConfig(settings: Settings, sources: ConfigSources, faults: ConfigFault[]): Config {
  const { REDIS_URL: redis, RUNBOOKD_HOST: host, RUNBOOKD_WEBHOOK_TOKEN: webhookTokens = [] } = settings;
  if (webhookTokens.length === 0 && !isLoopback(host)) {
    faults.push({
      key: "RUNBOOKD_WEBHOOK_TOKEN",
      source: "together",
      problem: "is missing while RUNBOOKD_HOST is reachable from other machines",
      accepted: `${acceptedFor("RUNBOOKD_WEBHOOK_TOKEN")}; or RUNBOOKD_HOST=127.0.0.1`,
    });
  }
  const targets = readTargets(settings.notify_groups, sources, faults);
  const groups = mailGroups(settings);
  if (settings.SMTP_URL !== undefined && settings.MAIL_FROM === undefined) {
    faults.push({ key: "MAIL_FROM", source: "together", problem: "is missing while SMTP_URL is set", accepted: acceptedFor("MAIL_FROM") });
  }
  if (settings.SMTP_URL !== undefined && groups["default"] === undefined && targets["default"] === undefined) {
    const accepted = `${acceptedFor("MAIL_TO")}; or mail_groups.default in runbookd.yml`;
    faults.push({ key: "MAIL_TO", source: "together", problem: "is missing while SMTP_URL is set", accepted });
  }
  const prometheus = readAccess("prometheus", settings.prometheus, sources, faults);
  const alertmanager = readAccess("alertmanager", settings.alertmanager, sources, faults);
  const evaluator = readAccess("prompt_evaluator", settings.prompt_evaluator, sources, faults);
  const langfuse = readLangfuse(settings, faults);
  const commands = readCommands(settings.commands, sources, faults);
  const secrets = [
    ...webhookTokens,
    ...commands.secrets,
    ...Object.values(targets).flatMap((list) => list.flatMap((target) => secretsOfTarget(target))),
    ...(redis === undefined ? [] : passwordOfRedisUrl(redis)),
    ...passwordOf(settings.SMTP_URL),
    ...[settings.ANTHROPIC_API_KEY, settings.ANTHROPIC_ADMIN_KEY, settings.OPENAI_API_KEY, settings.OPENAI_ADMIN_KEY].flatMap(
      (key) => key ?? [],
    ),
    ...prometheus.secrets,
    ...alertmanager.secrets,
    ...evaluator.secrets,
    ...langfuse.secrets,
  ];
  return {
    redis: (redis === undefined ? undefined : parseRedisUrl(redis)) ?? { kind: "embedded" },
    replicas: settings.REDIS_WAIT_REPLICAS,
    dataFolder: settings.RUNBOOKD_DATA,
    host,
    port: settings.RUNBOOKD_PORT,
    metricsPort: settings.RUNBOOKD_METRICS_PORT,
    webhookTokens,
    publicUrl: settings.RUNBOOKD_PUBLIC_URL,
    prometheus: settings.PROMETHEUS_URL === undefined ? undefined : { url: settings.PROMETHEUS_URL, ...prometheus.access },
    alertmanagers: (settings.ALERTMANAGER_URL ?? []).map((url) => ({ url, ...alertmanager.access })),
    promptEvaluator: settings.PROMPT_EVALUATOR_URL === undefined ? undefined : { url: settings.PROMPT_EVALUATOR_URL, ...evaluator.access },
    langfuse: langfuse.endpoint,
    langfuseWebhookSecret: settings.LANGFUSE_WEBHOOK_SECRET,
    providers: {
      anthropic: { baseUrl: settings.ANTHROPIC_BASE_URL, apiKey: settings.ANTHROPIC_API_KEY, adminKey: settings.ANTHROPIC_ADMIN_KEY },
      openai: { baseUrl: settings.OPENAI_BASE_URL, apiKey: settings.OPENAI_API_KEY, adminKey: settings.OPENAI_ADMIN_KEY },
    },
    mail: { smtpUrl: settings.SMTP_URL, from: settings.MAIL_FROM, groups, targets },
    runbooks: settings.RUNBOOKD_RUNBOOKS,
    httpAllow: settings.RUNBOOKD_HTTP_ALLOW ?? [],
    concurrency: settings.RUNBOOKD_CONCURRENCY,
    graceMs: settings.RUNBOOKD_GRACE_SECONDS * 1000,
    freezeFile: settings.RUNBOOKD_FREEZE_FILE,
    ticketWork: ticketWorkOf(settings),
    timeFactor: settings.RUNBOOKD_TIME_FACTOR,
    logLevel: settings.RUNBOOKD_LOG_LEVEL,
    guardrails: settings.guardrails ?? {},
    protectedTargets: settings.protected_targets ?? [],
    commands: commands.templates,
    priceTable: settings.price_table,
    secrets,
  };
}

/** A group of both places is told at all its addresses. */
function mailGroups(settings: Settings): { readonly [group: string]: readonly string[] } {
  const groups: { [group: string]: readonly string[] } = {
    ...(settings.MAIL_TO !== undefined && { default: [settings.MAIL_TO] }),
    ...settings.mail_groups,
  };
  for (const [name, { mail }] of Object.entries(settings.notify_groups ?? {}))
    if (mail !== undefined) groups[name] = [...new Set([...(settings.mail_groups?.[name] ?? []), ...mail])];
  return groups;
}

function readTargets(given: Settings["notify_groups"], sources: ConfigSources, faults: ConfigFault[]): Config["mail"]["targets"] {
  const read = (at: string, path: string, accepted: (text: string) => boolean): string | undefined => {
    const text = readText(path, sources);
    if (text !== undefined && accepted(text)) return text;
    const problem = text === undefined || text === "" ? "names a file that is empty or cannot be read" : "names a file with something else";
    faults.push({ key: "notify_groups", source: "runbookd.yml", problem: `(at ${at}) ${problem}`, accepted: acceptedFor("notify_groups") });
    return undefined;
  };
  const groups = Object.entries(given ?? {}).map(([name, group]) => [name, targetsOfGroup(name, group, read)] as const);
  return Object.fromEntries(groups.filter(([, targets]) => targets.length > 0));
}

function readCommands(
  given: Settings["commands"],
  sources: ConfigSources,
  faults: ConfigFault[],
): { readonly templates: readonly CommandTemplate[]; readonly secrets: readonly string[] } {
  const secrets: string[] = [];
  const templates = registeredCommands(given ?? {}).map(({ template, envFiles }) => {
    const env: Record<string, string> = { ...template.env };
    for (const [variable, path] of Object.entries(envFiles)) {
      const refuse = (problem: string) =>
        faults.push({
          key: "commands",
          source: "runbookd.yml",
          problem: `(at ${template.name}.env_files.${variable}) ${problem}`,
          accepted: "a readable file with the value, and the variable in no other place",
        });
      const text = readText(path, sources);
      if (Object.hasOwn(env, variable) || Object.hasOwn(template.openEnv, variable)) refuse("stands in env or open_env too");
      else if (text === undefined || text === "" || text.includes("\0")) refuse("names a file that is empty or cannot be read");
      else {
        secrets.push(text);
        // A secret is no place for an argument: its braces are braces.
        env[variable] = text.replaceAll(/[{}]/g, "$&$&");
      }
    }
    return { ...template, env };
  });
  return { templates, secrets };
}

function passwordOf(url: string | undefined): string[] {
  if (url === undefined || !URL.canParse(url)) return [];
  const { password } = new URL(url);
  return password === "" ? [] : [password, decodeURIComponent(password)];
}

/** All three or none: a store of prompts that is configured by half would be one that nobody meant. */
function readLangfuse(
  { LANGFUSE_URL: url, LANGFUSE_PUBLIC_KEY: publicKey, LANGFUSE_SECRET_KEY: secretKey, LANGFUSE_WEBHOOK_SECRET: webhookSecret }: Settings,
  faults: ConfigFault[],
): { readonly endpoint: Config["langfuse"]; readonly secrets: readonly string[] } {
  const secrets = [secretKey, webhookSecret].filter((secret) => secret !== undefined);
  const given = { LANGFUSE_URL: url, LANGFUSE_PUBLIC_KEY: publicKey, LANGFUSE_SECRET_KEY: secretKey };
  const missing = Object.entries(given).flatMap(([key, value]) => (value === undefined ? [key] : []));
  if (missing.length > 0 && missing.length < 3)
    for (const key of missing)
      faults.push({ key, source: "together", problem: "is missing beside the other settings of Langfuse", accepted: acceptedFor(key) });
  if (url === undefined || publicKey === undefined || secretKey === undefined) return { endpoint: undefined, secrets };
  const basic = Buffer.from(`${publicKey}:${secretKey}`).toString("base64");
  return { endpoint: { url, headers: { authorization: `Basic ${basic}` } }, secrets: [...secrets, basic] };
}

type Access = { readonly access: Omit<Endpoint, "url">; readonly secrets: readonly string[] };

function readAccess(
  key: "prometheus" | "alertmanager" | "prompt_evaluator",
  given: Settings["prometheus"],
  sources: ConfigSources,
  faults: ConfigFault[],
): Access {
  const { headers = {}, bearer_token_file: tokenFile, username, password_file: passwordFile, ca_file: caFile } = given ?? {};
  const refuse = (problem: string) => faults.push({ key, source: "runbookd.yml", problem, accepted: acceptedFor(key) });
  const read = (name: string, path: string | undefined): string | undefined => {
    const text = path === undefined ? undefined : readText(path, sources);
    if (path !== undefined && (text === undefined || text === "")) refuse(`(at ${name}) names a file that is empty or cannot be read`);
    return text;
  };
  const token = read("bearer_token_file", tokenFile);
  const password = read("password_file", passwordFile);
  const ca = read("ca_file", caFile);
  if ((username === undefined) !== (passwordFile === undefined)) refuse("has one of username and password_file without the other");
  if (tokenFile !== undefined && username !== undefined) refuse("has two credentials");
  const basic = username === undefined || password === undefined ? undefined : Buffer.from(`${username}:${password}`).toString("base64");
  const authorization = token === undefined ? (basic === undefined ? undefined : `Basic ${basic}`) : `Bearer ${token}`;
  return {
    access: { headers: authorization === undefined ? headers : { ...headers, authorization }, ca },
    secrets: [...Object.values(headers), ...[token, password, basic].filter((secret) => secret !== undefined)],
  };
}

function ticketWorkOf({ RUNBOOKD_TICKET_REPOSITORY: written, RUNBOOKD_TICKET_WORKTREES: worktrees }: Settings): Config["ticketWork"] {
  const repository = written?.replace(/\/+$/, "");
  return repository === undefined ? undefined : { repository, worktrees: worktrees ?? `${repository}-worktrees` };
}
