import {
  type ListedFinding,
  listedFindingSchema,
  type ShownFinding,
  shownFindingSchema,
} from "../../../packages/sdk/src/wire/finding-imports.ts";
import { findingKinds, findingStatuses } from "../../../packages/sdk/src/wire/findings.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { type SecurityFinding, securityFindingStates } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { Instant } from "../../core/clock.ts";
import { formatDuration, hourMs, minuteMs } from "../../core/duration.ts";
import { oneLine } from "../../core/one-line.ts";
import { createApiClient, reportFailure } from "../api-client.ts";
import { exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandBody, type CommandDefinition, flagOption, textOption } from "../define-command.ts";
import { formatInstant } from "../render-run.ts";
import { exportFindings } from "./export-findings.ts";
import { importFindingsCommand } from "./import-findings-command.ts";

/** `runbookd findings …`: what was found out about the workload, what scanners report, and what people say of it. */
export function findingsCommands(): readonly CommandDefinition[] {
  return [
    { usage: "list", summary: "List findings of all kinds, the gravest first", ...findingsCommand },
    show,
    say,
    importFindingsCommand,
    exportFindings,
  ];
}

/** `runbookd findings`. */
export const findingsCommand: CommandBody = {
  examples: [
    "runbookd findings",
    "runbookd findings --status open",
    "runbookd findings list --kind security --state open --feature export",
  ],
  remote: true,
  options: [
    { flags: "--status <status>", description: "only those of a status", choices: findingStatuses },
    { flags: "--kind <kind>", description: "only those of a kind", choices: findingKinds },
    { flags: "--state <state>", description: "only security findings that their source reports so", choices: securityFindingStates },
    { flags: "--feature <feature>", description: "only security findings of a feature" },
    { flags: "--source <source>", description: "only security findings of a source" },
    { flags: "--limit <count>", description: "security findings at once, up to 200" },
    { flags: "--cursor <cursor>", description: "continue behind the page whose answer held it" },
  ],
  async run(_args, invocation) {
    const { context } = invocation;
    const client = await createApiClient(invocation);
    const query = new URLSearchParams();
    for (const name of ["status", "kind", "state", "feature", "source", "limit", "cursor"]) {
      const value = textOption(invocation, name);
      if (value !== undefined) query.set(name, value);
    }
    const answer = await client.get(`/api/findings${query.size === 0 ? "" : `?${query.toString()}`}`, pageSchema(listedFindingSchema));
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { items, nextCursor } = answer.body;
    if (flagOption(invocation, "json")) {
      writeJson(context, answer.body);
      return exitCodes.ok;
    }
    const rows = items.map((one) => rowOf(one, context.clock.now()));
    context.write(items.length === 0 ? "There are no findings.\n" : renderTable([header, ...rows]));
    if (nextCursor !== undefined) context.write(`More: --cursor ${nextCursor}\n`);
    return exitCodes.ok;
  },
};

const header = ["ID", "KIND", "SEVERITY", "STATUS", "STATE", "FEATURE", "SOURCE", "AGE", "BY", "FINDING"];

function rowOf({ id, kind, severity, status, note, title, security }: ListedFinding, now: Instant): readonly string[] {
  const { state = "", feature = "", source = "" } = security ?? {};
  const unassessed = security !== undefined && security.verdict === null ? "?" : "";
  const age = security === undefined ? "" : formatDuration(roundedAge(now - security.firstSeenAt));
  return [id, kind, `${severity}${unassessed}`, status, state, feature, source, age, note?.by ?? "", title].map(oneLine);
}

/** Whole hours, or whole minutes within the first hour. */
function roundedAge(ms: number): number {
  const unit = ms < hourMs ? minuteMs : hourMs;
  return Math.max(0, Math.floor(ms / unit) * unit);
}

const show: CommandDefinition = {
  usage: "show <finding>",
  summary: "Show one finding with why it has its class, and what happened to it",
  examples: ["runbookd findings show finding-0f9a3c5d7e1b2a4c6d8e0f1a2b3c4d5e"],
  remote: true,
  async run([id = ""], invocation) {
    const client = await createApiClient(invocation);
    const answer = await client.get(`/api/findings/${encodeURIComponent(id)}`, shownFindingSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    if (flagOption(invocation, "json")) writeJson(invocation.context, answer.body);
    else invocation.context.write(describeFinding(answer.body));
    return exitCodes.ok;
  },
};

function describeFinding(finding: ShownFinding): string {
  const { id, title, kind, severity, status, note, security, events, evidence } = finding;
  const lines: readonly Line[] = [
    ["kind", kind],
    ["severity", `${severity}${security?.verdict === null ? " (not assessed)" : ""}`],
    ["status", `${status}${note === null ? "" : `, by ${note.by}: ${note.reason}`}`],
    ...(security === undefined ? [["evidence", JSON.stringify(evidence)] as const] : linesOf(security)),
    ...events.map((event): Line => ["event", `${formatInstant(event.at)} ${event.kind} ${event.value}`]),
  ];
  const texts = lines.filter(([, text]) => text !== "").map(([name, text]) => `${name.padEnd(10)}${oneLine(text)}\n`);
  return `${id}: ${oneLine(title)}\n${texts.join("")}`;
}

/** A name and a text; a line without a text is not printed. */
type Line = readonly [name: string, text: string];

function linesOf(security: SecurityFinding): readonly Line[] {
  const { state, feature, source, ref, location, weakness, verdict, secret, url = "", description = "", runId = "", fixedBy } = security;
  return [
    ["state", `${state}${fixedBy === undefined ? "" : `, by ${fixedBy}`}`],
    ["feature", feature],
    ["source", `${source}, ref ${ref}`],
    ["location", joinDefined([location.repository, location.path, location.line, location.package])],
    ["weakness", joinDefined([weakness.cve, weakness.ghsa, ...weakness.cwe, ...weakness.owasp])],
    ["secret", secret === undefined ? "" : `${secret.type}, ${secret.validity}${secret.key === undefined ? "" : `, key ${secret.key}`}`],
    ["since", formatInstant(security.firstSeenAt)],
    ["changed", formatInstant(security.updatedAt)],
    ["run", runId],
    ["page", url],
    ...(verdict?.reasons ?? []).map((reason): Line => ["because", reason]),
    ["unknown", verdict?.unknown.join(", ") ?? ""],
    ["text", description],
  ];
}

function joinDefined(parts: readonly (string | number | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(" ");
}

const say: CommandDefinition = {
  usage: "say <finding> <status>",
  summary: `Say what becomes of a finding (${findingStatuses.join(", ")}); it is open again when it gets graver`,
  examples: ["runbookd findings say cache-6aee16ddac171b19 accepted --reason 'a nightly job'"],
  remote: true,
  options: [{ flags: "--reason <text>", description: "why; others read it, and it stands in the audit log" }],
  async run([id = "", status = ""], invocation) {
    const { context } = invocation;
    const reason = textOption(invocation, "reason");
    if (reason === undefined) {
      context.warn("A status needs --reason; accepted: a sentence that tells others why.\n");
      return exitCodes.usage;
    }
    const client = await createApiClient(invocation);
    const answer = await client.put(`/api/findings/${encodeURIComponent(id)}/status`, { status, reason }, listedFindingSchema);
    if (answer.kind !== "ok") return reportFailure(invocation, answer);
    const { body } = answer;
    if (flagOption(invocation, "json")) writeJson(context, body);
    else {
      const isStillOpen = body.security?.state === "open" && body.status !== "open";
      context.write(
        `${body.id} is ${body.status}: ${oneLine(body.title)}\n${isStillOpen ? "It counts as open until its source says otherwise.\n" : ""}`,
      );
    }
    return exitCodes.ok;
  },
};
