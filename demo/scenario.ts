import type { Clock } from "../src/core/clock.ts";
import type { ServiceContext } from "./backing-services.ts";
import type { DemoFolder } from "./demo-folder.ts";
import type { DemoOptions } from "./demo-options.ts";
import type { Presenter } from "./presenter.ts";
import type { ModelServerOptions } from "./simulators/model-server/model-server.ts";
import type { DemoSystem } from "./start-system.ts";

/** What a scenario plays on: everything runs, nothing has happened yet. */
export interface ScenarioContext {
  readonly options: DemoOptions;
  readonly clock: Clock;
  readonly presenter: Presenter;
  /** Aborted by Ctrl-C and its like. */
  readonly signal: AbortSignal;
  readonly folder: DemoFolder;
  /** To start further programs with; they end with the demo. */
  readonly services: ServiceContext;
  readonly system: DemoSystem;
}

/** What a scenario came to. */
export interface Played {
  /** What was missed or went wrong, one sentence each; empty only when everything was observed. */
  readonly faults: readonly string[];
  /** What people read at the end, the report first. */
  readonly summary: readonly string[];
  /** The report as it was mailed, if it was. */
  readonly mail?: { readonly text: string; readonly html: string };
  /** Called when the demo keeps running: puts right what only people can put right, and says so. */
  readonly leaveRunning?: () => readonly string[];
}

/** One play of a scenario. */
export interface Play {
  /** Further settings of server and worker that are known only when the model server runs, e.g. its address. A `runbookd.yml` in the folder's root is read too. */
  settings?(places: { readonly folder: DemoFolder; readonly modelUrl: string }): Promise<Readonly<Record<string, string>>>;
  /** Starts the workload, lets something go wrong, and watches until the incident is closed or hopeless. Rejects when it is aborted or cannot start. */
  play(context: ScenarioContext): Promise<Played>;
  /** The last line of `--json`, from whatever was observed so far. */
  line(): string;
  /** Ends what `settings` has started. */
  end?(): Promise<void>;
}

/** One thing that goes wrong, and how runbookd handles it. */
export interface Scenario {
  /** How the model server behaves; its answers are seeded by the option. */
  model(options: DemoOptions): Omit<ModelServerOptions, "seed">;
  /** Further settings of server and worker, in the environment's form. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Defaults of parameters in the copy of a shipped runbook, as its owner would set them for this workload; durations before they are divided. */
  readonly parameters?: { readonly [runbook: string]: { readonly [parameter: string]: string } };
  /** Runbook whose copy asks a person before each change when the demo was started with `--approve`. */
  readonly approvable?: string;
  prepare(options: DemoOptions): Play;
}
