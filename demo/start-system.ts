import { join } from "node:path";
import type { Clock } from "../src/core/clock.ts";
import { createSystemRandom } from "../src/core/random.ts";
import { createTokenFile } from "../src/platform/http/token-file.ts";
import { answers, type ServiceContext, startAlertmanager, startPrometheus, startRedis, waitForProcess } from "./backing-services.ts";
import type { DemoFolder } from "./demo-folder.ts";
import { freePorts } from "./free-ports.ts";
import { type MailSink, startMailSink } from "./mail-sink.ts";
import type { StartedProcess } from "./process-group.ts";
import { renderConfig } from "./render-config.ts";
import { createRunbookdApi, type RunbookdApi } from "./runbookd-api.ts";
import { type ModelServer, type ModelServerOptions, startModelServer } from "./simulators/model-server/model-server.ts";

/** Everything that runs, and where. */
export interface DemoSystem extends AsyncDisposable {
  readonly redisUrl: string;
  readonly runbookdUrl: string;
  readonly prometheusUrl: string;
  readonly alertmanagerUrl: string;
  readonly api: RunbookdApi;
  /** The same as another person, who approves what the first one asked for. */
  readonly colleague: RunbookdApi;
  /** The same as a third person, where two must approve. */
  readonly deputy: RunbookdApi;
  readonly adminToken: string;
  readonly model: ModelServer;
  readonly mail: MailSink;
  /** For the scenario's own applications. */
  readonly workloadToken: string;
  worker(): StartedProcess;
  /** Kills the runbookd worker without warning and starts another one. */
  replaceWorker(): void;
}

/** What is started with. */
export interface SystemOptions {
  readonly services: ServiceContext;
  readonly folder: DemoFolder;
  readonly factor: number;
  readonly model: ModelServerOptions;
  /** Further settings of server and worker, once the model server has an address. */
  readonly settings: (modelUrl: string) => Promise<Readonly<Record<string, string>>>;
  /** Defaults of parameters in the copies of the shipped runbooks. */
  readonly parameters: { readonly [runbook: string]: { readonly [parameter: string]: string } };
  /** Shipped runbook whose copy asks a person before each change. */
  readonly asking?: string | undefined;
  readonly say: (text: string) => void;
}

async function token(folder: DemoFolder, clock: Clock, name: string, role: "admin" | "approver" | "workload"): Promise<string> {
  const created = await createTokenFile(join(folder.data, "tokens.json"), { clock, random: createSystemRandom() }).create(name, role);
  if (created === undefined) throw new Error(`The token ${name} exists already in ${folder.data}.`);
  return created;
}

/** Starts every part and resolves when all of them are ready. What was started is ended again when a later part fails. */
export async function startSystem(options: SystemOptions): Promise<DemoSystem> {
  const mail = await startMailSink(options.services.clock);
  const model = await startModelServer(options.model);
  const end = async () => {
    await model[Symbol.asyncDispose]();
    await mail[Symbol.asyncDispose]();
  };
  try {
    const settings = await options.settings(model.url);
    return { ...(await startProcesses(options, { mail, settings })), model, mail, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

type Processes = Omit<DemoSystem, "model" | "mail" | typeof Symbol.asyncDispose>;

async function startProcesses(
  { services, folder, factor, parameters, asking, say }: SystemOptions,
  { mail, settings }: { readonly mail: MailSink; readonly settings: Readonly<Record<string, string>> },
): Promise<Processes> {
  const { clock, group, projectRoot } = services;
  const [redisPort, prometheusPort, alertmanagerPort, port, serverMetrics, workerMetrics] = await freePorts(6);
  if (workerMetrics === undefined || serverMetrics === undefined || port === undefined) throw new Error("Too few free ports.");
  if (redisPort === undefined || prometheusPort === undefined || alertmanagerPort === undefined) throw new Error("Too few free ports.");

  const runbookdUrl = `http://127.0.0.1:${port}`;
  const webhookToken = createSystemRandom().token();
  const rendered = await renderConfig(projectRoot, folder.config, factor, {
    parameters,
    asking,
    metrics: [`127.0.0.1:${serverMetrics}`, `127.0.0.1:${workerMetrics}`],
    alertmanager: `127.0.0.1:${alertmanagerPort}`,
    webhookUrl: `${runbookdUrl}/webhooks/alertmanager`,
    webhookToken,
    smtp: mail.url.replace("smtp://", ""),
  });

  const [redisUrl, prometheusUrl, alertmanagerUrl] = await Promise.all([
    startRedis(services, redisPort),
    startPrometheus(services, prometheusPort, rendered.prometheus, factor),
    startAlertmanager(services, alertmanagerPort, rendered.alertmanager),
  ]);
  say(`Redis, Prometheus (${prometheusUrl}) and Alertmanager (${alertmanagerUrl}) are up`);

  const main = join(projectRoot, "dist", "src", "cli", "main.js");
  const environment = {
    REDIS_URL: redisUrl,
    RUNBOOKD_DATA: folder.data,
    RUNBOOKD_PORT: String(port),
    RUNBOOKD_WEBHOOK_TOKEN: webhookToken,
    RUNBOOKD_PUBLIC_URL: runbookdUrl,
    PROMETHEUS_URL: prometheusUrl,
    ALERTMANAGER_URL: alertmanagerUrl,
    SMTP_URL: mail.url,
    MAIL_FROM: "runbookd@demo.invalid",
    MAIL_TO: "oncall@demo.invalid",
    RUNBOOKD_RUNBOOKS: rendered.runbooks,
    RUNBOOKD_TIME_FACTOR: String(factor),
    ...settings,
  };
  const startRunbookd = (command: "server" | "worker", metricsPort: number) =>
    group.start({
      name: `runbookd-${command}`,
      program: process.execPath,
      args: [main, command],
      env: { ...environment, RUNBOOKD_METRICS_PORT: String(metricsPort) },
      // A runbookd.yml of the user must not leak into the demo.
      cwd: folder.root,
    });
  const adminToken = await token(folder, clock, "demo", "admin");
  const approverToken = await token(folder, clock, "demo-colleague", "approver");
  const deputyToken = await token(folder, clock, "demo-deputy", "approver");
  const workloadToken = await token(folder, clock, "demo-workload", "workload");
  const server = startRunbookd("server", serverMetrics);
  await waitForProcess(services, server, () => answers(`${runbookdUrl}/healthz`));
  let worker = startRunbookd("worker", workerMetrics);
  await waitForProcess(services, worker, () => answers(`http://127.0.0.1:${workerMetrics}/metrics`));
  say(`runbookd server (${runbookdUrl}) and worker are up`);

  return {
    redisUrl,
    runbookdUrl,
    prometheusUrl,
    alertmanagerUrl,
    api: createRunbookdApi(runbookdUrl, adminToken),
    colleague: createRunbookdApi(runbookdUrl, approverToken),
    deputy: createRunbookdApi(runbookdUrl, deputyToken),
    adminToken,
    workloadToken,
    worker: () => worker,
    replaceWorker() {
      worker.signal("SIGKILL");
      worker = startRunbookd("worker", workerMetrics);
    },
  };
}
