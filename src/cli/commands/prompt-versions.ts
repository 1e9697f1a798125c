import { movedLabelSchema, type PromptVersion, promptVersionSchema, promptViewSchema } from "../../../packages/sdk/src/wire/prompts.ts";
import { oneLine } from "../../core/one-line.ts";
import { formatShare } from "../../core/share.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, flagOption, textOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";

/** `runbookd prompts …`: how prompts are cached, and below it their versions and labels. */
export function promptVersionCommands(): readonly CommandDefinition[] {
  return [versions, show, label];
}

const pathOf = (prompt: string) => `/api/prompts/${encodeURIComponent(prompt)}`;

const versions: CommandDefinition = {
  usage: "versions <prompt>",
  summary: "List the newest versions of a prompt with their labels",
  examples: ["runbookd prompts versions implement"],
  remote: true,
  async run([prompt = ""], invocation) {
    const { context } = invocation;
    const client = await createApiClient(invocation);
    const answer = await client.get(pathOf(prompt), promptViewSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) {
      writeJson(context, answer.body);
      return exitCodes.ok;
    }
    const { versions: items, canary } = answer.body;
    const rows = items.map((one) => [
      String(one.version),
      one.status,
      one.labels.join(", "),
      one.origin,
      oneLine(one.createdBy),
      formatInstant(one.createdAt),
      oneLine(one.note),
    ]);
    context.write(renderTable([["VERSION", "STATUS", "LABELS", "ORIGIN", "BY", "MADE", "NOTE"], ...rows]));
    if (canary !== null) context.write(`Version ${canary.version} is with ${formatShare(canary.share)} of the tickets.\n`);
    return exitCodes.ok;
  },
};

const show: CommandDefinition = {
  usage: "show <prompt> [version]",
  summary: "Show the layers and cache markers of a version, by default of the one labelled production",
  examples: ["runbookd prompts show implement", "runbookd prompts show implement 4"],
  remote: true,
  async run([prompt = "", number], invocation) {
    const client = await createApiClient(invocation);
    let version = number;
    if (version === undefined) {
      const state = await client.get(pathOf(prompt), promptViewSchema);
      if (state.kind !== "ok") return reportFailure(invocation, state);
      version = String(state.body.labels["production"] ?? state.body.latest);
    }
    const answer = await client.get(`${pathOf(prompt)}/versions/${encodeURIComponent(version)}`, promptVersionSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(renderVersion(answer.body));
    return exitCodes.ok;
  },
};

function renderVersion({ prompt, version, layout, origin, createdBy, createdAt, note, parent }: PromptVersion): string {
  const marks = new Map(layout.breakpoints.map(({ afterLayer, ttl }) => [afterLayer, ttl]));
  const rows = layout.layers.map(({ key, role, stability, render, canonical }) => [
    key,
    role,
    stability,
    canonical ? "yes" : "no",
    String(Buffer.byteLength(render)),
    marks.get(key) ?? "",
  ]);
  const from = parent === undefined ? "" : ` from version ${parent}`;
  return [
    `${oneLine(prompt)}, version ${version}, made by ${oneLine(createdBy)} (${origin})${from} at ${formatInstant(createdAt)}${note === "" ? "" : `: ${oneLine(note)}`}\n`,
    renderTable([["LAYER", "ROLE", "STABLE", "CANONICAL", "BYTES", "MARKER"], ...rows]),
  ].join("");
}

const label: CommandDefinition = {
  usage: "label <prompt> <label> <version>",
  summary: "Move a label to another version, or with `none` away; refused when another client moves it at the same moment",
  examples: ["runbookd prompts label implement production 3 --reason 'version 4 answers too briefly'"],
  remote: true,
  options: [{ flags: "--reason <text>", description: "why; stands in the audit log", default: "from the command line" }],
  async run([prompt = "", name = "", version = ""], invocation) {
    const { context } = invocation;
    const to = version === "none" ? null : Number(version);
    if (to !== null && (!Number.isSafeInteger(to) || to < 1)) {
      context.warn(`"${oneLine(version)}" is no version; accepted: a number from 1, or none.\n`);
      return exitCodes.usage;
    }
    const client = await createApiClient(invocation);
    const state = await client.get(pathOf(prompt), promptViewSchema);
    if (state.kind !== "ok") return reportFailure(invocation, state);
    const body = { version: to, expected: state.body.labels[name] ?? null, reason: textOption(invocation, "reason") };
    const answer = await client.put(`${pathOf(prompt)}/labels/${encodeURIComponent(name)}`, body, movedLabelSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(context, answer.body);
    else {
      const { before, after } = answer.body;
      context.write(
        `${oneLine(name)} of ${oneLine(prompt)}: ${before ?? "none"} -> ${after ?? "none"}. Undo: runbookd prompts label ${oneLine(prompt)} ${oneLine(name)} ${before ?? "none"}\n`,
      );
    }
    return exitCodes.ok;
  },
};
