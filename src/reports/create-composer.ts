import type { ActionCatalogue } from "../core/action.ts";
import { cleanText } from "../core/clean-text.ts";
import type { Instant } from "../core/clock.ts";
import { shortLine } from "../core/one-line.ts";
import type { OutboxRow } from "../core/outbox.ts";
import { type RunPlace, runPageAddress } from "../core/page-address.ts";
import type { BudgetControl } from "../llm/budgets/budget.ts";
import { parseRunbook } from "../runbooks/parse/parse-runbook.ts";
import { buildReview } from "./build-review.ts";
import { gatherMoney } from "./money-windows.ts";
import { renderReportHtml } from "./render-report-html.ts";
import { renderReportText } from "./render-report-text.ts";
import type { Review } from "./review.ts";
import type { RunSource, StoredRun } from "./run-source.ts";

/** What a mail says. `later`: the run goes on, ask again. `gone`: it can never be composed. */
export type ComposedMail =
  | {
      readonly kind: "mail";
      readonly subject: string;
      readonly text: string;
      readonly html?: string;
      /** The page of the run that it is about, at the step; absent without a public address. */
      readonly page?: string;
    }
  | { readonly kind: "later" }
  | { readonly kind: "gone"; readonly reason: string };

/** Composes mails from what is stored, when they are read. */
export interface Composer {
  compose(row: OutboxRow, now: Instant): Promise<ComposedMail>;
}

/** What a composer reads. */
export interface ComposerSources {
  readonly runs: RunSource;
  readonly budgets: Pick<BudgetControl, "read" | "spend">;
  /** With which a run's pinned document is parsed. */
  readonly catalogue: ActionCatalogue;
  readonly publicUrl?: string | undefined;
  /** How long a review waits for its run to end before it is sent as it stands, in milliseconds; 10 minutes unless said. */
  readonly graceMs?: number;
}

const defaultGraceMs = 600_000;

/** The review of a run as it is now; money is read from the ledger. */
export async function reviewOf(run: StoredRun, sources: Pick<ComposerSources, "budgets" | "catalogue" | "publicUrl">): Promise<Review> {
  const { summary, journal, runbookSource } = run;
  const parsed =
    runbookSource === undefined
      ? undefined
      : parseRunbook({ file: `${summary.runbookId}.md`, source: runbookSource, catalogue: sources.catalogue });
  const money = await gatherMoney(journal, sources.budgets);
  return buildReview({
    summary,
    journal,
    ...(parsed?.runbook !== undefined && { runbook: parsed.runbook }),
    ...(money !== undefined && { money }),
    ...(sources.publicUrl !== undefined && { publicUrl: sources.publicUrl }),
  });
}

/** Reads the run anew for every review, so that the verification and whatever came after it are in it. */
export function createComposer(sources: ComposerSources): Composer {
  return {
    async compose({ content, putAt }, now) {
      if (content.kind === "message") {
        const text = cleanText(content.text, 50_000);
        const page = pageOf(content, sources);
        const subject = shortLine(content.subject, 200);
        return page === undefined
          ? { kind: "mail", subject, text }
          : { kind: "mail", subject, text: `${text}\n\nThe run, step by step:\n  ${page}`, page };
      }
      const run = await sources.runs.get(content.runId);
      if (run === undefined) return { kind: "gone", reason: `there is no run ${content.runId}` };
      const ended = run.journal.some((entry) => entry.kind === "finished");
      if (!ended && now - putAt < (sources.graceMs ?? defaultGraceMs)) return { kind: "later" };
      const review = await reviewOf(run, sources);
      const { target } = run.summary;
      const page = pageOf({ runId: content.runId }, sources);
      const about = target === undefined ? review.title : `${review.title}, ${target}`;
      return {
        kind: "mail",
        subject: shortLine(`Review: ${about}: ${review.outcome}`, 200),
        text: renderReportText(review),
        html: renderReportHtml(review),
        ...(page !== undefined && { page }),
      };
    },
  };
}

function pageOf(place: RunPlace, { publicUrl }: Pick<ComposerSources, "publicUrl">): string | undefined {
  return publicUrl === undefined ? undefined : runPageAddress(publicUrl, place);
}
