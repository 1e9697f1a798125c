import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import { ticketPhases, type TicketPhase as WorkStage } from "../../src/llm/tickets/ticket-phase.ts";
import { readEvidence } from "../cost/evidence.ts";
import { findProgram } from "../find-program.ts";
import { messageIdsOf, verifiedAt } from "../journal-checks.ts";
import { keepLooking } from "../keep-looking.ts";
import type { ReceivedMail } from "../mail-sink.ts";
import type { StartedProcess } from "../process-group.ts";
import { createPrometheusApi } from "../prometheus-api.ts";
import { runbookSteps } from "../runbook-steps.ts";
import type { RunView } from "../runbookd-api.ts";
import type { Play, Played, Scenario, ScenarioContext } from "../scenario.ts";
import { startApplication } from "../start-application.ts";
import { stepsShown, watchProgress } from "../watch-progress.ts";
import { runTests } from "./run-tests.ts";
import { edits, makeSmallRepository, ticketText } from "./small-repository.ts";
import { type TicketObservations, ticketFaults, ticketLine, ticketMilestones } from "./ticket-result.ts";

const execute = promisify(execFile);
const runbook = "ticket-recovery";
const queue = "code";
const budget = "code";
const batch = "shop";
const timeoutMs = 150_000;
/** The worker is killed once so many of the files are written. */
const killAfterEdits = 2;

/** Where the work is. */
interface Place {
  readonly git: string;
  readonly root: string;
  readonly repository: string;
  readonly worktrees: string;
}

/** A worker dies in the middle of a ticket that is code work. */
export const ticketScenario: Scenario = {
  model: () => ({ latency: { firstTokenMs: 300, inputTokensPerSecond: 100_000, outputTokensPerSecond: 400 } }),
  prepare(): Play {
    const observations: TicketObservations = {};
    let place: Place | undefined;
    return {
      async settings() {
        const root = await mkdtemp(join(tmpdir(), "runbookd-demo-shop-"));
        const git = findProgram("git");
        const repository = await makeSmallRepository(root, git);
        place = { git, root, repository, worktrees: join(root, "worktrees") };
        return { RUNBOOKD_TICKET_REPOSITORY: repository, RUNBOOKD_TICKET_WORKTREES: place.worktrees };
      },
      line: () => ticketLine(observations),
      async play(context) {
        if (place === undefined) throw new Error("The repository was not made.");
        try {
          observations.testsBefore = await runTests(place.repository);
          await submitTicket(context);
          const watched = await watch(context, place, observations);
          await judge(context, place, observations);
          return played(observations, watched, place);
        } finally {
          if (!context.options.keep && context.options.once) await rm(place.root, { recursive: true, force: true });
        }
      },
    };
  },
};

async function submitTicket({ system, clock }: ScenarioContext): Promise<void> {
  await system.api.defineBudget({ id: budget, limitMicroUsd: 100_000_000, periodMs: 3_600_000, periodStartsAt: clock.now() - 60_000 });
  const ticket = { id: ticketText.id, externalRef: `shop/prices#${ticketText.id}`, kind: "bug", estimateMicroUsd: 200_000 };
  const response = await fetch(`${system.runbookdUrl}/api/batches`, {
    method: "POST",
    headers: { authorization: `Bearer ${system.workloadToken}`, "content-type": "application/json" },
    body: JSON.stringify({ id: batch, budget, queue, limits: { pilotTickets: 0, maxFailureRatio: 1 }, tickets: [ticket] }),
  });
  if (!response.ok) throw new Error(`POST /api/batches answered ${response.status}: ${(await response.text()).slice(0, 300)}`);
}

function startHost(context: ScenarioContext, { git, repository, worktrees }: Place, name: string): StartedProcess {
  return startApplication(context, {
    name,
    module: "ticket/code-host",
    env: {
      DEMO_GIT: git,
      DEMO_REPOSITORY: repository,
      DEMO_WORKTREES: worktrees,
      DEMO_EVIDENCE: context.folder.evidence,
      DEMO_QUEUE: queue,
    },
  });
}

const evidenceSchema = z.looseObject({
  kind: z.string(),
  stage: z.enum(ticketPhases).optional(),
  result: z.string().optional(),
  path: z.string().optional(),
  attempt: z.number().optional(),
  at: z.number(),
});

async function evidenceOf({ folder }: ScenarioContext) {
  const text = await readFile(folder.evidence, "utf8").catch(() => "");
  return readEvidence(text).map((entry) => evidenceSchema.parse(entry));
}

interface Watched {
  readonly run: RunView | undefined;
  readonly report: ReceivedMail | undefined;
}

async function watch(context: ScenarioContext, place: Place, observations: TicketObservations): Promise<Watched> {
  const { system, clock, presenter } = context;
  const { api, mail } = system;
  const prometheus = createPrometheusApi(system.prometheusUrl);
  const names = await runbookSteps(api, runbook);
  const first = startHost(context, place, "tickets-1");
  let run: RunView | undefined;
  let report: ReceivedMail | undefined;
  let written = 0;
  let killed = false;

  const poll = async () => {
    const evidence = await evidenceOf(context);
    written = new Set(evidence.flatMap(({ kind, path }) => (kind === "edited" && path !== undefined ? [path] : []))).size;
    observations.plannedAt ??= evidence.find(({ kind, stage: name }) => kind === "stage_ended" && name === "plan")?.at;
    if (written >= killAfterEdits && observations.killedAt === undefined) {
      first.signal("SIGKILL");
      await first.gone;
      observations.killedAt = clock.now();
      observations.uncommittedEdits = new Set(
        (await evidenceOf(context)).flatMap(({ kind, path }) => (kind === "edited" ? [path] : [])),
      ).size;
      observations.uncommittedTree = await treeOf(place);
      presenter.say("The worker was killed with SIGKILL while it implemented; its supervisor starts another one");
      startHost(context, place, "tickets-2");
    }
    if (observations.killedAt === undefined) return;
    observations.alertFiringAt ??= await prometheus.firingSince("LLMTicketStalled", { queue });
    const resumed = evidence.find(({ kind, attempt }) => kind === "stage_began" && attempt !== undefined && attempt > 1);
    observations.resumedAt ??= resumed?.at;
    const [ticket] = await api.ticketsOf(batch);
    observations.ticketState = ticket?.state;
    if (ticket?.state === "succeeded") observations.endedAt ??= clock.now();
    observations.run ??= await api.newestRun(runbook);
    if (observations.run === undefined) return;
    run = await api.run(observations.run);
    recordRun(observations, run);
    if (
      context.options.killWorker &&
      !killed &&
      run.journal.some((entry) => entry.kind === "intent" && entry.step === "preserve_partial_work")
    ) {
      killed = true;
      system.replaceWorker();
      presenter.say("The runbookd worker was killed with SIGKILL in the middle of the run, and another one was started");
    }
    const promised = messageIdsOf(run.journal);
    report ??= mail.mails.find(({ messageId }) => promised.includes(messageId.replace(/^<|>$/g, "")));
    observations.reportSentAt = report?.at;
  };
  const looking = keepLooking(poll, { clock, everyMs: 100 });
  try {
    await watchProgress(context, { withinMs: timeoutMs, mayBeGone: (name) => name === "tickets-1" || name === "runbookd-worker" }, () => ({
      over:
        observations.outcome !== undefined &&
        (observations.outcome !== "succeeded" || (observations.reportSentAt !== undefined && observations.endedAt !== undefined)),
      view: {
        doing:
          observations.killedAt !== undefined && observations.alertFiringAt === undefined
            ? "no worker reports a heartbeat for the ticket"
            : "",
        milestones: ticketMilestones.map(({ key, label }) => {
          const at = observations[key];
          return {
            key,
            label,
            reached: typeof at === "number" ? at : undefined,
            detail: key === "preservedAt" ? observations.preserved?.tree : undefined,
          };
        }),
        gauges: [
          { label: "Files", share: written / edits.length, text: `${written} of ${edits.length} are written` },
          { label: "Ticket", text: `${ticketText.id}: ${observations.ticketState ?? "worked on"}` },
        ],
        ...(observations.run !== undefined && { run: { id: observations.run, outcome: observations.outcome } }),
        ...stepsShown(run?.journal, names),
      },
    }));
  } finally {
    await looking.stop();
  }
  return { run, report };
}

const failurePointSchema = z.looseObject({ failure_class: z.string() });
const preserved = z.looseObject({ checkpoints: z.array(z.looseObject({ ref: z.string(), tree: z.string() })) });

/** What the journal says, and nothing that it does not. */
function recordRun(observations: TicketObservations, { journal, summary }: RunView): void {
  observations.acceptedAt = summary.acceptedAt;
  const applied = (step: string) => journal.findLast((entry) => entry.kind === "applied" && entry.step === step);
  const [point, preservedEntry] = [applied("identify_failure_point"), applied("preserve_partial_work")];
  const read = failurePointSchema.safeParse(point?.kind === "applied" ? point.output : undefined);
  if (read.success) observations.failureClass = read.data.failure_class;
  observations.foundAt = point?.at;
  const [first] = preserved.safeParse(preservedEntry?.kind === "applied" ? preservedEntry.output : undefined).data?.checkpoints ?? [];
  if (first !== undefined) {
    observations.preserved = { ref: first.ref, tree: first.tree };
    observations.preservedAt = preservedEntry?.at;
  }
  observations.verifiedAt = verifiedAt(journal);
  if (journal.some(({ kind }) => kind === "finished")) observations.outcome = summary.outcome;
}

/** The tree of the ticket's worktree by our own reckoning, with an index of our own. */
async function treeOf({ git, root, worktrees }: Place): Promise<string> {
  const { PATH = "" } = process.env;
  const options = { cwd: join(worktrees, ticketText.id), env: { PATH, GIT_INDEX_FILE: join(root, "own-index") } };
  await execute(git, ["read-tree", "HEAD"], options);
  await execute(git, ["add", "-A"], options);
  return (await execute(git, ["write-tree"], options)).stdout.trim();
}

/** Counts what was done how often, and runs the repository's tests on what was published, in a clone of its own. */
async function judge(context: ScenarioContext, { git, root }: Place, observations: TicketObservations): Promise<void> {
  const evidence = await evidenceOf(context);
  const ends = (name: WorkStage) =>
    evidence.filter(({ kind, stage: one, result }) => kind === "stage_ended" && one === name && result === "done").length;
  observations.phasesDone = {
    plan: ends("plan"),
    implement: ends("implement"),
    test: ends("test"),
    review: ends("review"),
    publish: ends("publish"),
  };
  const paths = evidence.flatMap(({ kind, path }) => (kind === "edited" && path !== undefined ? [path] : []));
  observations.editsRepeated = paths.length - new Set(paths).size;
  observations.attempts = Math.max(0, ...evidence.map(({ attempt }) => attempt ?? 0));
  if (observations.endedAt === undefined) return;
  const clone = join(root, "published");
  await execute(git, ["clone", "-q", "-b", `ticket/${ticketText.id}`, join(root, "origin.git"), clone]);
  observations.testsAfter = await runTests(clone);
}

function played(observations: TicketObservations, { run, report }: Watched, { repository }: Place): Played {
  const { preserved: preservedWork, testsAfter: tests } = observations;
  return {
    faults: ticketFaults(observations),
    summary: [
      run?.report?.text ?? report?.text ?? "There is no report.",
      "",
      ...(preservedWork === undefined
        ? []
        : [
            `Tree ${preservedWork.tree} lay in the worktree of the dead worker; it is kept as ${preservedWork.ref}, and the ticket went on from it.`,
          ]),
      ...(tests === undefined ? [] : [`The repository's own tests on the published branch: ${tests.passed} pass, ${tests.failed} fail.`]),
    ],
    ...(report !== undefined && { mail: report }),
    leaveRunning: () => [`The repository with its checkpoints: ${repository}`],
  };
}
