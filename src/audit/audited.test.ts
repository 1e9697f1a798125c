import { expect, it } from "@jest/globals";
import type { AuditEntry } from "../../packages/sdk/src/wire/audit.ts";
import { createActionBench } from "../../test/builders/action-bench.ts";
import { aBudgetState } from "../../test/fakes/fake-budget-control.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import type { AnswerResult } from "../approvals/approval-service.ts";
import type { ControlResult } from "../runs/run-control.ts";
import { auditedApprovals, auditedBatches, auditedControl, auditedFreezes } from "./audited.ts";

function anAudit() {
  const entries: AuditEntry[] = [];
  return {
    entries,
    deps: {
      audit: {
        async append(entry: AuditEntry) {
          entries.push(entry);
        },
      },
      clock: createFakeClock(7),
    },
  };
}

it.each<[AnswerResult, AuditEntry["kind"] | undefined]>([
  [{ kind: "ok", runId: "run_1" }, "answered"],
  [{ kind: "recorded", runId: "run_1", missing: 1 }, "answered"],
  [{ kind: "expired" }, "answer_refused"],
  [{ kind: "over", reason: "r" }, "answer_refused"],
  [{ kind: "wrong_link", remainingTries: 4 }, "answer_refused"],
  [{ kind: "not_permitted", reason: "r" }, "answer_refused"],
  [{ kind: "plan_changed" }, "answer_refused"],
  [{ kind: "not_found" }, undefined],
])("records an answer that is met with %j as %s, and never the link's token", async (reply, kind) => {
  const { entries, deps } = anAudit();
  const desk = auditedApprovals({ list: async () => [], find: async () => undefined, answer: async () => reply }, deps);
  const request = { answer: "approve", reason: "fine", by: "bob", role: "approver", at: 1, link: "secret-token" } as const;
  expect(await desk.answer("q_1", request)).toEqual(reply);
  expect(entries.map(({ kind, at, by, subject, detail }) => [kind, at, by, subject, detail["byLink"], detail["reply"]])).toEqual(
    kind === undefined ? [] : [[kind, 7, "bob", "q_1", true, reply.kind]],
  );
  expect(JSON.stringify(entries)).not.toContain("secret-token");
});

it("records what people do to runs, and what they were refused", async () => {
  const { entries, deps } = anAudit();
  let reply: ControlResult = { kind: "ok", runId: "run_2" };
  const answer = async () => reply;
  const control = auditedControl({ start: answer, abort: answer, resume: answer, rerun: answer }, deps);
  await control.start({ runbookId: "cost", params: { budget: "checkout" }, requester: "ann" });
  await control.abort("run_1", "bob", "enough");
  await control.resume("run_1", "bob");
  await control.rerun("run_1", "bob");
  reply = { kind: "conflict", reason: "The run has ended." };
  await control.abort("run_1", "eve", "again");
  reply = { kind: "not_found" };
  await control.abort("run_9", "eve", "again");
  expect(entries.map(({ kind, by, subject }) => [kind, by, subject])).toEqual([
    ["run_started", "ann", "cost"],
    ["run_aborted", "bob", "run_1"],
    ["run_resumed", "bob", "run_1"],
    ["run_repeated", "bob", "run_1"],
    ["run_refused", "eve", "run_1"],
  ]);
  expect(entries[4]?.detail).toMatchObject({ wanted: "run_aborted", reason: "again" });
});

it("stops a run and freezes even when the record cannot be written, and says so", async () => {
  const done: string[] = [];
  const deps = {
    audit: {
      append: async () => {
        throw new Error("no Redis");
      },
    },
    clock: createFakeClock(7),
  };
  const ok = async (): Promise<ControlResult> => {
    done.push("abort");
    return { kind: "ok", runId: "run_1" };
  };
  await expect(auditedControl({ start: ok, abort: ok, resume: ok, rerun: ok }, deps).abort("run_1", "bob", "enough")).rejects.toThrow(
    "no Redis",
  );
  const freezes = auditedFreezes({ list: async () => [], put: async () => void done.push("freeze"), remove: async () => false }, deps);
  await expect(freezes.put({ scope: "all", by: "ann", at: 1, reason: "storm", undo: true })).rejects.toThrow("no Redis");
  expect(done).toEqual(["abort", "freeze"]);
});

it("records what people do to batches, and what they were refused", async () => {
  const { entries, deps } = anAudit();
  const control = auditedBatches(createActionBench(aBudgetState("checkout")).batches, deps);
  await control.submit("nightly", "ann");
  await control.change("nightly", { gate: "paused", reason: "look", by: "bob" });
  await control.change("nightly", { state: "cancelled", reason: "wrong list", by: "bob" });
  await control.change("nightly", { gate: "open", reason: "late", by: "eve" });
  await control.change("none", { gate: "open", by: "eve" });
  expect(entries.map(({ kind, by, subject, detail }) => [kind, by, subject, detail["reply"]])).toEqual([
    ["batch_submitted", "ann", "nightly", "submitted"],
    ["batch_changed", "bob", "nightly", "set"],
    ["batch_changed", "bob", "nightly", "set"],
    ["batch_refused", "eve", "nightly", "over"],
  ]);
});
