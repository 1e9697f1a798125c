import { type ModelDescription, routeListSchema } from "../../../packages/sdk/src/wire/models.ts";
import { type ModelRef, type ModelRoute, modelRouteSchema } from "../../../packages/sdk/src/wire/routing.ts";
import { oneLine } from "../../core/one-line.ts";
import { formatShare } from "../../core/share.ts";
import { formatModelRef, modelRefGrammar, parseModelRef } from "../../llm/models/model-ref.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, listOption, textOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd routes …`: which model the tickets of one kind of work get. */
export function routesCommands(): readonly CommandDefinition[] {
  return [listCommand, setCommand];
}

const listCommand: CommandDefinition = {
  usage: "list",
  summary: "List routes with their models, who set them last, and when a model is retired",
  examples: ["runbookd routes list"],
  remote: true,
  async run(_args, invocation) {
    const { context } = invocation;
    const client = await createApiClient(invocation);
    const answer = await client.get("/api/routes", routeListSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items, models } = answer.body;
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else if (items.length === 0) context.write("There is no route. `runbookd routes set` makes one.\n");
    else {
      context.write(renderTable([["ROUTE", "VERSION", "MODEL", "ON TRIAL", "FALLBACK", "SINCE", "BY", "REASON"], ...items.map(rowOf)]));
      context.write(
        `\n${renderTable([["MODEL", "LIFECYCLE", "RETIRES", "REPLACEMENT", "PRICED", "SAYS", "AS OF"], ...models.map(modelRowOf)])}`,
      );
    }
    return exitCodes.ok;
  },
};

const setCommand: CommandDefinition = {
  usage: "set <route>",
  summary: "Set where a route goes; what is not named stays, and tickets keep the model that they began with",
  examples: [
    "runbookd routes set implement --to anthropic/claude-sonnet-4-5 --reason 'first'",
    "runbookd routes set implement --try anthropic/claude-haiku-4-5 --share 0.1 --reason 'cheaper?'",
    "runbookd routes set implement --no-trial --reason 'it is worse'",
  ],
  options: [
    { flags: "--to <model>", description: `model of every ticket that is not on trial: ${modelRefGrammar}` },
    { flags: "--try <model>", description: "model on trial" },
    { flags: "--share <share>", description: "share of the tickets that gets it, 0 to 1" },
    { flags: "--no-trial", description: "take the model on trial back" },
    { flags: "--fallback <model>", description: "tried when the provider is away; may be repeated, in order", collect: true },
    { flags: "--reason <text>", description: "why; shown to others" },
  ],
  remote: true,
  async run([id = ""], invocation) {
    const { context } = invocation;
    const wanted = readWanted(invocation);
    if (typeof wanted === "string") {
      context.warn(`${wanted}\n`);
      return exitCodes.usage;
    }
    const client = await createApiClient(invocation);
    const path = `/api/routes/${encodeURIComponent(id)}`;
    const before = await client.get(path, modelRouteSchema);
    const present = before.kind === "ok" ? before.body : undefined;
    if (before.kind !== "ok" && !(before.kind === "problem" && before.status === 404)) return reportFailure(invocation, before);
    const baseline = wanted.to ?? present?.baseline;
    if (baseline === undefined) {
      context.warn(`There is no route ${oneLine(id)} yet; --to says which model its tickets get.\n`);
      return exitCodes.usage;
    }
    const trial = wanted.trial === undefined ? (present?.candidate ?? null) : wanted.trial;
    // The same salt keeps the tickets that are on trial already.
    const salt = present?.candidate?.model === trial?.model ? (present?.candidate?.salt ?? id) : `${id} ${context.clock.now()}`;
    const body = {
      expected: present?.version ?? 0,
      reason: wanted.reason,
      baseline,
      candidate: trial === null ? null : { ...trial, salt },
      fallback: wanted.fallback.length > 0 ? wanted.fallback : (present?.fallback ?? []),
    };
    const answer = await client.put(path, body, modelRouteSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else context.write(`Route ${oneLine(id)} is set: ${describeModels(answer.body)}.\n`);
    return exitCodes.ok;
  },
};

interface Wanted {
  readonly to?: ModelRef | undefined;
  /** Null takes it back; undefined leaves what is there. */
  readonly trial: (ModelRef & { readonly share: number }) | null | undefined;
  readonly fallback: readonly ModelRef[];
  readonly reason: string;
}

/** What the options ask for, or the sentence that says which of them is wrong. */
function readWanted(invocation: Parameters<CommandDefinition["run"]>[1]): Wanted | string {
  const reason = textOption(invocation, "reason");
  const [to, tried, share] = [textOption(invocation, "to"), textOption(invocation, "try"), textOption(invocation, "share")];
  const fallback = listOption(invocation, "fallback");
  if (reason === undefined || reason.trim() === "") return "A change needs --reason; accepted: a sentence that tells others why.";
  for (const text of [to, tried, ...fallback])
    if (text !== undefined && parseModelRef(text) === undefined) return `${oneLine(text)} is no model; accepted: ${modelRefGrammar}.`;
  if ((tried === undefined) !== (share === undefined))
    return "--try and --share come together: which model, and for which share of the tickets.";
  if (share !== undefined && !(/^(0?\.\d+|[01](\.0+)?)$/.test(share) && Number(share) > 0))
    return `--share is ${oneLine(share)}; accepted: above 0, at most 1, e.g. 0.1.`;
  const taken = invocation.options["trial"] === false;
  if (taken && tried !== undefined) return "--no-trial takes the model on trial back, and --try sets one; accepted: one of them.";
  const model = tried === undefined ? undefined : parseModelRef(tried);
  const others = fallback.flatMap((text) => parseModelRef(text) ?? []);
  if (to === undefined && model === undefined && !taken && others.length === 0) return "Nothing is named to be set; see --help.";
  return {
    ...(to !== undefined && { to: parseModelRef(to) }),
    trial: taken ? null : model && { ...model, share: Number(share) },
    fallback: others,
    reason,
  };
}

function describeModels({ baseline, candidate }: ModelRoute): string {
  const trial = candidate === null ? "" : `, ${candidate.provider}/${candidate.model} for ${formatShare(candidate.share)} of new tickets`;
  return `${baseline.provider}/${baseline.model}${trial}`;
}

function modelRowOf(described: ModelDescription): readonly string[] {
  const { lifecycle, overdue, retiresAt, replacement, price, source, asOf } = described;
  const retires = retiresAt === undefined ? "" : `${dayOf(retiresAt)}${overdue ? ", overdue" : ""}`;
  const next = replacement === undefined ? "" : formatModelRef(replacement);
  return [
    formatModelRef(described),
    lifecycle,
    retires,
    next,
    price === undefined ? "no" : "yes",
    source,
    asOf === undefined ? "" : dayOf(asOf),
  ];
}

function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

function rowOf({ id, version, baseline, candidate, fallback, at, by, reason }: ModelRoute): readonly string[] {
  const trial = candidate === null ? "" : `${candidate.provider}/${candidate.model} ${formatShare(candidate.share)}`;
  const others = fallback
    .map((model) => `${formatModelRef(model)}${model.until === undefined ? "" : ` until ${formatInstant(model.until)}`}`)
    .join(", ");
  return [id, String(version), `${baseline.provider}/${baseline.model}`, trial, others, formatInstant(at), by, reason];
}
