import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import { type NewRolloutInput, rolloutSchema, rolloutSummarySchema, rolloutViewSchema } from "../../../packages/sdk/src/wire/rollouts.ts";
import { durationGrammar, parseDuration } from "../../core/duration.ts";
import { oneLine } from "../../core/one-line.ts";
import { modelRefGrammar, parseModelRef } from "../../llm/models/model-ref.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, writeJson } from "../context.ts";
import { type CommandDefinition, type CommandInvocation, flagOption, textOption } from "../define-command.ts";
import { describeStep, describeSubject, renderRollout, renderRollouts } from "../render-rollout.ts";

/** `runbookd rollouts …`: something new for a growing share of the tickets. */
export function rolloutsCommands(): readonly CommandDefinition[] {
  return [listCommand, showCommand, startCommand, growCommand, holdCommand, takeBackCommand];
}

const listCommand: CommandDefinition = {
  usage: "list",
  summary: "List the rollouts of the last 30 days, live ones first",
  examples: ["runbookd rollouts list"],
  remote: true,
  async run(_args, invocation) {
    const { context } = invocation;
    const client = await createApiClient(invocation);
    const answer = await client.get("/api/rollouts", listSchema(rolloutSummarySchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items } = answer.body;
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else if (items.length === 0) context.write("There is no rollout. `runbookd rollouts start` makes one.\n");
    else context.write(renderRollouts(items));
    return exitCodes.ok;
  },
};

const showCommand: CommandDefinition = {
  usage: "show <rollout>",
  summary: "Show a rollout: its counts by step and arm, and the arithmetic that decides about it",
  examples: ["runbookd rollouts show implement-haiku"],
  remote: true,
  async run([id = ""], invocation) {
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/rollouts/${encodeURIComponent(id)}`, rolloutViewSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(renderRollout(answer.body));
    return exitCodes.ok;
  },
};

const reasonOption = { flags: "--reason <text>", description: "why; others read it, and it stands in the audit log" };

const startCommand: CommandDefinition = {
  usage: "start <rollout>",
  summary: "Give a rollout its first share, or let a held one go on; with --route, --prompt or --flag it is planned first",
  examples: [
    "runbookd rollouts start implement-haiku --route implement --to anthropic/claude-haiku-4-5 --deadline 2h --reason 'cheaper?'",
    "runbookd rollouts start implement-haiku --reason 'the tickets were lost in our own queue'",
  ],
  options: [
    { flags: "--route <route>", description: "the route whose tickets get another model" },
    { flags: "--prompt <prompt>", description: "the prompt whose tickets get another version" },
    { flags: "--flag <flag>", description: "the flag whose tickets get another variant" },
    { flags: "--to <what>", description: `the new model (${modelRefGrammar}), the number of the new version, or the new variant` },
    { flags: "--steps <shares>", description: "growing shares of the tickets, 0 to 1", default: "0.05,0.1,0.25,0.5,1" },
    { flags: "--interval <duration>", description: "shortest time of one step", default: "1h" },
    { flags: "--deadline <duration>", description: "a ticket that has not ended so long after its start counts as failed" },
    { flags: "--lag <duration>", description: "how long after its end the quality of a ticket may be revised", default: "1h" },
    { flags: "--margin <share>", description: "quality may be worse by less than this, 0 to 1", default: "0.1" },
    {
      flags: "--cost-limit <ratio>",
      description: "a success may cost at most this multiple of the old one; none: cost is not compared",
      default: "1.1",
    },
    reasonOption,
  ],
  remote: true,
  async run([id = ""], invocation) {
    const { context } = invocation;
    const reason = textOption(invocation, "reason");
    if (reason === undefined) return missingReason(invocation);
    const wanted = readWanted(id, invocation);
    if (typeof wanted === "string") {
      context.warn(`${wanted}\n`);
      return exitCodes.usage;
    }
    if (wanted !== undefined) {
      const client = await createApiClient(invocation);
      const planned = await client.post("/api/rollouts", { ...wanted, reason }, rolloutSchema);
      if (planned.kind !== "ok") return reportFailure(invocation, planned);
      if (!flagOption(invocation, "json")) context.write(`Rollout ${oneLine(id)} is planned, ${describeSubject(planned.body.subject)}.\n`);
    }
    return order(id, "start", invocation);
  },
};

const growCommand: CommandDefinition = {
  usage: "grow <rollout>",
  summary:
    "Let a rollout that no run drives go one step further, if its counts permit it; behind its last step every ticket gets the new variant",
  examples: ["runbookd rollouts grow implement-haiku --reason 'shown at a tenth'"],
  options: [reasonOption],
  remote: true,
  run: async ([id = ""], invocation) => order(id, "grow", invocation),
};

const holdCommand: CommandDefinition = {
  usage: "hold <rollout>",
  summary: "Keep the share of a rollout as it is until a person lets it go on or takes it back",
  examples: ["runbookd rollouts hold implement-haiku --reason 'two processes ignore the share'"],
  options: [reasonOption],
  remote: true,
  run: async ([id = ""], invocation) => order(id, "hold", invocation),
};

const takeBackCommand: CommandDefinition = {
  usage: "take-back <rollout>",
  summary: "Give new tickets the old variant again, which ends the rollout; tickets keep what they began with",
  examples: ["runbookd rollouts take-back implement-haiku --reason 'customers complain'"],
  options: [reasonOption],
  remote: true,
  run: async ([id = ""], invocation) => order(id, "take-back", invocation),
};

async function order(id: string, verb: "start" | "grow" | "hold" | "take-back", invocation: CommandInvocation) {
  const reason = textOption(invocation, "reason");
  if (reason === undefined) return missingReason(invocation);
  const client = await createApiClient(invocation);
  const answer = await client.post(`/api/rollouts/${encodeURIComponent(id)}/${verb}`, { reason }, rolloutSchema);
  if (answer.kind !== "ok") return reportFailure(invocation, answer);
  if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
  else invocation.context.write(`Rollout ${oneLine(answer.body.id)} is ${describeStep(answer.body)}.\n`);
  return exitCodes.ok;
}

function missingReason({ context }: CommandInvocation) {
  context.warn("A change needs --reason; accepted: a sentence that tells others why.\n");
  return exitCodes.usage;
}

/** The rollout that the options ask for, none, or the sentence that says which of them is wrong. */
function readWanted(id: string, invocation: CommandInvocation): Omit<NewRolloutInput, "reason"> | undefined | string {
  const [route, prompt, flag] = [textOption(invocation, "route"), textOption(invocation, "prompt"), textOption(invocation, "flag")];
  const to = textOption(invocation, "to");
  const named = [route, prompt, flag].filter((name) => name !== undefined);
  if (named.length === 0)
    return to === undefined ? undefined : "--to says what is new, and --route, --prompt or --flag of what; accepted: both.";
  if (named.length > 1) return "A rollout is about one thing; accepted: --route, --prompt or --flag.";
  if (to === undefined)
    return `--to is missing; accepted: ${route !== undefined ? modelRefGrammar : prompt !== undefined ? "the number of a version" : "a variant"}.`;
  const subject =
    flag !== undefined
      ? ({ kind: "flag", flag, to } as const)
      : prompt === undefined
        ? modelSubject(route ?? "", to)
        : versionSubject(prompt, to);
  if (typeof subject === "string") return subject;
  const plan = readPlan(invocation);
  return typeof plan === "string" ? plan : { id, subject, plan };
}

function modelSubject(route: string, text: string): NewRolloutInput["subject"] | string {
  const to = parseModelRef(text);
  return to === undefined ? `${oneLine(text)} is no model; accepted: ${modelRefGrammar}.` : { kind: "model", route, to };
}

function versionSubject(prompt: string, text: string): NewRolloutInput["subject"] | string {
  return /^[1-9]\d{0,8}$/.test(text)
    ? { kind: "prompt", prompt, to: Number(text) }
    : `${oneLine(text)} is no version; accepted: its number.`;
}

function readPlan(invocation: CommandInvocation): NewRolloutInput["plan"] | string {
  const numberOf = (name: string) => {
    const text = textOption(invocation, name) ?? "";
    return /^\d*\.?\d+$/.test(text) ? Number(text) : undefined;
  };
  const durations = { interval: 0, deadline: 0, lag: 0 };
  for (const name of ["interval", "deadline", "lag"] as const) {
    const text = textOption(invocation, name);
    if (text === undefined) return `--${name} is missing; accepted: ${durationGrammar}.`;
    const ms = parseDuration(text);
    if (ms === undefined) return `--${name} is ${oneLine(text)}; accepted: ${durationGrammar}.`;
    durations[name] = ms;
  }
  const text = textOption(invocation, "steps") ?? "";
  const steps = text.split(",").map((share) => (/^\s*\d*\.?\d+\s*$/.test(share) ? Number(share) : Number.NaN));
  if (steps.some((share, index) => !(share > (steps[index - 1] ?? 0) && share <= 1)))
    return `--steps is ${oneLine(text)}; accepted: shares that grow, at most 1, such as 0.1,0.5,1.`;
  const margin = numberOf("margin");
  const costLimit = textOption(invocation, "costLimit") === "none" ? null : numberOf("costLimit");
  if (margin === undefined || costLimit === undefined)
    return "--margin and --cost-limit are numbers; accepted: e.g. 0.1 and 1.1, and --cost-limit none.";
  return { steps, margin, costLimit, intervalMs: durations.interval, deadlineMs: durations.deadline, lagMs: durations.lag };
}
