import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { readExploitationFeeds } from "../../app/open-exploitation.ts";
import { readModelLists } from "../../app/open-models.ts";
import { readSecuritySources } from "../../app/open-security-findings.ts";
import type { Clock } from "../../core/clock.ts";
import { type Finding, fault, fine, warning } from "../../core/diagnosis.ts";
import { openAnthropic } from "../../integrations/anthropic/open-anthropic.ts";
import { gitHubSourceName } from "../../integrations/github/github-finding.ts";
import { openOpenAi } from "../../integrations/openai/open-openai.ts";
import { createPrometheusClient } from "../../integrations/prometheus/create-prometheus-client.ts";
import { createSmtpSender } from "../../integrations/smtp/create-smtp-sender.ts";
import type { ExploitationFeed } from "../../llm/findings/exploitation.ts";
import type { Config, Endpoint } from "../../platform/config/config.ts";
import { adminTokenPath, auditAnchorPath, tokenFilePath } from "../../platform/config/data-folder.ts";
import { addressOf, connectRedis, type RedisAddress } from "../../platform/redis/connection.ts";
import { judgeRedis, judgeReplicas } from "../../platform/redis/judge-redis.ts";
import { judgeSchema } from "../../platform/redis/judge-schema.ts";
import { readRedisFacts } from "../../platform/redis/read-redis-facts.ts";
import { readSchema } from "../../platform/redis/schema-version.ts";
import { workloadKeys } from "../../platform/redis/workload-keys.ts";
import { createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import type { CommandContext } from "../context.ts";
import { examineCodeHosts } from "./examine-code-hosts.ts";
import { examineCommands } from "./examine-commands.ts";
import { examineSwitches } from "./examine-switches.ts";
import { judgeAlertmanagerConfig } from "./judge-alertmanager.ts";
import { judgeBudgets } from "./judge-budgets.ts";
import { judgeExploitation } from "./judge-exploitation.ts";
import { judgeFeatures } from "./judge-features.ts";
import { judgeModelLists } from "./judge-models.ts";
import { judgeSecuritySources } from "./judge-security-sources.ts";

/** Looks at everything that a running runbookd needs; never rejects. In the order in which to fix things. */
export async function examine(config: Config, context: CommandContext): Promise<readonly Finding[]> {
  const parts = await Promise.all([
    examineRedis(config, context.clock),
    examinePrometheus(config.prometheus, context),
    ...config.alertmanagers.map((endpoint) => examineAlertmanager(endpoint, context)),
    ...(config.alertmanagers.length === 0 ? [Promise.resolve([noAlertmanager])] : []),
    examineMail(config, context),
    examineProviders(config),
    examineSwitches(config, context),
    examineCodeHosts(config, context),
    Promise.resolve([
      ...examineCommands(config.commands, context.env["PATH"] ?? ""),
      examineRunbooks(config),
      ...examineFiles(config, context),
      examineAnchor(config),
    ]),
  ]);
  return parts.flat();
}

const noAlertmanager = warning("Alertmanager", "not configured", "Set ALERTMANAGER_URL, so that its route to us can be checked.");

async function examineRedis(config: Config, clock: Clock): Promise<readonly Finding[]> {
  const address = givenAddress(config);
  if (address === undefined) {
    return [
      fine("Redis", "our own redis-server, not running now; runbookd up, server and worker start it with the right settings"),
      ...judgeFeatures(config.features, undefined),
    ];
  }
  const redis = connectRedis(address, "request");
  try {
    await new Promise<void>((resolve, reject) => {
      redis.once("ready", resolve).once("error", reject);
      clock.after(3000, () => reject(new Error("no answer within 3 s")));
    });
    const facts = await readRedisFacts(redis);
    return [
      fine("Redis", "reachable"),
      ...judgeRedis(facts, config.durableBy),
      judgeReplicas(facts, config.replicas),
      judgeSchema(await readSchema(redis)),
      ...judgeSecuritySources(await readSecuritySources(redis), securitySources(config), clock.now()),
      ...judgeExploitation(await readExploitationFeeds(redis), exploitationFeedsOf(config), clock.now()),
      ...judgeModelLists(await readModelLists(redis), providersWithKeys(config), clock.now()),
      judgeBudgets(await redis.scard(workloadKeys.budgets), config.maxBudgets),
      ...judgeFeatures(config.features, await redis.smembers(workloadKeys.budgets)),
    ];
  } catch (error) {
    return [
      fault("Redis", `cannot be reached: ${messageOf(error)}`, "Start it, or correct REDIS_URL. Nothing is accepted without it."),
      ...judgeFeatures(config.features, undefined),
    ];
  } finally {
    redis.disconnect();
  }
}

function providersWithKeys({ providers: { anthropic, openai } }: Config): readonly string[] {
  return [...(anthropic.apiKey === undefined ? [] : ["anthropic"]), ...(openai.apiKey === undefined ? [] : ["openai"])];
}

function securitySources({ gitHub }: Config): readonly string[] {
  return (gitHub?.alerts ?? []).map((kind) => gitHubSourceName(kind));
}

function exploitationFeedsOf({ exploitation: { kevUrl, epssUrl } }: Config): readonly ExploitationFeed[] {
  return [...(kevUrl === undefined ? [] : (["kev"] as const)), ...(epssUrl === undefined ? [] : (["epss"] as const))];
}

function givenAddress({ redis, dataFolder }: Config): RedisAddress | undefined {
  if (redis.kind !== "embedded") return addressOf(redis);
  const socketPath = join(dataFolder, "redis", "redis.sock");
  return existsSync(socketPath) ? { socketPath } : undefined;
}

async function examinePrometheus(endpoint: Endpoint | undefined, { clock, signal }: CommandContext): Promise<readonly Finding[]> {
  if (endpoint === undefined) {
    return [
      fault("Prometheus", "not configured", "Set PROMETHEUS_URL: without it every verification is inconclusive, and no run succeeds."),
    ];
  }
  const client = createPrometheusClient({ ...endpoint, clock });
  try {
    const answer = await client.query("vector(1)", { signal: AbortSignal.any([signal, clock.timeout(5000)]) });
    if (answer.kind === "samples") return [fine("Prometheus", endpoint.url)];
    return [
      fault(
        "Prometheus",
        `${endpoint.url}: ${answer.reason}`,
        "Correct PROMETHEUS_URL, or its credentials under prometheus in runbookd.yml.",
      ),
    ];
  } finally {
    await client.close();
  }
}

const statusSchema = z.looseObject({ config: z.looseObject({ original: z.string() }) });

async function examineAlertmanager(endpoint: Endpoint, { clock, signal }: CommandContext): Promise<readonly Finding[]> {
  const sender = createBoundedSender(defaultRequestLimits, { clock, ca: endpoint.ca });
  const fix = "Correct ALERTMANAGER_URL, or its credentials under alertmanager in runbookd.yml.";
  try {
    const url = `${endpoint.url.replace(/\/+$/, "")}/api/v2/status`;
    const answer = await sender.send({ method: "GET", url, headers: { ...endpoint.headers, accept: "application/json" }, signal });
    if (answer.kind === "failed") return [fault("Alertmanager", `${endpoint.url}: ${answer.failure.message}`, fix)];
    if (answer.status !== 200) return [fault("Alertmanager", `${endpoint.url} answered ${answer.status}`, fix)];
    const status = statusSchema.safeParse(JSON.parse(answer.body));
    if (!status.success) return [fault("Alertmanager", `${endpoint.url} answers as something else`, fix)];
    return [fine("Alertmanager", endpoint.url), ...judgeAlertmanagerConfig(status.data.config.original)];
  } catch (error) {
    return [fault("Alertmanager", `${endpoint.url}: ${messageOf(error)}`, fix)];
  } finally {
    await sender.close();
  }
}

/** How long the mail server may take for everything: each of its lines alone may come in time. */
const mailMs = 10_000;

async function examineMail({ mail }: Config, { clock, signal }: CommandContext): Promise<readonly Finding[]> {
  if (mail.smtpUrl === undefined || mail.from === undefined) {
    return [warning("Mail", "not configured", "Set SMTP_URL, MAIL_FROM and MAIL_TO; until then reports are kept and not sent.")];
  }
  const sender = createSmtpSender({ url: mail.smtpUrl, from: mail.from, timeoutMs: 5000 });
  try {
    const verified = await sender.verify(AbortSignal.any([signal, clock.timeout(mailMs)]));
    return [
      verified.ok ? fine("Mail", "the server lets us in") : fault("Mail", verified.error, "Correct SMTP_URL. Reports wait until it works."),
    ];
  } finally {
    sender.close();
  }
}

/** Whether the SDK of each configured provider is installed; the provider itself is not asked. */
async function examineProviders({ providers }: Config): Promise<readonly Finding[]> {
  const open = { anthropic: openAnthropic, openai: openOpenAi };
  const examined = (["anthropic", "openai"] as const).map(async (name) => {
    const { baseUrl, apiKey, adminKey } = providers[name];
    const key = apiKey ?? adminKey;
    if (key === undefined) return [];
    try {
      await open[name]({ baseUrl, apiKey: key });
      return [fine("Provider SDK", `that of ${name} is installed`)];
    } catch (error) {
      return [fault("Provider SDK", `that of ${name} cannot be loaded`, messageOf(error))];
    }
  });
  return (await Promise.all(examined)).flat();
}

function examineRunbooks(config: Config): Finding {
  if (existsSync(config.runbooks)) return fine("Runbooks", `${config.runbooks}; runbookd lint checks them`);
  return fault("Runbooks", `${config.runbooks} does not exist`, "Set RUNBOOKD_RUNBOOKS to the folder of your runbooks.");
}

/** Which process keeps the head of the audit log outside Redis: the server does; a process that works only keeps none. */
function examineAnchor({ dataFolder }: Pick<Config, "dataFolder">): Finding {
  const path = auditAnchorPath(dataFolder);
  if (existsSync(path))
    return fine("Audit anchor", `${path}, the server of this folder wrote it last at ${statSync(path).mtime.toISOString()}`);
  return fine("Audit anchor", "none in this folder: a server (runbookd up or server) keeps it in its own data folder, workers keep none");
}

/** Files that hold secrets and that exist. */
function examineFiles(config: Config, context: CommandContext): readonly Finding[] {
  const secretFiles = Object.entries(context.env).flatMap(([name, path]) =>
    name.endsWith("_FILE") && isOurs(name) && path !== undefined && path !== "" ? [path] : [],
  );
  const files = [tokenFilePath(config.dataFolder), adminTokenPath(config.dataFolder), ...secretFiles].filter((path) => existsSync(path));
  const open = files.filter((path) => (statSync(path).mode & 0o077) !== 0);
  if (open.length === 0)
    return [
      fine("File permissions", files.length === 0 ? "no file with secrets yet" : `${files.length} with secrets, for their owner only`),
    ];
  return open.map((path) => warning("File permissions", `${path} can be read by others`, `chmod 600 ${path}`));
}

function isOurs(name: string): boolean {
  return name !== "RUNBOOKD_FREEZE_FILE" && /^(?:RUNBOOKD|REDIS|SMTP)_/.test(name);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
