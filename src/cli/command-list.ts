import type { CommandBody, CommandDefinition, CommandHead } from "./define-command.ts";

/** One word behind `runbookd`. What it does is loaded only when it is asked for: most commands need a small part of the program. */
export interface CommandEntry extends CommandHead {
  /** What the command itself does; without it the entry is a group, which only holds others. */
  readonly body?: () => Promise<CommandBody>;
  /** The commands below it. */
  readonly members?: () => Promise<readonly CommandDefinition[]>;
}

const settings = "Settings come from the environment and runbookd.yml; `runbookd schema config` lists them.";

/** Every command, in the order of the help. Importing this loads none of them. */
export const commandList: readonly CommandEntry[] = [
  {
    usage: "up",
    summary: `Run server and worker in one process. Starts an embedded Redis unless REDIS_URL is set. ${settings}`,
    body: async () => (await import("./commands/serve.ts")).upCommand,
  },
  {
    usage: "server",
    summary: `Receive alerts and serve the API. ${settings}`,
    body: async () => (await import("./commands/serve.ts")).serverCommand,
  },
  {
    usage: "worker",
    summary: `Carry out runs and send mails. ${settings}`,
    body: async () => (await import("./commands/serve.ts")).workerCommand,
  },
  {
    usage: "work <queue>",
    summary: `Work on the tickets of one queue in the repository of RUNBOOKD_TICKET_REPOSITORY, each stage done by a registered command. ${settings}`,
    body: async () => (await import("./commands/serve.ts")).workCommand,
  },
  {
    usage: "doctor",
    summary: "Check Redis, Prometheus, Alertmanager's route to us, mail and file permissions; print what to fix",
    body: async () => (await import("./commands/doctor-command.ts")).doctorCommand,
  },
  {
    usage: "lint [paths...]",
    summary: "Check runbooks, their alerts and the routes to them; every fault has file:line:column",
    body: async () => (await import("./commands/lint-command.ts")).lintCommand,
  },
  {
    usage: "index [folder]",
    summary: "Write the index of the runbooks: purpose, steps, alerts and automated share",
    body: async () => (await import("./commands/index-command.ts")).indexCommand,
  },
  {
    usage: "new <id>",
    summary: "Write a new runbook, its alert rule, the rule's test and a rehearsal; all pass as they are",
    body: async () => (await import("./commands/new-command.ts")).newCommand,
  },
  {
    usage: "rules [folder]",
    summary:
      "Write the alert rules with the addresses that people reach runbookd and Grafana at; the folder is `alerts` unless one is named",
    body: async () => (await import("./commands/rules-command.ts")).rulesCommand,
  },
  {
    usage: "schema [what]",
    summary: "Print the JSON Schema of a runbook's front matter, of all actions or of runbookd.yml: runbook (default), actions, config",
    body: async () => (await import("./commands/schema-command.ts")).schemaCommand,
  },
  {
    usage: "rehearse [runbooks...]",
    summary: "Rehearse runbooks in virtual time against simulators: alert in, faults, effects and outcome expected",
    body: async () => (await import("./commands/rehearse-command.ts")).rehearseCommand,
  },
  {
    usage: "replay",
    summary: "Decide recorded webhooks anew, and show what an edited runbook would change",
    body: async () => (await import("./commands/replay-command.ts")).replayCommand,
  },
  {
    usage: "run <runbook>",
    summary: "Start a runbook by hand",
    body: async () => (await import("./commands/start-run.ts")).runCommand,
  },
  {
    usage: "watch [run]",
    summary:
      "Follow what happens: open questions and runs, or one run until it ends. Exit code 0: interrupted, or the run succeeded; 1: it ended otherwise, or was not followed to its end",
    body: async () => (await import("./commands/watch-command.ts")).watchCommand,
  },
  {
    usage: "freeze [scope]",
    summary:
      "Hold back every effect and every new run of a scope (all, runbook:<id>, action:<name> or target:<id>; all when none is named) until it is lifted. While Redis is down, create the file of RUNBOOKD_FREEZE_FILE instead",
    body: async () => (await import("./commands/freeze-command.ts")).freezeCommand,
  },
  {
    usage: "unfreeze [scope]",
    summary: "Lift the freeze of a scope (all when none is named); runs that it held back go on by themselves",
    body: async () => (await import("./commands/freeze-command.ts")).unfreezeCommand,
  },
  {
    usage: "alert",
    summary: "Try the way of an alert",
    members: async () => (await import("./commands/alert-command.ts")).alertCommands(),
  },
  {
    usage: "why [alert]",
    summary: "Say why an alert started a run or none, and what would change it; without a name, of the newest alerts",
    body: async () => (await import("./commands/why-command.ts")).whyCommand,
  },
  {
    usage: "runs",
    summary: "Read and steer runs",
    members: async () => (await import("./commands/runs-command.ts")).runsCommands(),
  },
  {
    usage: "approvals",
    summary: "List and answer questions to people: approvals, manual steps, failures and unknown outcomes",
    members: async () => (await import("./commands/approvals-command.ts")).approvalsCommands(),
  },
  {
    usage: "audit",
    summary: "Read what people did, and prove that no record of them or of a run was changed",
    members: async () => (await import("./commands/audit-command.ts")).auditCommands(),
  },
  {
    usage: "batches",
    summary: "Create, watch, pause, resume and cancel batches of tickets",
    members: async () => (await import("./commands/batches-command.ts")).batchesCommands(),
  },
  {
    usage: "tickets",
    summary: "Read tickets, their checkpoints and what no checkpoint can keep",
    members: async () => (await import("./commands/tickets-command.ts")).ticketsCommands(),
  },
  {
    usage: "prompts",
    summary: "Show how each prompt is cached, what breaks its prefix, what mends it and what that is predicted to save",
    body: async () => (await import("./commands/prompts-command.ts")).promptsCommand,
    members: async () => (await import("./commands/prompt-versions.ts")).promptVersionCommands(),
  },
  {
    usage: "findings",
    summary: "List what was found out about the workload, the gravest first, and what people said of it",
    body: async () => (await import("./commands/findings-command.ts")).findingsCommand,
    members: async () => (await import("./commands/findings-command.ts")).findingsCommands(),
  },
  {
    usage: "attacks",
    summary: "Record attacks on features, and replay them against isolated instances",
    members: async () => (await import("./commands/attacks-command.ts")).attacksCommands(),
  },
  {
    usage: "routes",
    summary: "Show and set which model tickets get, and the share of one on trial",
    members: async () => (await import("./commands/routes-command.ts")).routesCommands(),
  },
  {
    usage: "flags",
    summary: "Show and set which features are on, and switch one off",
    members: async () => (await import("./commands/flags-command.ts")).flagsCommands(),
  },
  {
    usage: "rollouts",
    summary: "Show and steer rollouts: something new for a growing share of the tickets",
    members: async () => (await import("./commands/rollouts-command.ts")).rolloutsCommands(),
  },
  {
    usage: "prices",
    summary: "Show what tokens cost, check a table of your own, and import published lists",
    members: async () => (await import("./commands/prices-command.ts")).pricesCommands(),
  },
  {
    usage: "explain",
    summary: "Say what lies behind a number",
    members: async () => (await import("./commands/explain-command.ts")).explainCommands(),
  },
  {
    usage: "budgets",
    summary: "Show what budgets were spent on, and correct costs that are estimated or in conflict",
    members: async () => (await import("./commands/budgets-command.ts")).budgetsCommands(),
  },
  {
    usage: "changes",
    summary: "Tell and list changes of the workload; a rise of cost names those that it coincides with",
    members: async () => (await import("./commands/changes-command.ts")).changesCommands(),
  },
  {
    usage: "token",
    summary: "Create, list and revoke the tokens that callers of the API show",
    members: async () => (await import("./commands/token-command.ts")).tokenCommands(),
  },
];
