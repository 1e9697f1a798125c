import { expect, it } from "@jest/globals";
import { assert, asyncProperty, constantFrom } from "fast-check";
import { type Mode, modes, type RunRequest } from "../../packages/sdk/src/wire/runs.ts";
import { aRunbook } from "../../test/builders/a-runbook.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { moreCareful } from "../alerts/prepare-run.ts";
import type { AcceptWrite } from "../alerts/store.ts";
import { createRunControl } from "./create-run-control.ts";

const request: RunRequest = {
  runbookId: "test",
  runbookSha: "a".repeat(64),
  mode: "auto",
  params: {},
  source: "manual",
  requester: "alice",
};

/** A control over one ended run with this request, and what it accepted. */
function aControl(earlier: RunRequest, present: ReturnType<typeof aRunbook> | undefined) {
  const accepted: NonNullable<AcceptWrite["run"]>[] = [];
  const puts: string[] = [];
  const document = { id: "test", file: "test.md", source: present?.source ?? "", diagnostics: [] };
  const control = createRunControl({
    store: {
      read: async () => [],
      accept: async (writes) =>
        writes.map(({ run }) => {
          if (run !== undefined) accepted.push(run);
          return { kind: "created", runId: run?.id ?? "" };
        }),
    },
    bytes: { put: async (_sha, source) => void puts.push(source), get: async () => undefined },
    notices: { stop: async () => "ok", wake: async () => "ok", resolved: async () => "ok" },
    damaged: { giveUp: async () => false },
    wakeQueue: { enqueue: () => undefined },
    reader: {
      get: async () => ({
        summary: {
          id: "run_1",
          runbookId: "test",
          runbookSha: earlier.runbookSha,
          mode: earlier.mode,
          state: "ended",
          source: "manual",
          acceptedAt: 0,
        },
        journal: [{ kind: "accepted", at: 0, runId: "run_1", request: earlier }],
        runbookSource: "the old document",
      }),
    },
    library: { get: () => (present === undefined ? undefined : { ...document, runbook: present }) },
    ids: () => "run_2",
    clock: createFakeClock(1_000),
  });
  return { control, accepted, puts };
}

const anyMode = constantFrom<Mode>(...modes);

it("never repeats a run in a less careful mode than the document's present one, nor than the run's own", async () => {
  await assert(
    asyncProperty(anyMode, anyMode, constantFrom("present" as const, "pinned" as const), async (old, now, document) => {
      const { control, accepted } = aControl(
        { ...request, mode: old },
        aRunbook([], { mode: now, sha256: "b".repeat(64), source: "the new document" }),
      );
      expect(await control.rerun("run_1", "bob", document)).toEqual({ kind: "ok", runId: "run_2" });
      const mode = accepted[0]?.accepted.kind === "accepted" ? accepted[0].accepted.request.mode : undefined;
      expect(mode).toBe(moreCareful(old, now));
      expect(accepted[0]?.summary.mode).toBe(mode);
    }),
  );
});

it("asks a person for every change when the document is no longer in force", async () => {
  await assert(
    asyncProperty(anyMode, async (old) => {
      const { control, accepted, puts } = aControl({ ...request, mode: old }, undefined);
      await control.rerun("run_1", "bob");
      expect(accepted[0]?.summary.mode).toBe(moreCareful(old, "approve"));
      expect(puts).toEqual(["the old document"]);
    }),
  );
});

it("executes the document in force, and the first run's only when that is asked for", async () => {
  const present = aRunbook([], { sha256: "b".repeat(64), source: "the new document" });
  const { control, accepted, puts } = aControl(request, present);
  await control.rerun("run_1", "bob");
  await control.rerun("run_1", "root", "pinned");
  expect(accepted.map(({ summary }) => summary.runbookSha)).toEqual(["b".repeat(64), "a".repeat(64)]);
  expect(puts).toEqual(["the new document", "the old document"]);
});

it("keeps a repeated test alert at observing, and reads the parameters of the present document from the alert", async () => {
  const alert = {
    fingerprint: "f".repeat(16),
    status: "firing" as const,
    labels: { alertname: "Slow", service: "checkout", runbookd_test: "true" },
    annotations: {},
    startsAt: 0,
    generatorUrl: "",
  };
  const present = aRunbook([], {
    params: { service: { type: "string", from: "alert.labels.service" } },
    target: "svc/${{ params.service }}",
  });
  const { control, accepted } = aControl({ ...request, mode: "observe", source: "webhook", alert, params: { old: 1 } }, present);
  await control.rerun("run_1", "bob");
  expect(accepted[0]?.accepted).toMatchObject({
    request: { mode: "observe", source: "rerun", requester: "bob", params: { service: "checkout" }, target: "svc/checkout", alert },
  });
});

it("refuses with the reason when the present document does not take the request", async () => {
  const present = aRunbook([], { params: { region: { type: "string" } } });
  const { control, accepted } = aControl({ ...request, params: { service: "checkout" } }, present);
  const result = await control.rerun("run_1", "bob");
  expect(result.kind).toBe("conflict");
  expect(result).toMatchObject({ reason: expect.stringMatching(/changed since.*params\.region is missing.*params\.service is unknown/) });
  expect(accepted).toEqual([]);
});
