import { parseArgs } from "node:util";

/** What can go wrong in the demo. */
export const scenarioNames = ["cost", "cache", "batch", "ticket", "migration", "security"] as const;

/** See {@link scenarioNames}. */
export type ScenarioName = (typeof scenarioNames)[number];

/** A canary needs stages that are long enough for tickets and short enough to watch. */
const defaultFactors: { readonly [Name in ScenarioName]: number } = {
  cost: 60,
  cache: 120,
  batch: 60,
  ticket: 60,
  migration: 60,
  security: 60,
};

/** Where the code of the scenario `security` is kept. */
export const codeHosts = ["github", "git"] as const;

/** How the demo was asked to run. */
export interface DemoOptions {
  /** Exit when the incident is closed. */
  readonly once: boolean;
  /** The observed timeline as JSON on the last line. */
  readonly json: boolean;
  /** SIGKILL the worker once in the middle of the run. */
  readonly killWorker: boolean;
  /** Each change of the run waits for a person; only the scenario `cost` has that. */
  readonly approve: boolean;
  /** Every duration of rules, configuration and runbooks is divided by it. */
  readonly factor: number;
  /** The factor was not named, so that a busy machine may lower it. */
  readonly mayGoSlower: boolean;
  readonly seed: number;
  readonly scenario: ScenarioName;
  /** Of the scenario `security`: a server like GitHub, or plain git. */
  readonly codeHost: (typeof codeHosts)[number];
  /** Keep the folder with logs, configuration and evidence. */
  readonly keep: boolean;
}

/** What `--help` prints. */
export const demoHelp = `Usage: npm run demo -- [options]

Starts Redis, runbookd, Prometheus, Alertmanager, a mail sink, a model server and a workload on this machine,
lets something go wrong, and shows how the runbook handles it. Ends with Ctrl-C.

Options:
  --once            exit when the incident is closed: 0 only if every stage was observed and the run succeeded
  --json            the last line is the observed timeline as JSON
  --kill-worker     kill the worker process (SIGKILL) once in the middle of the run and start it again
  --approve         each change of the runbook of scenario cost waits for your approval in the console
  --factor <n>      divide every duration of the shipped rules, configuration and runbooks by n (default 60, cache 120;
                    less on a busy machine)
  --seed <n>        seed of the model server's answers (default 1)
  --scenario <name> what goes wrong:
                    cost       the retries of one prompt run wild and burn the budget (default)
                    cache      a prompt is laid out so that nothing of it is read from the provider's cache
                    batch      200 tickets in batches, with 429s, killed workers, a poisoned ticket and expired items
                    ticket     a worker dies in the middle of a ticket that is code work
                    migration  a model is retired: a candidate that fails at real tickets, then one that does not
                    security   a customer's ticket makes the model send out its prompt; a fix is proven and rolled out
  --code-host <name> where the fix of security is merged: github (default; a server like it) or git
  --keep            keep logs, rendered configuration and evidence
  --help            this text

Exit codes: 0 held, 1 a fault, 2 wrong arguments, 75 this machine is too busy for the demo.

Example: npm run demo -- --once --json
`;

/** The options, `help`, or one sentence that says which argument is wrong and what would be accepted. */
export type ParsedOptions =
  | { readonly kind: "options"; readonly options: DemoOptions }
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string };

/** Reads command line arguments (without node and the script). */
export function parseDemoOptions(argv: readonly string[]): ParsedOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        once: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        "kill-worker": { type: "boolean", default: false },
        approve: { type: "boolean", default: false },
        factor: { type: "string" },
        seed: { type: "string", default: "1" },
        scenario: { type: "string", default: "cost" },
        "code-host": { type: "string", default: "github" },
        keep: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    return { kind: "wrong", message: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { kind: "help" };
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0)
    return { kind: "wrong", message: `--seed ${values.seed}: a whole number from 0 is accepted` };
  const scenario = scenarioNames.find((name) => name === values.scenario);
  if (scenario === undefined) {
    return { kind: "wrong", message: `--scenario ${values.scenario}: accepted are ${scenarioNames.join(", ")}` };
  }
  if (values.approve && scenario !== "cost")
    return { kind: "wrong", message: `--approve: accepted with --scenario cost, not with ${scenario}` };
  const codeHost = codeHosts.find((name) => name === values["code-host"]);
  if (codeHost === undefined) return { kind: "wrong", message: `--code-host ${values["code-host"]}: accepted are ${codeHosts.join(", ")}` };
  const factor = Number(values.factor ?? defaultFactors[scenario]);
  if (!Number.isFinite(factor) || factor < 20 || factor > 120) {
    return { kind: "wrong", message: `--factor ${values.factor}: a number from 20 (slow) to 120 (windows of a few scrapes) is accepted` };
  }
  const options = {
    once: values.once,
    json: values.json,
    killWorker: values["kill-worker"],
    approve: values.approve,
    factor,
    mayGoSlower: values.factor === undefined,
    seed,
    scenario,
    codeHost,
    keep: values.keep,
  };
  return { kind: "options", options };
}
