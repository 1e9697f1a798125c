import type { Action, ActionContext, BoundAction } from "../../src/core/action.ts";
import { StepFailure } from "../../src/core/failure.ts";
import { defaultIntervals } from "../../src/runs/engine/move.ts";
import type { Append, RunJournal } from "../../src/runs/store.ts";
import type { Mutant } from "./mutant.ts";
import type { JournalWrapper } from "./simulated-store.ts";

const wrap =
  (over: (journal: RunJournal, world: Parameters<JournalWrapper>[1]) => Partial<RunJournal>): JournalWrapper =>
  (journal, world) => ({
    leaseMs: journal.leaseMs,
    claim: async (runId) => journal.claim(runId),
    renew: async (lease) => journal.renew(lease),
    append: async (lease, append) => journal.append(lease, append),
    ...over(journal, world),
  });

/** The journal with every write changed before the scripts see it. */
const writing = (change: (append: Append) => Append): JournalWrapper =>
  wrap((journal) => ({ append: async (lease, append) => journal.append(lease, change(append)) }));

const acting =
  (change: (action: BoundAction) => BoundAction) =>
  (action: Action): Action => ({
    ...action,
    bind(parameters) {
      const bound = action.bind(parameters);
      return bound.ok ? { ok: true, action: change(bound.action) } : bound;
    },
  });

function keyed(context: ActionContext, idempotencyKey: string): ActionContext {
  return { ...context, idempotencyKey };
}

/** Ways to break the protocol, each of which the checkers must find. */
export const mutants: readonly Mutant[] = [
  {
    name: "no-epoch-check",
    says: "a write with the token of an earlier claim is taken",
    journal: wrap((journal, { state }) => ({
      async append(lease, append) {
        const row = state.rows.get(lease.runId);
        if (row?.token === undefined) return journal.append(lease, append);
        return journal.append({ ...lease, token: row.token }, { ...append, head: row.head });
      },
    })),
  },
  {
    name: "renew-expired",
    says: "a lease that is over or was taken is renewed",
    faults: ["stop_process", "stop_process_after", "hold", "other"],
    journal: wrap((journal) => ({
      renew: async (lease) => ({ renewed: true, notices: (await journal.renew(lease)).notices }),
    })),
  },
  {
    name: "claim-leased",
    says: "a run is claimed although its lease is alive, and both workers may write",
    faults: ["wake", "other"],
    journal: wrap((journal, { state }) => ({
      async claim(runId) {
        const row = state.rows.get(runId);
        if (row !== undefined) row.leaseUntil = 0;
        return journal.claim(runId);
      },
      async append(lease, append) {
        const row = state.rows.get(lease.runId);
        if (row?.token === undefined) return journal.append(lease, append);
        return journal.append({ ...lease, token: row.token }, { ...append, head: row.head });
      },
    })),
  },
  {
    name: "effect-before-intent",
    says: "the intent is written together with the result, after the effect",
    journal: wrap((journal) => {
      const kept = new Map<string, { readonly entries: Append["entries"]; readonly head: string }>();
      return {
        async append(lease, append) {
          const held = kept.get(lease.token);
          kept.delete(lease.token);
          const entries = [...(held?.entries ?? []), ...append.entries];
          const head = held?.head ?? append.head;
          if (append.precedes !== "effect") return journal.append(lease, { ...append, entries, head });
          kept.set(lease.token, { entries, head });
          return { kind: "ok", head, notices: {} };
        },
      };
    }),
  },
  {
    name: "no-wait",
    says: "an effect begins although its intent is not on the replica",
    journal: wrap((journal) => ({
      async append(lease, append) {
        const result = await journal.append(lease, append);
        return result.kind === "ok" ? { ...result, unreplicated: false } : result;
      },
    })),
  },
  { name: "no-claims", says: "an intent takes neither locks nor limits", journal: writing((append) => ({ ...append, claims: [] })) },
  {
    name: "no-lock",
    says: "an intent does not lock its target",
    journal: writing((append) => ({ ...append, claims: append.claims.filter((claim) => !("lock" in claim)) })),
  },
  {
    name: "no-limit",
    says: "an intent counts against no limit",
    journal: writing((append) => ({ ...append, claims: append.claims.filter((claim) => !("bucket" in claim)) })),
  },
  {
    name: "unlock-when-suspended",
    says: "the locks of a run are released when it waits",
    journal: wrap((journal, { state }) => ({
      async append(lease, append) {
        const result = await journal.append(lease, append);
        if (result.kind === "ok" && append.release !== undefined)
          for (const [lock, holder] of state.locks) if (holder === lease.runId) state.locks.delete(lock);
        return result;
      },
    })),
  },
  {
    name: "written-twice",
    says: "a write whose reply was lost is written a second time when it is repeated",
    journal: wrap((journal, { state }) => ({
      async append(lease, append) {
        const row = state.rows.get(lease.runId);
        if (row?.token !== lease.token) return journal.append(lease, append);
        return journal.append(lease, { ...append, head: row.head });
      },
    })),
  },
  {
    name: "freeze-ignored",
    says: "an intent is written under a freeze",
    journal: writing(({ freeze: _freeze, ...append }) => append),
  },
  {
    name: "stop-ignored",
    says: "an intent is written after a person has asked for a stop",
    journal: writing(({ precedes: _precedes, ...append }) => ({ ...append, recordedNotices: { ...append.recordedNotices, stop: true } })),
  },
  {
    name: "result-forgotten",
    says: "the results of effects are not written",
    journal: writing((append) => ({ ...append, entries: append.entries.filter(({ kind }) => kind !== "applied") })),
  },
  {
    name: "key-per-attempt",
    says: "each attempt has a key of its own",
    action: (() => {
      let attempts = 0;
      return acting((action) => ({
        ...action,
        run: async (plan, context) => action.run(plan, keyed(context, `${context.idempotencyKey} ${(attempts += 1)}`)),
      }));
    })(),
  },
  {
    name: "one-key-for-all",
    says: "the steps of a run share one key",
    action: acting((action) => ({ ...action, run: async (plan, context) => action.run(plan, keyed(context, context.runId)) })),
  },
  {
    name: "once-is-repeated",
    says: "an effect that must be attempted once is declared as one that may be repeated",
    action: acting((action) => (action.effect === "once" ? { ...action, effect: "keyed" } : action)),
  },
  {
    name: "unknown-is-failed",
    says: "an unknown outcome is taken as not applied",
    action: acting((action) => ({
      ...action,
      async run(plan, context) {
        try {
          return await action.run(plan, context);
        } catch (error) {
          if (!(error instanceof StepFailure)) throw error;
          throw new StepFailure({ ...error.failure, reason: "overloaded", applied: "no" });
        }
      },
    })),
  },
  {
    name: "no-quarantine",
    says: "the target is asked for an effect at once, while its request may be on its way",
    intervals: { ...defaultIntervals, quarantineMs: 0 },
    faults: ["crash_sent", "hold", "crash", "stop_process"],
  },
  {
    name: "permission-ignored",
    says: "a guardrail that asks for a permission allows",
    engine: (deps) => ({
      ...deps,
      guard: async (candidate, now) => {
        const verdict = await deps.guard(candidate, now);
        return verdict.kind === "ask" ? { kind: "allow", claims: [] } : verdict;
      },
    }),
  },
  {
    name: "unfit-ignored",
    says: "a worker goes on although its store loses writes at a restart",
    isBlind: true,
  },
  {
    name: "locked-as-spelled",
    says: "a target is locked by the name that the request spells",
    engine: (deps) => ({
      ...deps,
      guard: async (candidate, now) => {
        const verdict = await deps.guard(candidate, now);
        if (verdict.kind !== "allow") return verdict;
        const claims = verdict.claims.map((claim) => ("lock" in claim ? { lock: candidate.target ?? claim.lock } : claim));
        return { ...verdict, claims };
      },
    }),
  },
  {
    name: "authority-remembered",
    says: "an answer is taken although the person has lost the role while the question was open",
    role: (_present, first) => first,
  },
  {
    name: "late-answer-counts",
    says: "an answer is recorded after the time of its question is over",
    questions: (questions) => ({
      ...questions,
      async record(write) {
        const { expiresAt: _expiresAt, ...question } = write.question;
        return questions.record({ ...write, question });
      },
    }),
  },
  {
    name: "one-consent-is-enough",
    says: "the first of two people who must approve decides",
    questions: (questions) => ({ ...questions, record: async (write) => questions.record({ ...write, mode: "alone" }) }),
  },
  {
    name: "role-ignored",
    says: "an operator may answer what is for approvers",
    questions: (questions) => ({
      ...questions,
      async read(id) {
        const stored = await questions.read(id);
        return stored === undefined ? undefined : { ...stored, question: { ...stored.question, role: "operator" } };
      },
    }),
  },
  {
    name: "requester-approves",
    says: "the person who asked for a run may approve its steps",
    questions: (questions) => ({
      ...questions,
      async read(id) {
        const stored = await questions.read(id);
        if (stored === undefined) return undefined;
        const { requester: _requester, ...question } = stored.question;
        return { ...stored, question };
      },
    }),
  },
  {
    name: "answered-again",
    says: "a second answer is recorded after the first",
    questions: (questions, { state }) => ({
      ...questions,
      async read(id) {
        const stored = await questions.read(id);
        if (stored === undefined) return undefined;
        const { answer: _answer, ...open } = stored;
        return open;
      },
      async record(write) {
        state.answers.delete(write.question.id);
        const row = state.rows.get(write.runId);
        if (row !== undefined && row.question === "") row.question = write.question.id;
        return questions.record(write);
      },
    }),
  },
  {
    name: "present-document",
    says: "a run executes the document as it is now",
    engine: (deps, present) => ({ ...deps, runbooks: present }),
  },
  {
    name: "dead-workers-runs-forgotten",
    says: "the sweep does not find runs whose lease is over",
    due: (due, stateOf) => due.filter((runId) => stateOf(runId) !== "running"),
  },
  {
    name: "suspended-runs-forgotten",
    says: "the sweep does not find runs whose wait is over",
    due: (due, stateOf) => due.filter((runId) => stateOf(runId) !== "suspended"),
  },
];
