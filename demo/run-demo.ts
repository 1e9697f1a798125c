import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../src/core/clock.ts";
import { formatDuration } from "../src/core/duration.ts";
import { createDemoFolder, type DemoFolder, findProjectRoot } from "./demo-folder.ts";
import type { DemoOptions } from "./demo-options.ts";
import { choosePace, measureCpuShare, type Pace } from "./measure-machine.ts";
import type { Presenter } from "./presenter.ts";
import { createProcessGroup } from "./process-group.ts";
import type { Played } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";
import { type DemoSystem, startSystem } from "./start-system.ts";

/** What the demo needs from its process. */
export interface DemoContext {
  readonly options: DemoOptions;
  readonly clock: Clock;
  readonly presenter: Presenter;
  /** Aborted by Ctrl-C and its like. */
  readonly signal: AbortSignal;
  /** Writes a line behind everything that was shown. */
  readonly print: (line: string) => void;
  /** Folder of the running program, to find the project from. */
  readonly programFolder: string;
}

async function addresses(system: DemoSystem, folder: DemoFolder): Promise<readonly string[]> {
  return [
    `Console ${await system.api.signInLink()}   signs in once, within ten minutes`,
    `runbookd ${system.runbookdUrl}   Prometheus ${system.prometheusUrl}   Alertmanager ${system.alertmanagerUrl}`,
    `Admin token ${system.adminToken}`,
    `Logs, rendered configuration and evidence: ${folder.root}`,
    "Everything keeps running until Ctrl-C.",
  ];
}

/** Exit code: the machine cannot hold the demo now; as EX_TEMPFAIL of sysexits. */
const tooBusy = 75;

function paceOf({ options, clock }: DemoContext): Pace {
  return options.mayGoSlower ? choosePace(options.factor, measureCpuShare(clock)) : { kind: "as_asked", factor: options.factor };
}

/** The mail as it arrived, beside the logs. */
async function saveReport({ root }: DemoFolder, mail: Played["mail"]): Promise<void> {
  if (mail === undefined) return;
  await writeFile(join(root, "report.txt"), mail.text);
  await writeFile(join(root, "report.html"), mail.html);
}

/** Runs the whole demo and answers the exit code. Everything that was started is ended when it returns or rejects. */
export async function runDemo(context: DemoContext): Promise<number> {
  const { clock, presenter, signal, print } = context;
  const pace = paceOf(context);
  if (pace.kind === "too_busy") {
    print(
      "This machine is too busy for the demo: even at its slowest it would miss what it must observe. Try again when less runs beside it, or name a --factor.",
    );
    return tooBusy;
  }
  const { factor } = pace;
  const options = { ...context.options, factor };
  const { seed } = options;
  const projectRoot = findProjectRoot(context.programFolder);
  const scenario = scenarios[options.scenario];
  const play = scenario.prepare(options);
  const folder = await createDemoFolder();
  let clean = true;
  try {
    await using group = createProcessGroup(folder.logs);
    if (pace.kind === "slower") presenter.say("This machine is busy, so the demo runs slower than usual.");
    presenter.say(
      `Every duration of the shipped rules, configuration and runbooks is divided by ${factor}: a budget's 30 days last ${formatDuration(Math.round((30 * 86_400_000) / factor))}, an hour ${formatDuration(3_600_000 / factor)}.`,
    );
    const services = { group, clock, projectRoot, folder: folder.root, signal };
    await using system = await startSystem({
      services,
      folder,
      factor,
      model: { ...scenario.model(options), seed },
      settings: async (modelUrl) => ({ ...scenario.settings, ...(await play.settings?.({ folder, modelUrl })) }),
      parameters: scenario.parameters ?? {},
      asking: options.approve ? scenario.approvable : undefined,
      say: (text) => presenter.say(text),
    });
    presenter.say(`Watch and answer in the console: ${await system.api.signInLink()} (signs in once, within ten minutes)`);
    const { faults, summary, mail, leaveRunning } = await play.play({ options, clock, presenter, signal, folder, services, system });
    presenter.close();
    clean = faults.length === 0;
    for (const line of summary) print(line);
    for (const fault of faults) print(`✘ ${fault}`);
    if (!clean) for (const { name, logFile } of group.all) print(`  log of ${name}: ${logFile}`);
    if (options.keep) await saveReport(folder, mail);
    if (options.keep) print(`Logs, rendered configuration and evidence: ${folder.root}`);
    if (!options.once) {
      for (const line of leaveRunning?.() ?? []) print(line);
      for (const line of await addresses(system, folder)) print(line);
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    }
    if (options.json) print(play.line());
    return clean ? 0 : 1;
  } catch (error) {
    presenter.close();
    if (signal.aborted) return 130;
    clean = false;
    print(error instanceof Error ? error.message : String(error));
    print(`Logs: ${folder.logs}`);
    if (options.json) print(play.line());
    return 1;
  } finally {
    presenter.close();
    await play.end?.();
    if (clean && !options.keep) await rm(folder.root, { recursive: true, force: true });
  }
}
