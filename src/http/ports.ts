import type { AuditRecord } from "../core/audit.ts";
import type { Instant } from "../core/clock.ts";
import type { Freeze } from "../core/freeze.ts";
import type { JournalEntry } from "../core/journal.ts";
import type { Json } from "../core/json.ts";
import type { Answer, Consent, Question } from "../core/question.ts";
import type { Caller, Role } from "../core/role.ts";
import type { Mode, Outcome, RunState, RunSummary } from "../core/run.ts";
import type { Diagnostic, Runbook } from "../runbook/runbook.ts";

/** Items in order, newest first; `nextCursor` is opaque and absent on the last page. */
export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor?: string;
}

/** Every member that is present must match. */
export interface RunFilter {
  readonly state?: RunState;
  readonly outcome?: Outcome;
  readonly runbookId?: string;
  readonly target?: string;
}

/** One run with everything that is known about it. */
export interface RunRecord {
  readonly summary: RunSummary;
  readonly journal: readonly JournalEntry[];
  /** The pinned bytes; absent when they are gone. */
  readonly runbookSource?: string;
  /** The post-incident review as plain text, once there is one. */
  readonly report?: { readonly text: string };
}

/** One journal entry with its place in the journal; 0 is `accepted`. */
export interface IndexedEntry {
  readonly index: number;
  readonly entry: JournalEntry;
}

/** What people read about runs. */
export interface RunReader {
  /** `undefined` means that the cursor is none of ours. */
  list(filter: RunFilter, page: { readonly cursor?: string; readonly limit: number }): Promise<Page<RunSummary> | undefined>;
  get(id: string): Promise<RunRecord | undefined>;
  /**
   * Entries with an index above `afterIndex` (-1 = all) as they are written. Ends after `finished` and every Post-Action entry, or when the
   * signal is aborted, without throwing. Yields nothing for a run that does not exist.
   */
  follow(id: string, afterIndex: number, signal: AbortSignal): AsyncIterable<IndexedEntry>;
}

/** `conflict`: the run exists and cannot do this now. */
export type ControlReply =
  | { readonly kind: "ok"; readonly runId: string }
  | { readonly kind: "conflict"; readonly reason: string }
  | { readonly kind: "not_found" };

/** `invalid`: the parameters do not fit the runbook; one sentence each. */
export type StartReply = ControlReply | { readonly kind: "invalid"; readonly issues: readonly string[] };

/** What a person asks for when starting a run by hand. */
export interface StartRequest {
  readonly runbookId: string;
  readonly params: { readonly [name: string]: Json };
  /** At most the runbook's own mode. */
  readonly mode?: Mode;
  readonly requester: string;
}

/** What people do to runs. Each promise resolves when it is durable and rejects with `StoreUnavailable` otherwise. */
export interface RunControl {
  start(request: StartRequest): Promise<StartReply>;
  abort(id: string, by: string, reason: string): Promise<ControlReply>;
  resume(id: string, by: string): Promise<ControlReply>;
  /** A new run with the same request; answers the new run's id. */
  rerun(id: string, by: string): Promise<ControlReply>;
}

/** A question, and its answer once there is one. */
export interface AskedQuestion {
  readonly question: Question;
  readonly answer?: Answer;
  /** Who has approved so far, when one approval is not enough. */
  readonly consents: readonly Consent[];
  /** How many more people must approve; 1 for what one person decides, 0 when it is decided. */
  readonly missing: number;
}

/** What a person answers. */
export interface AnswerRequest {
  readonly answer: string;
  readonly reason: string;
  /** The plan that the person saw; must equal the question's when it has one. */
  readonly planSha?: string;
  readonly by: string;
  readonly role: Role;
  readonly at: Instant;
  /** The token of a mailed link: must be one of this question's, for this step and this plan. */
  readonly link?: string;
}

/**
 * `recorded`: counted, and `missing` more people must approve. `over`: the run does not wait for this any more.
 * `unknown_answer`: not among the question's permitted answers. `wrong_link`: `left` more tries, then the link is locked.
 */
export type AnswerReply =
  /** `runIds`: all that go on, when the question stood for several. */
  | { readonly kind: "ok"; readonly runId: string; readonly runIds?: readonly string[] }
  | { readonly kind: "recorded"; readonly runId: string; readonly missing: number }
  | { readonly kind: "already"; readonly answer: Answer }
  | { readonly kind: "over"; readonly reason: string }
  | { readonly kind: "wrong_link"; readonly left: number }
  | { readonly kind: "plan_changed" }
  | { readonly kind: "expired" }
  | { readonly kind: "not_permitted"; readonly reason: string }
  | { readonly kind: "unknown_answer"; readonly answers: readonly string[] }
  | { readonly kind: "not_found" };

/** Every question to a person. */
export interface QuestionDesk {
  /** Open questions, oldest first. */
  list(): Promise<readonly AskedQuestion[]>;
  /** One question, open or not. */
  find(id: string): Promise<AskedQuestion | undefined>;
  answer(id: string, answer: AnswerRequest): Promise<AnswerReply>;
}

/** The kill switch, as people hold it. Rejects with `StoreUnavailable` when it cannot be made durable. */
export interface FreezeDesk {
  /** Every freeze that stands, that of a file included. */
  list(): Promise<readonly Freeze[]>;
  put(freeze: Freeze): Promise<void>;
  /** False: there is no such freeze that could be lifted here. */
  remove(scope: string, by: string): Promise<boolean>;
}

/** One document of the running set, or a file that could not be read into one. */
export interface RunbookDocument {
  readonly id: string;
  readonly file: string;
  /** The bytes of the running version; of the broken file when there never was a good one. */
  readonly source: string;
  /** The running version. Absent when the file never was good. */
  readonly runbook?: Runbook;
  /** Of the newest bytes seen: with an error here the running version is an older one. */
  readonly diagnostics: readonly Diagnostic[];
}

/** The running set. */
export interface RunbookLibrary {
  list(): readonly RunbookDocument[];
  get(id: string): RunbookDocument | undefined;
}

/** The first record of a hash chain that is not what was written there; of a run's journal, else of the audit log. */
export interface BrokenRecord {
  readonly run?: string;
  readonly index: number;
  readonly what: string;
}

/** `runs` and `entries` are how many were recomputed, up to the first broken one. */
export interface AuditVerdict {
  readonly ok: boolean;
  readonly runs: number;
  readonly entries: number;
  readonly broken?: BrokenRecord;
}

/** The record of what people did, and the proof of all records. */
export interface AuditReader {
  /** Newest first; `undefined` means that the cursor is none of ours. */
  list(page: { readonly cursor?: string; readonly limit: number }): Promise<Page<AuditRecord> | undefined>;
  /** The audit log and every run's journal, or one run's; `undefined`: there is no such run. */
  verify(runId?: string): Promise<AuditVerdict | undefined>;
}

/** Who a bearer token belongs to; undefined for every token that is not valid now. */
export interface TokenVerifier {
  verify(token: string): Promise<Caller | undefined>;
}

/** One named condition of being ready. `detail` says what is wrong, without a secret. */
export interface Condition {
  readonly name: string;
  readonly ok: boolean;
  readonly detail?: string;
}

/** Asked by /readyz; never rejects and answers within two seconds. */
export interface Readiness {
  conditions(): Promise<readonly Condition[]>;
}

/** What the HTTP side tells metrics. Never throws. */
export interface HttpObserver {
  /** One webhook was answered with `code` after `seconds`. */
  notification(code: number, seconds: number): void;
}

/** Structured log lines. `fields` hold no secret and no untrusted text beyond 200 characters. */
export interface HttpLog {
  info(fields: { readonly [name: string]: Json }, message: string): void;
  warn(fields: { readonly [name: string]: Json }, message: string): void;
  error(fields: { readonly [name: string]: Json }, message: string): void;
}
