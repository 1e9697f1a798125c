import { type Clock, createSystemClock } from "./clock.ts";
import { createFlagSnapshot } from "./flag-snapshot.ts";
import { createFlagSource, type FlagSource } from "./flag-source.ts";
import { createHttp, Refused, Unreachable } from "./http.ts";
import { createInstanceName } from "./instance-name.ts";
import { createPromptSource, type PromptChange, type PromptSource } from "./prompt-source.ts";
import { createRouteSource, type RouteChanged, type RouteSource } from "./route-source.ts";
import { sampleOutput } from "./sample-output.ts";
import type { FlagTrouble } from "./served-flags.ts";
import { createTicketRollouts } from "./ticket-rollouts.ts";
import { createUsageOutbox, type UsageLoss, type UsageNotice } from "./usage-outbox.ts";
import {
  type AdmissionAnswer,
  type AdmissionGate,
  type AdmissionRequestInput,
  admissionFromWire,
  admissionResponseSchema,
  extensionResponseSchema,
  type ReleaseInput,
} from "./wire/admissions.ts";
import { type BatchView, batchViewSchema, type NewBatchInput } from "./wire/batches.ts";
import type { NewChangeInput } from "./wire/changes.ts";
import { type OutputInspection, outputReportResultSchema, type ReportedOutput } from "./wire/outputs.ts";
import type { TicketQuality } from "./wire/rollouts.ts";
import { tolerant } from "./wire/tolerant.ts";
import type { UsageReport } from "./wire/usage.ts";

/** What the application configures. */
export interface RunbookdClientOptions {
  /** Where runbookd listens, e.g. `http://127.0.0.1:9097`. */
  readonly url: string;
  /** A token of role `workload`. */
  readonly token: string;
  /** Node's own by default. */
  readonly fetch?: typeof fetch;
  /**
   * What happens while runbookd cannot be asked. By default new work waits, and a ticket waits at its next turn boundary with its work saved; the turn that
   * is running always finishes. `go` lets work start or go on without a reservation: the budget is not enforced then, usage is still reported later.
   */
  readonly whenUnreachable?: { readonly start?: "wait" | "go"; readonly turn?: "wait" | "go" };
  /** Hears of usage that was refused, had to be dropped or contradicts an earlier report of its id; losing it silently would hide money. */
  readonly onUsageLost?: (loss: UsageLoss) => void;
  /** Hears of reports that arrived and were not simply counted: duplicates, completions, conflicts, and costs that are estimates. */
  readonly onUsageNotice?: (notice: UsageNotice) => void;
  /** How often prompts and routes in use are asked for anew; 5 s by default. */
  readonly refreshEveryMs?: number;
  /** Hears when what is served of a prompt in use has changed. */
  readonly onPromptChanged?: (change: PromptChange) => void;
  /** Hears when a route in use has changed. */
  readonly onRouteChanged?: (change: RouteChanged) => void;
  /** How often flags in use are asked for anew at the latest; 2 s by default. A flag that is switched off is off in this process within so long. */
  readonly flagRefreshEveryMs?: number;
  /** File that keeps the last flags for a restart while runbookd is away; its folder must exist. None by default: then every flag is off until runbookd answers. */
  readonly snapshotFile?: string;
  /** Hears of a snapshot that is ignored or cannot be written, and, once each time, that flags cannot be read. */
  readonly onFlagTrouble?: (trouble: FlagTrouble) => void;
  /**
   * Names this process among those that follow routes, prompts and flags, so that a change is known to have reached every one; random by default. Two processes
   * must not have the same name.
   */
  readonly instance?: string;
  /** For tests; real time by default. */
  readonly clock?: Clock;
}

/** Everything that an application needs: permission before work, a report after it. The same is plain HTTP for other languages. */
export interface RunbookdClient extends AdmissionGate {
  /** Reports one model request, with the provider's or library's own usage object. Returns at once; sent in bulk, again until it arrives, counted once. Without `at` it ends now. */
  reportUsage(report: UsageReport): void;
  /** Sends what is waiting. Resolves when it has arrived or when runbookd could not be reached; what could not be sent stays. */
  flush(): Promise<void>;
  /** Usage events that have not arrived yet. */
  pendingUsage(): number;
  /** Tells a change of the workload, such as this release; a rise of cost that begins near it names it. Rejects with Unreachable; telling it again is harmless. */
  reportChange(change: NewChangeInput): Promise<void>;
  /**
   * Says how good an ended ticket really was, 0 to 1: accepted or not, or a judge's score. The rollouts that the ticket is in count it instead of success
   * or failure. False: no rollout counts it any more, or yet. Rejects with Unreachable; telling it again is harmless.
   */
  reportQuality(ticketId: string, quality: TicketQuality): Promise<boolean>;
  /**
   * Has an answer or the arguments of a tool call looked through for secrets and honeytokens; what is found becomes a security finding of the feature. The
   * text is not stored; of more than 262,144 characters samples are sent. Rejects with Unreachable: then nothing was looked at.
   */
  reportOutput(output: ReportedOutput): Promise<OutputInspection>;
  /** Creates a batch with its tickets; creating it again with the same tickets adds only what is missing. */
  createBatch(batch: NewBatchInput): Promise<BatchView>;
  readBatch(id: string): Promise<BatchView | undefined>;
  /** Prompts as runbookd serves them, with a canary's share of the tickets. */
  readonly prompts: PromptSource;
  /** Which model a ticket gets, with a candidate's share of the tickets. */
  readonly routes: RouteSource;
  /** Which features are on, for a share of the tickets or for all. */
  readonly flags: FlagSource;
  /** Sends what is left, once, and stops. */
  close(): Promise<void>;
}

const readAdmission = tolerant(admissionResponseSchema);
const readExtension = tolerant(extensionResponseSchema);
const readOutputs = tolerant(outputReportResultSchema);
const readBatchView = tolerant(batchViewSchema);

const retryMs = 5000;
const defaultRefreshEveryMs = 5000;
const defaultFlagRefreshEveryMs = 2000;

/**
 * The client of an application. Every member rejects with Refused when runbookd calls a request wrong. That runbookd cannot be reached is an answer of the
 * gate and never an exception there; batches reject with Unreachable, and may be handed in again without harm.
 */
export function createRunbookdClient(options: RunbookdClientOptions): RunbookdClient {
  const clock = options.clock ?? createSystemClock();
  const http = createHttp({
    url: options.url,
    token: options.token,
    fetch: options.fetch ?? fetch,
    clock,
    follower: options.instance ?? createInstanceName(),
  });
  const outbox = createUsageOutbox({
    http,
    clock,
    onLost: options.onUsageLost ?? (() => undefined),
    onNotice: options.onUsageNotice ?? (() => undefined),
  });
  const rollouts = createTicketRollouts();
  const prompts = createPromptSource({
    rollouts,
    http,
    clock,
    everyMs: options.refreshEveryMs ?? defaultRefreshEveryMs,
    onChanged: options.onPromptChanged ?? (() => undefined),
  });
  const routes = createRouteSource({
    rollouts,
    http,
    clock,
    everyMs: options.refreshEveryMs ?? defaultRefreshEveryMs,
    onChanged: options.onRouteChanged ?? (() => undefined),
  });
  const reporter = createInstanceName();
  const flags = createFlagSource({
    rollouts,
    http,
    clock,
    everyMs: options.flagRefreshEveryMs ?? defaultFlagRefreshEveryMs,
    reporter,
    onTrouble: options.onFlagTrouble ?? (() => undefined),
    snapshot:
      options.snapshotFile === undefined
        ? undefined
        : createFlagSnapshot({ file: options.snapshotFile, url: options.url, suffix: reporter }),
  });
  const policy = { start: options.whenUnreachable?.start ?? "wait", turn: options.whenUnreachable?.turn ?? "wait" };

  return {
    async admit(request: AdmissionRequestInput): Promise<AdmissionAnswer> {
      // The gate judges by what was spent, so it must hear of it first.
      await outbox.flush();
      try {
        return admissionFromWire(readAdmission.parse(await http.send("POST", "/api/admissions", rollouts.attach(request))));
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        const rule = (request.turn ?? 0) === 0 ? policy.start : policy.turn;
        if (rule === "go") return { kind: "admitted", leaseId: "unreachable", leaseMs: retryMs };
        return { kind: "wait", reason: "unreachable", detail: `runbookd cannot be asked: ${error.message}`, retryAfterMs: retryMs };
      }
    },
    async extend(budget, leaseId) {
      try {
        const response = await http.send("POST", `/api/admissions/${encodeURIComponent(leaseId)}/extend`, { budget });
        return readExtension.parse(response).extended;
      } catch (error) {
        if (error instanceof Unreachable) return false;
        throw error;
      }
    },
    async release(release: ReleaseInput) {
      await outbox.flush();
      try {
        await http.send("POST", "/api/admissions/release", rollouts.attach(release));
        if (release.outcome !== undefined) rollouts.forget(release.ticketId);
      } catch (error) {
        // The lease expires automatically; its reservation is charged until its usage arrives.
        if (!(error instanceof Unreachable)) throw error;
      }
    },
    reportUsage: (report) => outbox.add(rollouts.attach(report)),
    flush: () => outbox.flush(),
    pendingUsage: () => outbox.size(),
    async reportChange(change) {
      await http.send("POST", "/api/changes", change);
    },
    async reportQuality(ticketId, quality) {
      try {
        await http.send("PUT", `/api/tickets/${encodeURIComponent(ticketId)}/quality`, quality);
        return true;
      } catch (error) {
        if (error instanceof Refused && (error.status === 404 || error.status === 409)) return false;
        throw error;
      }
    },
    async reportOutput(output) {
      const text = sampleOutput(output.text);
      const response = await http.send("POST", "/api/outputs", { outputs: [{ ...output, text }] });
      const [inspection] = readOutputs.parse(response).items;
      return { scanned: text === output.text && inspection?.scanned === true, detections: inspection?.detections ?? 0 };
    },
    createBatch: async (batch) => readBatchView.parse(await http.send("POST", "/api/batches", batch)),
    async readBatch(id) {
      const response = await http.send("GET", `/api/batches/${encodeURIComponent(id)}`);
      return response === undefined ? undefined : readBatchView.parse(response);
    },
    prompts,
    routes,
    flags,
    async close() {
      prompts.close();
      routes.close();
      await flags.close();
      await outbox.flush();
      outbox.stop();
    },
  };
}
