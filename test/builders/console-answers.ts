import type { RunRecord } from "../../packages/sdk/src/wire/journal.ts";
import type { Question } from "../../packages/sdk/src/wire/questions.ts";
import type { CatalogueEntry, RunbookDocument } from "../../packages/sdk/src/wire/runbooks.ts";
import type { ConsoleAnswer, ConsoleAnswers } from "../servers/console-server.ts";
import { aDocumentTree } from "./a-document-tree.ts";
import { aRunbook } from "./a-runbook.ts";
import { aStormQuestion, manyDecisions, manyRuns, someChecks, someDecisions } from "./console-lists.ts";
import { aHostileScene, anAskingScene, anEndedScene, aQueuedScene, aTroubledScene } from "./console-scenes.ts";

const modes = ["auto", "approve", "observe"] as const;

function aCatalog(): readonly CatalogueEntry[] {
  const usable = ["cost-incident-response", "cache-optimization", "model-migration"].map((id, index) => ({
    id,
    file: `${id}.md`,
    errors: 0,
    warnings: index,
    usable: true as const,
    title: `Runbook: ${id}`,
    sha256: "ab".repeat(32),
    mode: modes[index] ?? "auto",
    triggers: index === 2 ? [] : ["LLMBudgetBurnFast", "LLMBudgetBurnMedium", "LLMBudgetExceeded", "LLMBudgetForecast"],
    params: {},
    tags: [],
    steps: [{ id: "take_a_snapshot", name: "Take a snapshot", number: 1, action: "take-snapshot" }],
  }));
  return [...usable, { id: "broken", file: "broken.md", errors: 2, warnings: 1, usable: false }];
}

const faults = [
  {
    file: "broken.md",
    position: { line: 12, column: 3 },
    severity: "error",
    rule: "failure-policy",
    message: "`retry often` is no failure policy.",
    accepted: "retry 3 times every 5s, then ask",
  },
] as const;

function anAnswered(question: Question) {
  const answer = { answer: "approve", by: "ann", reason: "The cause is limited, see #4211.", at: question.askedAt + 240_000 };
  return { question: { ...question, id: "q_answered" }, answer, consents: [], missing: 0 };
}

/** The same installation with nothing in it yet. */
export function emptyConsoleAnswers(): ConsoleAnswers {
  const empty = { body: { items: [] } };
  return new Map<string, ConsoleAnswer>([
    ...["/api/runs", "/api/approvals", "/api/decisions", "/api/freeze", "/api/runbooks"].map((path) => [path, empty] as const),
    ["/api/health", { body: { items: someChecks() } }],
  ]);
}

/** Lists of fifty rows, a storm that is one question, a freeze, and checks that are not well. */
export function stormyConsoleAnswers(): ConsoleAnswers {
  const freeze = {
    scope: "runbook:cache-optimization",
    by: "ben",
    reason: "the provider changes its cache today",
    at: Date.UTC(2026, 0, 5, 9),
    undo: true,
  };
  return new Map<string, ConsoleAnswer>([
    ["/api/runs", { body: { items: manyRuns(), nextCursor: "next" } }],
    ["/api/runs?state=open", { body: { items: manyRuns().filter(({ state }) => state !== "ended") } }],
    ["/api/approvals", { body: { items: [{ question: aStormQuestion(), consents: [], missing: 1 }] } }],
    ["/api/decisions", { body: { items: manyDecisions(), nextCursor: "next" } }],
    ["/api/freeze", { body: { items: [freeze] } }],
    ["/api/health", { body: { items: someChecks(true) } }],
  ]);
}

/** The question that each scene waits for. */
function openQuestions(scenes: readonly RunRecord[]) {
  return scenes.flatMap(({ journal }) => {
    const asked = journal.at(-1);
    return asked?.kind === "asked" ? [[asked.question.id, { question: asked.question, consents: [], missing: 1 }] as const] : [];
  });
}

/** Answers of every route that the page reads, with a run for each state. */
export function consoleAnswers(): ConsoleAnswers {
  const scenes: readonly RunRecord[] = [anAskingScene(), anEndedScene(), aTroubledScene(), aHostileScene(), aQueuedScene()];
  const asking = anAskingScene();
  const asked = asking.journal.at(-1);
  const question = asked?.kind === "asked" ? asked.question : undefined;
  const runbook = aRunbook([], { id: "cost-incident-response", file: "cost-incident-response.md", target: "budget/${{ params.budget }}" });
  const document: RunbookDocument = { id: runbook.id, file: runbook.file, source: runbook.source, runbook, diagnostics: [] };
  const broken: RunbookDocument = { id: "broken", file: "broken.md", source: "# Broken\n", diagnostics: faults };
  const withoutDocument = { ...asking, summary: { ...asking.summary, id: "run_without_document" } };
  const answers = new Map<string, ConsoleAnswer>();
  for (const record of scenes) {
    answers.set(`/api/runs/${record.summary.id}`, { body: record });
    answers.set(`/api/runs/${record.summary.id}/document`, { body: aDocumentTree() });
  }
  const gone = "The document that this run is pinned to is no longer stored.";
  for (const [id, body] of openQuestions(scenes)) answers.set(`/api/approvals/${id}/question`, { body });
  return answers
    .set("/api/freeze", { body: { items: [] } })
    .set("/api/runs/run_without_document", { body: withoutDocument })
    .set("/api/runs/run_without_document/document", { status: 404, detail: gone })
    .set("/api/runs", { body: { items: scenes.map(({ summary }) => summary), nextCursor: "next" } })
    .set("/api/runs?state=open", { body: { items: scenes.map(({ summary }) => summary).filter(({ state }) => state !== "ended") } })
    .set("/api/decisions", { body: { items: someDecisions() } })
    .set("/api/freeze", { body: { items: [] } })
    .set("/api/health", { body: { items: someChecks() } })
    .set("/api/approvals?state=answered", { body: { items: question === undefined ? [] : [anAnswered(question)] } })
    .set("/api/approvals", { body: { items: [{ question, consents: [], missing: 1 }] } })
    .set("/api/approvals/q_resume/question", { body: { question, consents: [], missing: 1 } })
    .set("/api/runbooks", { body: { items: aCatalog() } })
    .set("/api/runbooks/cost-incident-response", { body: document })
    .set("/api/runbooks/cost-incident-response/document", { body: aDocumentTree() })
    .set("/api/runbooks/broken", { body: broken })
    .set("/api/runbooks/broken/document", { status: 404, detail: "There is no document of this runbook." });
}
