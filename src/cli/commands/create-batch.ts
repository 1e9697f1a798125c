import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { z } from "zod";
import {
  addedTicketsSchema,
  type BatchQuote,
  batchProviders,
  batchQuoteSchema,
  batchViewSchema,
  maxTicketsAtOnce,
  takenReferenceSchema,
} from "../../../packages/sdk/src/wire/batches.ts";
import { listSchema } from "../../../packages/sdk/src/wire/page.ts";
import { decodeUtf8 } from "../../core/decode-utf8.ts";
import { durationGrammar, parseDuration } from "../../core/duration.ts";
import { formatUsd, oneUsd } from "../../core/money.ts";
import type { ImportedTicket } from "../../llm/batches/import/import-row.ts";
import { formatOf, importFormats, importTickets, type TicketImport } from "../../llm/batches/import/import-tickets.ts";
import { ticketIdOf } from "../../llm/tickets/ticket-id.ts";
import { type ApiClient, createApiClient, reportFailure } from "../api-client.ts";
import { type ExitCode, exitCodes, renderTable, writeJson } from "../context.ts";
import { type CommandDefinition, type CommandInvocation, flagOption, textOption } from "../define-command.ts";

/** A body of runbookd's stays below its limit of 8 MiB with room for JSON around the tickets. */
const maxCharactersAtOnce = 4_000_000;

/** `runbookd batches create`: a file of tickets, proven as a whole before anything of it is handed in. */
export const createBatch: CommandDefinition = {
  usage: "create <file>",
  summary: "Hand a file of tickets in: CSV, JSON lines, or issues as `gh issue list --json number,title,body,labels,url` writes them",
  examples: [
    "runbookd batches create tickets.csv --id nightly-2026-01-31 --budget checkout --max-cost-usd 50 --concurrency 8",
    "runbookd batches create issues.json --id fixes --budget checkout --kind bug --deadline 8h --draft",
  ],
  remote: true,
  options: [
    { flags: "--id <id>", description: "id of the batch; the same file under the same id joins what was handed in before" },
    { flags: "--budget <budget>", description: "id of the budget that pays" },
    { flags: "--queue <queue>", description: "queue of the workers", default: "default" },
    { flags: "--format <format>", description: "form of the file, when its name does not tell", choices: importFormats },
    { flags: "--kind <kind>", description: "kind of tickets that name none; the estimate is made per kind", default: "ticket" },
    { flags: "--repo <repo>", description: "repository of tickets that name none" },
    { flags: "--base-sha <sha>", description: "commit that tickets start from when they name none" },
    { flags: "--max-cost-usd <usd>", description: "most that the whole batch may cost" },
    { flags: "--per-ticket-usd <usd>", description: "a ticket that has cost more stops at its next turn" },
    { flags: "--concurrency <count>", description: "tickets at once", default: "8" },
    { flags: "--rate <count>", description: "tickets that may begin per minute" },
    {
      flags: "--deadline <when>",
      description: `no ticket begins after it: ${durationGrammar}, or an instant such as 2026-01-31T06:00:00Z`,
    },
    { flags: "--max-failure-ratio <share>", description: "share of failed tickets at which it stops itself", default: "0.2" },
    { flags: "--leading <count>", description: "tickets that go first and must succeed before the rest follows", default: "5" },
    {
      flags: "--provider <provider>",
      description: "its batch interface answers the tickets, at about half the price within 24 hours; each ticket holds a `request`",
      choices: batchProviders,
    },
    { flags: "--draft", description: "leave it as a draft; `batches submit` or the runbook batch-operations lets it run" },
    { flags: "--check", description: "only prove the file; nothing is sent" },
  ],
  async run([file = ""], invocation) {
    const { context } = invocation;
    const options = readOptions(invocation);
    if (!options.ok) {
      context.warn(options.faults.map((fault) => `${fault}\n`).join(""));
      return exitCodes.usage;
    }
    let bytes: Uint8Array;
    try {
      bytes = await readFile(resolve(context.workingDirectory, file));
    } catch (error) {
      context.warn(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
      return exitCodes.no;
    }
    const decoded = decodeUtf8(bytes);
    if (!decoded.ok) {
      const { line, column } = decoded;
      const message = `${decoded.message} Spreadsheets call that "CSV UTF-8".`;
      return reportFaults(invocation, file, { faults: [{ line, column, message }], unlisted: 0 });
    }
    const { text } = decoded;
    const { head, defaults } = options;
    const format = importFormats.find((one) => one === textOption(invocation, "format")) ?? formatOf(file, text);
    const imported = importTickets(text, format, defaults);
    if (imported.faults.length > 0) return reportFaults(invocation, file, imported);
    if (flagOption(invocation, "check")) return reportGood(invocation, imported);

    const client = await createApiClient(invocation);
    const taken = await findTaken(client, head.id, imported.tickets);
    if (!Array.isArray(taken)) return reportFailure(invocation, taken);
    if (taken.length > 0) return reportFaults(invocation, file, { ...imported, faults: taken });

    const created = await client.post("/api/batches", { ...head, draft: true, tickets: [] }, batchViewSchema);
    if (created.kind !== "ok") return reportFailure(invocation, created);
    const path = `/api/batches/${encodeURIComponent(head.id)}`;
    for (const tickets of piecesOf(imported.tickets.map((ticket) => ticketOf(ticket, head.id)))) {
      const added = await client.post(`${path}/tickets`, { tickets }, addedTicketsSchema);
      if (added.kind !== "ok") return reportFailure(invocation, added);
    }
    const summary = { id: head.id, tickets: imported.tickets.length, skipped: imported.skipped };
    if (created.body.state !== "draft") {
      if (flagOption(invocation, "json")) writeJson(context, { ...summary, state: created.body.state });
      else context.write(`${head.id} was handed in before, with the same tickets; it is ${created.body.state}.\n`);
      return exitCodes.ok;
    }
    const quote = await client.get(`${path}/estimate`, batchQuoteSchema);
    if (quote.kind !== "ok") return reportFailure(invocation, quote);
    if (!flagOption(invocation, "json")) context.write(describeQuote(quote.body));
    if (!flagOption(invocation, "draft")) {
      const submitted = await client.post(`${path}/submit`, undefined, batchViewSchema);
      if (submitted.kind !== "ok") return reportFailure(invocation, submitted);
    }
    if (flagOption(invocation, "json")) writeJson(context, { ...summary, ...quote.body });
    else
      context.write(
        flagOption(invocation, "draft")
          ? `${head.id} is a draft; \`runbookd batches submit ${head.id}\` lets it run.\n`
          : `${head.id} runs; \`runbookd batches show ${head.id} --follow\` watches it.\n`,
      );
    return exitCodes.ok;
  },
};

interface Options {
  readonly head: {
    readonly id: string;
    readonly budget: string;
    readonly queue: string;
    readonly limits: object;
    readonly provider?: string;
  };
  readonly defaults: Parameters<typeof importTickets>[2];
}

/** Every fault at once; what the server proves again is not proven here. */
function readOptions(
  invocation: CommandInvocation,
): ({ readonly ok: true } & Options) | { readonly ok: false; readonly faults: readonly string[] } {
  const faults: string[] = [];
  const needed = (name: string): string => {
    const value = textOption(invocation, name);
    if (value === undefined) faults.push(`--${name} is needed.`);
    return value ?? "";
  };
  const number = (name: string, flag: string, factor = 1): number | null => {
    const value = textOption(invocation, name);
    if (value === undefined) return null;
    if (/^\d+(\.\d+)?$/.test(value)) return factor === 1 ? Number(value) : Math.round(Number(value) * factor);
    faults.push(`${flag} must be a number; it is ${value}.`);
    return null;
  };
  const limits = {
    maxCostMicroUsd: number("maxCostUsd", "--max-cost-usd", oneUsd),
    perTicketCapMicroUsd: number("perTicketUsd", "--per-ticket-usd", oneUsd),
    concurrency: number("concurrency", "--concurrency"),
    ratePerMinute: number("rate", "--rate"),
    deadlineAt: readDeadline(invocation, faults),
    maxFailureRatio: number("maxFailureRatio", "--max-failure-ratio") ?? 0.2,
    pilotTickets: number("leading", "--leading") ?? 5,
  };
  const provider = textOption(invocation, "provider");
  const repo = textOption(invocation, "repo");
  const baseSha = textOption(invocation, "baseSha");
  const options: Options = {
    head: {
      id: needed("id"),
      budget: needed("budget"),
      queue: textOption(invocation, "queue") ?? "default",
      limits,
      ...(provider !== undefined && { provider }),
    },
    defaults: {
      kind: textOption(invocation, "kind") ?? "ticket",
      ...(repo === undefined ? {} : { repo }),
      ...(baseSha === undefined ? {} : { baseSha }),
    },
  };
  return faults.length > 0 ? { ok: false, faults } : { ok: true, ...options };
}

function readDeadline(invocation: CommandInvocation, faults: string[]): number | null {
  const written = textOption(invocation, "deadline");
  if (written === undefined) return null;
  const ms = parseDuration(written);
  if (ms !== undefined) return invocation.context.clock.now() + ms;
  const instant = z.iso.datetime({ offset: true }).safeParse(written);
  if (instant.success) return Date.parse(instant.data);
  faults.push(`--deadline must be ${durationGrammar}, or an instant such as 2026-01-31T06:00:00Z; it is ${written}.`);
  return null;
}

function ticketOf(ticket: ImportedTicket, batchId: string) {
  const { place: _place, ...fields } = ticket;
  return { id: ticketIdOf(batchId, ticket.externalRef), ...fields };
}

/** References of tickets that exist already outside this batch, each with its place in the file. */
async function findTaken(client: ApiClient, batchId: string, tickets: readonly ImportedTicket[]) {
  const faults = [];
  for (let start = 0; start < tickets.length; start += maxTicketsAtOnce) {
    const piece = tickets.slice(start, start + maxTicketsAtOnce);
    const answer = await client.post(
      "/api/batches/references",
      { references: piece.map(({ externalRef }) => externalRef) },
      listSchema(takenReferenceSchema),
    );
    if (answer.kind !== "ok") return answer;
    const holders = new Map(answer.body.items.map((item) => [item.reference, item]));
    for (const ticket of piece) {
      const holder = holders.get(ticket.externalRef);
      if (holder === undefined || holder.ticketId === ticketIdOf(batchId, ticket.externalRef)) continue;
      faults.push({
        ...ticket.place,
        message: `The reference ${ticket.externalRef} belongs to ticket ${holder.ticketId}, which is ${holder.state}.`,
      });
    }
  }
  return faults;
}

function piecesOf<Ticket>(tickets: readonly Ticket[]): Ticket[][] {
  const pieces: Ticket[][] = [];
  let piece: Ticket[] = [];
  let characters = 0;
  for (const ticket of tickets) {
    const size = JSON.stringify(ticket).length;
    if (piece.length === maxTicketsAtOnce || (piece.length > 0 && characters + size > maxCharactersAtOnce)) {
      pieces.push(piece);
      piece = [];
      characters = 0;
    }
    piece.push(ticket);
    characters += size;
  }
  return piece.length === 0 ? pieces : [...pieces, piece];
}

function reportFaults(
  invocation: CommandInvocation,
  file: string,
  { faults, unlisted }: Pick<TicketImport, "faults" | "unlisted">,
): ExitCode {
  const { context } = invocation;
  if (flagOption(invocation, "json")) writeJson(context, { faults, unlisted });
  else {
    const lines = faults.map(({ line, column, message }) => `${file}:${line}:${column}: ${message}\n`).join("");
    context.warn(
      `${lines}${unlisted === 0 ? "" : `… and ${unlisted} more.\n`}${faults.length + unlisted} faults; nothing was submitted.\n`,
    );
  }
  return exitCodes.no;
}

function reportGood(invocation: CommandInvocation, { tickets, skipped }: TicketImport): ExitCode {
  if (flagOption(invocation, "json")) writeJson(invocation.context, { tickets: tickets.length, skipped });
  else invocation.context.write(`${tickets.length} tickets, no faults${skipped === 0 ? "" : `; ${skipped} pull requests passed over`}.\n`);
  return exitCodes.ok;
}

function describeQuote({ estimate, room }: BatchQuote): string {
  const rows = estimate.kinds.map((kind) => [
    kind.kind,
    String(kind.tickets),
    formatUsd(kind.p50MicroUsd),
    formatUsd(kind.p90MicroUsd),
    kind.from === "history" ? `${kind.n} tickets` : `assumed (${kind.n} seen)`,
  ]);
  return `${renderTable([["KIND", "TICKETS", "P50", "P90", "FROM"], ...rows])}${room.arithmetic}\n`;
}
