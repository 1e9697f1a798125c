import { z } from "zod";
import {
  findingFormats,
  findingImportSchema,
  findingReportSchema,
  listedFindingSchema,
  maxFindingsAtOnce,
  shownFindingSchema,
} from "../../../packages/sdk/src/wire/finding-imports.ts";
import {
  type Finding,
  type FindingComment,
  findingKinds,
  findingStatuses,
  newFindingCommentSchema,
  severities,
} from "../../../packages/sdk/src/wire/findings.ts";
import { featureNameSchema } from "../../../packages/sdk/src/wire/flags.ts";
import { pageSchema } from "../../../packages/sdk/src/wire/page.ts";
import { type SecurityFinding, securityFindingStates, sourceNameSchema } from "../../../packages/sdk/src/wire/security-findings.ts";
import type { AuditLog } from "../../core/audit.ts";
import type { Clock } from "../../core/clock.ts";
import { type FindingCommentStore, type FindingSource, findingStatus } from "../../core/finding.ts";
import type { Page } from "../../core/page.ts";
import type { Caller } from "../../core/role.ts";
import { instantQuery } from "../../platform/http/instant.ts";
import { findingReporters, operators, viewers } from "../../platform/http/roles.ts";
import { defineRoute, json, noBody, noQuery, problem, type Refusal, type Route } from "../../platform/http/route.ts";
import { cleanLine } from "./clean-finding.ts";
import type { FindingIntake } from "./finding-intake.ts";
import { createFindingReport, maxReportedFindings } from "./finding-report.ts";
import { readFindingsDocument } from "./import/read-findings-document.ts";
import { importFindings } from "./import-findings.ts";
import { countedClassOf, unknownFeature } from "./security-finding.ts";
import type { SecurityFindingStore } from "./security-finding-store.ts";

/** What routes of findings need. */
export interface FindingRouteDeps {
  /** Findings of analyses, which are found anew whenever they are asked for. */
  readonly otherSources: readonly FindingSource[];
  readonly store: Pick<SecurityFindingStore, "read" | "page" | "list" | "events" | "sources" | "recordSource">;
  readonly intake: FindingIntake;
  readonly comments: FindingCommentStore;
  readonly audit: AuditLog;
  readonly clock: Pick<Clock, "now">;
}

const bodyLimitBytes = 8 * 1024 * 1024;
/** Documents that are read at once; each may hold up to its limit in memory and takes seconds of the processor. */
const maxDocumentsInFlight = 2;

const noPage: Page<SecurityFinding> = { items: [] };

const scanFailed = "The tool says that its run failed, so that findings may be missing.";

const listQuery = z.strictObject({
  kind: z.enum(findingKinds).optional(),
  status: z.enum(findingStatuses).optional(),
  state: z.enum(securityFindingStates).optional(),
  feature: featureNameSchema.optional(),
  source: sourceNameSchema.optional(),
  cursor: z.string().min(1).max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(100),
});

const importQuery = z.strictObject({
  format: z.enum(findingFormats).optional(),
  source: sourceNameSchema.optional(),
  repository: z.string().min(1).max(200).optional(),
  feature: featureNameSchema.optional(),
  /** The tool's scan failed, which its document in our own form cannot say. */
  failed: z.literal("true").optional(),
});

/** Findings of every kind: listing them, taking security findings in, what people say of them, and the report of them. */
export function createFindingRoutes(deps: FindingRouteDeps): readonly Route[] {
  const { otherSources, store, intake, comments, audit, clock } = deps;
  let documentsInFlight = 0;

  const findingsOfOthers = async () => (await Promise.all(otherSources.map(async (source) => source.findings()))).flat();
  const find = async (id: string): Promise<ListedParts | undefined> => {
    const security = await store.read(id);
    if (security !== undefined) return { finding: findingOf(security), security };
    const finding = (await findingsOfOthers()).find((one) => one.id === id);
    return finding === undefined ? undefined : { finding };
  };

  return [
    defineRoute({
      method: "get",
      path: "/api/findings",
      summary: "Findings of all kinds by page: those of analyses with the first page, security findings open ones first; the gravest first",
      allow: viewers,
      query: listQuery,
      body: noBody,
      success: {
        status: 200,
        description:
          "`items` are findings with their `status` and the `note` that it comes from; `security` is the whole of a security finding. A page may be short although `nextCursor` asks for more",
        schema: pageSchema(listedFindingSchema),
      },
      async handle({ query: { kind, status, cursor, limit, state, feature, source } }) {
        const filter = {
          ...(state !== undefined && { state }),
          ...(feature !== undefined && { feature }),
          ...(source !== undefined && { source }),
        };
        const isOfSecurity = Object.keys(filter).length > 0;
        const [commentById, analyzed, page] = await Promise.all([
          comments.list(),
          cursor !== undefined || isOfSecurity || kind === "security" ? [] : findingsOfOthers(),
          kind !== undefined && kind !== "security" ? noPage : store.page(filter, { limit, ...(cursor !== undefined && { cursor }) }),
        ]);
        if (page === undefined) return problem("invalid-request", "The cursor is not one that this list has given out.");
        const parts: ListedParts[] = [
          ...page.items.map((security) => ({ finding: findingOf(security), security })),
          ...analyzed.map((finding) => ({ finding })),
        ];
        const items = parts
          .filter(({ finding }) => kind === undefined || finding.kind === kind)
          .map((one) => listed(one, commentById.get(one.finding.id)))
          .filter((one) => status === undefined || one.status === status)
          .toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
        return json({ items, ...(page.nextCursor !== undefined && { nextCursor: page.nextCursor }) });
      },
    }),
    defineRoute({
      method: "post",
      path: "/api/findings",
      summary:
        "Take security findings in, from runbookd's own form, SARIF 2.1.0, OSV-Scanner or CycloneDX VEX; a bad item costs no other. A scanner's token reports as the source of its own name",
      allow: findingReporters,
      query: importQuery,
      // Each format has a schema of its own, and each item is proven alone.
      body: z.unknown().meta({ type: "object" }),
      bodyLimitBytes,
      success: {
        status: 200,
        description: "`items`: what became of every item, in the order of the document; the same document again changes nothing",
        schema: findingImportSchema,
      },
      async handle({ query: { format, source: asked, repository, feature, failed }, body, caller }) {
        const source = sourceFor(caller, asked);
        if (!source.ok) return source.refusal;
        if (documentsInFlight >= maxDocumentsInFlight) return busy();
        documentsInFlight += 1;
        try {
          const now = clock.now();
          const document = readFindingsDocument(body, format, {
            ...(source.name !== undefined && { source: source.name }),
            ...(repository !== undefined && { repository }),
            ...(feature !== undefined && { feature }),
            importedAt: now,
          });
          if (document.kind === "refused") return problem("invalid-request", document.reason);
          if (document.count > maxFindingsAtOnce)
            return problem(
              "invalid-request",
              `The document has ${document.count} items; at most ${maxFindingsAtOnce} are taken at once. Divide it.`,
            );
          const whole = failed === undefined ? document : { ...document, failure: scanFailed };
          const result = await importFindings(whole, { intake, store, source: source.name, now });
          if (caller.role !== "scanner" || hasChanged(result.counts))
            await audit.append({
              at: now,
              kind: "findings_imported",
              by: caller.name,
              subject: `finding-source/${source.name ?? "several"}`,
              detail: { ...result.counts, ...(repository !== undefined && { repository: cleanLine(repository, 200) }) },
            });
          return json(result);
        } finally {
          documentsInFlight -= 1;
        }
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/findings/export",
      summary: "What is known and what is not of security findings since a time, for the report to an authority within 72 hours",
      allow: viewers,
      query: z.strictObject({ since: instantQuery, feature: featureNameSchema.optional() }),
      body: noBody,
      success: {
        status: 200,
        description:
          "Findings that are open or had an event since then, their timeline, and sentences on what is not known; no text of a secret",
        schema: findingReportSchema,
      },
      async handle({ query: { since, feature } }) {
        const [findings, sources] = await Promise.all([
          store.list(feature === undefined ? {} : { feature }, maxReportedFindings + 1),
          store.sources(),
        ]);
        const withEvents = await Promise.all(findings.map(async (finding) => ({ finding, events: await store.events(finding.id) })));
        return json(createFindingReport(withEvents, { at: clock.now(), since, feature: feature ?? null, sources }));
      },
    }),
    defineRoute({
      method: "get",
      path: "/api/findings/{id}",
      summary: "One finding, and what happened to it",
      allow: viewers,
      query: noQuery,
      body: noBody,
      success: {
        status: 200,
        description: "The finding with its status; `events` of a security finding, oldest first",
        schema: shownFindingSchema,
      },
      problems: ["not-found"],
      async handle({ params }) {
        const id = params["id"] ?? "";
        const [parts, commentById, events] = await Promise.all([find(id), comments.list(), store.events(id)]);
        return parts === undefined ? noFinding() : json({ ...listed(parts, commentById.get(id)), events });
      },
    }),
    defineRoute({
      method: "put",
      path: "/api/findings/{id}/status",
      summary:
        "Say what becomes of a finding; it is open again when it gets graver. A prompt whose finding is not open does not alert for a low hit ratio; a security finding stays open until its source says otherwise",
      allow: operators,
      query: noQuery,
      body: newFindingCommentSchema,
      success: { status: 200, description: "The finding with its status", schema: listedFindingSchema },
      problems: ["not-found"],
      async handle({ params, body: { status, reason }, caller }) {
        const [parts, commentById] = await Promise.all([find(params["id"] ?? ""), comments.list()]);
        if (parts === undefined) return noFinding();
        const { finding } = parts;
        const comment = { status, reason, by: caller.name, at: clock.now(), severity: finding.severity };
        await comments.put(finding.id, comment);
        const before = findingStatus(finding, commentById.get(finding.id));
        const detail = { status, before, reason, title: finding.title.slice(0, 300) };
        await audit.append({ at: comment.at, kind: "finding_noted", by: comment.by, subject: finding.id, detail });
        return json(listed(parts, comment));
      },
    }),
  ];
}

interface ListedParts {
  readonly finding: Finding;
  readonly security?: SecurityFinding;
}

function findingOf(security: SecurityFinding): Finding {
  const { id, title, updatedAt, verdict, feature } = security;
  return {
    id,
    kind: "security",
    severity: countedClassOf(security),
    title,
    at: updatedAt,
    evidence: {
      reasons: verdict?.reasons ?? [],
      unknown: [...new Set([...(verdict?.unknown ?? []), ...(feature === unknownFeature ? ["feature"] : [])])],
    },
  };
}

function listed({ finding, security }: ListedParts, comment: FindingComment | undefined) {
  return { ...finding, status: findingStatus(finding, comment), note: comment ?? null, ...(security !== undefined && { security }) };
}

/** The source that the findings of a document are of; undefined: the document says so. A scanner speaks for itself alone. */
function sourceFor(
  { name, role }: Caller,
  asked: string | undefined,
): { readonly ok: true; readonly name: string | undefined } | { readonly ok: false; readonly refusal: Refusal } {
  if (role !== "scanner") return { ok: true, name: asked };
  if (!sourceNameSchema.safeParse(name).success)
    return {
      ok: false,
      refusal: problem("forbidden", "The token's name is not one of a source: small letters, digits and -, at most 60. Create another."),
    };
  if (asked !== undefined && asked !== name)
    return { ok: false, refusal: problem("forbidden", `This token reports findings of the source ${name} alone.`) };
  return { ok: true, name };
}

function hasChanged(counts: Readonly<Partial<Record<string, number>>>): boolean {
  return (counts["created"] ?? 0) + (counts["updated"] ?? 0) > 0;
}

function busy(): Refusal {
  return { ...problem("unavailable", "Other documents are being read; try again."), headers: { "Retry-After": "5" } };
}

function noFinding(): Refusal {
  return problem("not-found", "There is no such finding now; GET /api/findings lists them.");
}
