import { isIPv4 } from "node:net";
import type { CommandTemplate } from "../../core/command-template.ts";
import { dayMs } from "../../core/duration.ts";
import { registeredCommands } from "./command-settings.ts";
import type { Config } from "./config.ts";
import type { ConfigFault } from "./config-fault.ts";
import { featureJobFaults } from "./feature-job-faults.ts";
import { featuresOf } from "./feature-settings.ts";
import { secretsOfTarget, targetsOfGroup } from "./notify-settings.ts";
import { readAccess, readEvaluator, readGitHub, readLangfuse, readSwitchedSystems } from "./read-access.ts";
import { readCodeHosts } from "./read-code-hosts.ts";
import { type ConfigSources, readSettings, readText } from "./read-settings.ts";
import { parseRedisUrl, passwordOfRedisUrl } from "./redis-url.ts";
import { acceptedFor, type Settings } from "./settings-schema.ts";

/** A configuration, or every fault at once. */
export type LoadedConfig = { readonly ok: true; readonly config: Config } | { readonly ok: false; readonly faults: readonly ConfigFault[] };

/** Reads and proves the settings: the environment wins over runbookd.yml, and no fault hides another. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const faults: ConfigFault[] = [];
  const settings = readSettings(sources, faults);
  if (settings === undefined) return { ok: false, faults };
  const config = toConfig(settings, sources, faults);
  return faults.length === 0 ? { ok: true, config } : { ok: false, faults };
}

/** Whether only this machine can reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));
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
  const prometheus = readAccess({ key: "prometheus", given: settings.prometheus }, sources, faults);
  const alertmanager = readAccess({ key: "alertmanager", given: settings.alertmanager }, sources, faults);
  const evaluator = readEvaluator(settings, sources, faults);
  const langfuse = readLangfuse(settings, faults);
  const gitHub = readGitHub(settings, faults);
  const { secrets: switchSecrets, ...switched } = readSwitchedSystems(settings, faults);
  const commands = readCommands(settings.commands, sources, faults);
  const features = readFeatures(settings, commands.templates, faults);
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
    ...gitHub.secrets,
    ...switchSecrets,
  ];
  return {
    redis: (redis === undefined ? undefined : parseRedisUrl(redis)) ?? { kind: "embedded" },
    replicas: settings.REDIS_WAIT_REPLICAS,
    durableBy: settings.REDIS_DURABLE_BY,
    dataFolder: settings.RUNBOOKD_DATA,
    host,
    trustedProxies: settings.RUNBOOKD_TRUSTED_PROXIES ?? [],
    port: settings.RUNBOOKD_PORT,
    metricsHost: settings.RUNBOOKD_METRICS_HOST ?? host,
    metricsPort: settings.RUNBOOKD_METRICS_PORT,
    webhookTokens,
    publicUrl: settings.RUNBOOKD_PUBLIC_URL,
    prometheus: settings.PROMETHEUS_URL === undefined ? undefined : { url: settings.PROMETHEUS_URL, ...prometheus.access },
    alertmanagers: (settings.ALERTMANAGER_URL ?? []).map((url) => ({ url, ...alertmanager.access })),
    evaluator: evaluator.endpoint,
    langfuse: langfuse.endpoint,
    ...switched,
    langfuseWebhookSecret: settings.LANGFUSE_WEBHOOK_SECRET,
    gitHubWebhookSecrets: gitHub.webhookSecrets,
    gitHub: gitHub.settings,
    exploitation: { kevUrl: settings.KEV_URL, epssUrl: settings.EPSS_URL },
    providers: {
      anthropic: { baseUrl: settings.ANTHROPIC_BASE_URL, apiKey: settings.ANTHROPIC_API_KEY, adminKey: settings.ANTHROPIC_ADMIN_KEY },
      openai: { baseUrl: settings.OPENAI_BASE_URL, apiKey: settings.OPENAI_API_KEY, adminKey: settings.OPENAI_ADMIN_KEY },
    },
    mail: { smtpUrl: settings.SMTP_URL, from: settings.MAIL_FROM, groups, targets },
    runbooks: settings.RUNBOOKD_RUNBOOKS,
    attacks: settings.RUNBOOKD_ATTACKS,
    httpAllow: settings.RUNBOOKD_HTTP_ALLOW ?? [],
    concurrency: settings.RUNBOOKD_CONCURRENCY,
    maxBudgets: settings.RUNBOOKD_MAX_BUDGETS,
    usageRetention: {
      retentionMs: settings.RUNBOOKD_USAGE_EVENT_DAYS * dayMs,
      maxBytes: usageBytesOf(settings),
    },
    usageDays: settings.RUNBOOKD_USAGE_DAYS,
    unknownCostUsd: settings.RUNBOOKD_UNKNOWN_COST_USD,
    findingDays: settings.RUNBOOKD_FINDING_DAYS,
    graceMs: settings.RUNBOOKD_GRACE_SECONDS * 1000,
    freezeFile: settings.RUNBOOKD_FREEZE_FILE,
    ticketWork: ticketWorkOf(settings),
    timeFactor: settings.RUNBOOKD_TIME_FACTOR,
    logLevel: settings.RUNBOOKD_LOG_LEVEL,
    guardrails: settings.guardrails ?? {},
    severities: settings.severities ?? {},
    protectedTargets: settings.protected_targets ?? [],
    commands: commands.templates,
    features,
    ...readCodeHosts(settings, features, faults),
    priceTable: settings.price_table,
    priceOverlay: settings.price_overlay,
    modelTable: settings.model_table,
    secrets,
  };
}

/** What an event takes in Redis, about. */
const usageEventBytes = 600;

function usageBytesOf({ RUNBOOKD_USAGE_MEGABYTES: megabytes, RUNBOOKD_USAGE_EVENTS: events }: Settings): number {
  if (megabytes === undefined && events !== undefined) return events * usageEventBytes;
  return (megabytes ?? 64) * 1024 * 1024;
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

/** Features with probes that may be sent: their origins are permitted like those of any other request. What carries out their jobs is there. */
function readFeatures(
  { features, RUNBOOKD_HTTP_ALLOW: allowed = [] }: Settings,
  commands: readonly CommandTemplate[],
  faults: ConfigFault[],
): Config["features"] {
  const read = featuresOf(features ?? {});
  for (const { name, probe } of read) {
    if (probe === undefined || allowed.includes(new URL(probe.url).origin)) continue;
    faults.push({
      key: "features",
      source: "together",
      problem: `(at ${name}.probe.url) names the origin ${new URL(probe.url).origin}, which RUNBOOKD_HTTP_ALLOW does not list`,
      accepted: "an origin that RUNBOOKD_HTTP_ALLOW lists",
    });
  }
  for (const { at, problem, accepted } of featureJobFaults(read, { commands, allowed }))
    faults.push({ key: "features", source: "together", problem: `(at ${at}) ${problem}`, accepted });
  return read;
}

function passwordOf(url: string | undefined): string[] {
  if (url === undefined || !URL.canParse(url)) return [];
  const { password } = new URL(url);
  return password === "" ? [] : [password, decodeURIComponent(password)];
}

function ticketWorkOf({ RUNBOOKD_TICKET_REPOSITORY: written, RUNBOOKD_TICKET_WORKTREES: worktrees }: Settings): Config["ticketWork"] {
  const repository = written?.replace(/\/+$/, "");
  return repository === undefined ? undefined : { repository, worktrees: worktrees ?? `${repository}-worktrees` };
}
