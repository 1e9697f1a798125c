import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import type { Freeze } from "../../packages/sdk/src/wire/freezes.ts";
import type { Episode } from "../../src/alerts/episode.ts";
import { openKeyOf, proposeRun } from "../../src/alerts/prepare-run.ts";
import type { AcceptStore, AcceptWrite } from "../../src/alerts/store.ts";
import type { Claim } from "../../src/core/verdict.ts";
import type { RunbookBytes } from "../../src/runbooks/runbook-bytes.ts";

/** One store of accepts and what the suite must see of it. */
export interface AcceptStoreHarness {
  readonly store: AcceptStore;
  readonly bytes: RunbookBytes;
  /** Wall time of the store, in milliseconds. */
  now(): number;
  /** Kind of the journal's first entry and the summary's id; undefined when there is no such run. */
  runOf(runId: string): Promise<{ readonly id: string; readonly first: string } | undefined>;
  /** What the run was told about its alert. */
  resolvedOf(runId: string): Promise<string | undefined>;
  /** What the run was told last of an alert that has joined it. */
  joinedOf(runId: string): Promise<string | undefined>;
  freeze(freeze: Freeze): Promise<void>;
  /** Lifts the freeze of a scope. */
  unfreeze(scope: string): Promise<void>;
  /** Brings the run to its end, with none of the alerts that joined it in its journal. */
  endRun(runId: string): Promise<void>;
  close(): Promise<void>;
}

const source = "# Runbook: Contract\n";
const sha = "c".repeat(64);

/** The contract of `AcceptStore` and `RunbookBytes`: every implementation passes it. */
export function describeAcceptStore(name: string, create: () => Promise<AcceptStoreHarness>): void {
  describe(`${name} as a store of accepts`, () => {
    let harness: AcceptStoreHarness;
    let counter = 0;

    beforeEach(async () => {
      harness = await create();
      await harness.bytes.put(sha, source);
    });

    afterEach(async () => {
      await harness.close();
    });

    function aStart(
      fingerprint: string,
      target: string,
      options: { claims?: readonly Claim[]; expectedVersion?: number; joining?: string } = {},
    ): AcceptWrite {
      const now = harness.now();
      counter += 1;
      const request = { runbookId: "contract", runbookSha: sha, mode: "auto", target, params: {}, source: "webhook" } as const;
      const run = proposeRun({ id: `run_contract${counter}`, request, claims: options.claims ?? [], now });
      const episode = anEpisode(fingerprint, now, run.id);
      const { expectedVersion = 0, joining } = options;
      return { runbookId: "contract", fingerprint, expectedVersion, episode, run: { ...run, ...(joining !== undefined && { joining }) } };
    }

    async function readOne(fingerprint: string) {
      const [stored] = await harness.store.read([{ runbookId: "contract", fingerprint }]);
      return stored;
    }

    it("answers what it does not know with version 0, in the order asked", async () => {
      await harness.store.accept([aStart("known", "t/1")]);
      const stored = await harness.store.read([
        { runbookId: "contract", fingerprint: "unknown" },
        { runbookId: "contract", fingerprint: "known" },
        { runbookId: "another", fingerprint: "known" },
      ]);
      expect(stored.map(({ version }) => version > 0)).toEqual([false, true, false]);
      expect(stored[0]?.episode).toBeUndefined();
    });

    it("creates a run whose journal begins with what was accepted, and keeps the episode as written", async () => {
      const write = aStart("f1", "t/1");
      expect(await harness.store.accept([write])).toEqual([{ kind: "created", runId: write.run?.id }]);
      expect(await harness.runOf(write.run?.id ?? "")).toEqual({ id: write.run?.id, first: "accepted" });
      expect((await readOne("f1"))?.episode).toEqual(write.episode);
    });

    it("answers conflict and writes nothing when the episode is not the one that was read", async () => {
      await harness.store.accept([aStart("f1", "t/1")]);
      const before = await readOne("f1");
      const late = aStart("f1", "t/2");
      expect(await harness.store.accept([late])).toEqual([{ kind: "conflict" }]);
      expect(await readOne("f1")).toEqual(before);
      expect(await harness.runOf(late.run?.id ?? "")).toBeUndefined();
    });

    it("accepts a write that names the version that was read, once", async () => {
      await harness.store.accept([aStart("f1", "t/1")]);
      const stored = await readOne("f1");
      if (stored?.episode === undefined) throw new Error("the episode is not there");
      const write = {
        runbookId: "contract",
        fingerprint: "f1",
        expectedVersion: stored.version,
        episode: { ...stored.episode, endsAt: harness.now() },
      };
      expect(await harness.store.accept([write])).toEqual([{ kind: "updated" }]);
      expect(await harness.store.accept([write])).toEqual([{ kind: "conflict" }]);
      expect((await readOne("f1"))?.episode?.endsAt).toBe(write.episode.endsAt);
    });

    it("joins the open run of the same runbook and target, and the episode gets that run's id", async () => {
      const first = aStart("f1", "t/1");
      const second = aStart("f2", "t/1");
      const replies = await harness.store.accept([first, second]);
      expect(replies).toEqual([
        { kind: "created", runId: first.run?.id },
        { kind: "joined", runId: first.run?.id },
      ]);
      expect((await readOne("f2"))?.episode?.runId).toBe(first.run?.id);
      expect(await harness.runOf(second.run?.id ?? "")).toBeUndefined();
    });

    it("tells the open run of what joins it, when it is to hear of that", async () => {
      const first = aStart("f1", "t/1", { joining: "f1 fires too." });
      await harness.store.accept([first, aStart("f2", "t/1")]);
      const runId = first.run?.id ?? "";
      expect(await harness.joinedOf(runId)).toBeUndefined();
      await harness.store.accept([aStart("f3", "t/1", { joining: "f3 fires too." })]);
      expect(await harness.joinedOf(runId)).toBe("f3 fires too.");
    });

    it("forgets the run of an alert that joined it and that it did not hear of before its end", async () => {
      const first = aStart("f1", "t/1", { joining: "f1 fires too." });
      await harness.store.accept([first, aStart("f2", "t/1", { joining: "f2 fires too." }), aStart("f3", "t/1")]);
      const runId = first.run?.id ?? "";
      const before = await readOne("f2");
      expect(before?.episode?.runId).toBe(runId);
      await harness.endRun(runId);
      const after = await readOne("f2");
      expect([after?.episode?.runId, after?.episode?.ownRunId]).toEqual([undefined, undefined]);
      expect(after?.episode?.startsAt).toBe(before?.episode?.startsAt);
      expect((await readOne("f1"))?.episode?.runId).toBe(runId);
      expect((await readOne("f3"))?.episode?.runId).toBe(runId);
      // Whoever read the episode before has read another one.
      expect(await harness.store.accept([aStart("f2", "t/2", { expectedVersion: before?.version ?? 0 })])).toEqual([{ kind: "conflict" }]);
      const again = aStart("f2", "t/1", { expectedVersion: after?.version ?? 0 });
      expect(await harness.store.accept([again])).toEqual([{ kind: "created", runId: again.run?.id }]);
    });

    it("creates a new run once the open one has ended", async () => {
      const first = aStart("f1", "t/1");
      await harness.store.accept([first]);
      await harness.endRun(first.run?.id ?? "");
      const second = aStart("f2", "t/1");
      expect(await harness.store.accept([second])).toEqual([{ kind: "created", runId: second.run?.id }]);
    });

    it("creates exactly one run when many accepts for one target meet", async () => {
      const writes = Array.from({ length: 20 }, (_, index) => aStart(`f${index}`, "t/1"));
      const replies = (await Promise.all(writes.map((write) => harness.store.accept([write])))).flat();
      expect(replies.filter(({ kind }) => kind === "created")).toHaveLength(1);
      expect(replies.filter(({ kind }) => kind === "joined")).toHaveLength(19);
    });

    it("lets exactly one of many writes that name one version through", async () => {
      const writes = Array.from({ length: 20 }, (_, index) => aStart("f1", `t/${index}`));
      const replies = (await Promise.all(writes.map((write) => harness.store.accept([write])))).flat();
      expect(replies.filter(({ kind }) => kind === "created")).toHaveLength(1);
      expect(replies.filter(({ kind }) => kind === "conflict")).toHaveLength(19);
    });

    it("refuses a run whose bucket is full, says until when, and writes nothing", async () => {
      const claims = [{ bucket: "cooldown:contract", max: 1, windowMs: 60_000, amount: 1 }];
      await harness.store.accept([aStart("f1", "t/1", { claims })]);
      const second = aStart("f2", "t/2", { claims });
      const [reply] = await harness.store.accept([second]);
      expect(reply).toMatchObject({ kind: "refused", claim: "cooldown:contract" });
      expect(reply?.kind === "refused" && (reply.retryAt ?? 0) > harness.now()).toBe(true);
      expect(await readOne("f2")).toEqual({ version: 0 });
      expect(await harness.runOf(second.run?.id ?? "")).toBeUndefined();
    });

    it("takes no claim for a run that is only joined", async () => {
      const claims = [{ bucket: "rate:contract", max: 2, windowMs: 60_000, amount: 1 }];
      const replies = await harness.store.accept([
        aStart("f1", "t/1", { claims }),
        aStart("f2", "t/1", { claims }),
        aStart("f3", "t/3", { claims }),
        aStart("f4", "t/4", { claims }),
      ]);
      expect(replies.map(({ kind }) => kind)).toEqual(["created", "joined", "created", "refused"]);
    });

    it("takes none of several claims when one is refused", async () => {
      const full = { bucket: "full", max: 1, windowMs: 60_000, amount: 1 };
      const free = { bucket: "free", max: 1, windowMs: 60_000, amount: 1 };
      const replies = await harness.store.accept([
        aStart("f1", "t/1", { claims: [full] }),
        aStart("f2", "t/2", { claims: [free, full] }),
        aStart("f3", "t/3", { claims: [free] }),
      ]);
      expect(replies.map(({ kind }) => kind)).toEqual(["created", "refused", "created"]);
    });

    it.each(["all", "runbook:contract", "target:t/1"])(
      "starts no run under a freeze of %s, writes nothing, and says who and why",
      async (scope) => {
        const start = aStart("f1", "t/1");
        await harness.freeze({ scope, by: "ann", reason: "a release", at: 1, undo: true });
        const [reply] = await harness.store.accept([start]);
        expect(reply).toEqual({ kind: "frozen", reason: `Frozen (${scope}) by ann: a release` });
        expect(await readOne("f1")).toEqual({ version: 0 });
        expect(await harness.runOf(start.run?.id ?? "")).toBeUndefined();
        await harness.unfreeze(scope);
        expect(await harness.store.accept([start])).toEqual([{ kind: "created", runId: start.run?.id }]);
      },
    );

    it("starts what a freeze does not cover", async () => {
      await harness.freeze({ scope: "target:t/2", by: "ann", reason: "a release", at: 1, undo: true });
      await harness.freeze({ scope: "runbook:another", by: "ann", reason: "a release", at: 1, undo: true });
      expect(await harness.store.accept([aStart("f1", "t/1")])).toMatchObject([{ kind: "created" }]);
    });

    it("tells the run that its alert has resolved", async () => {
      const start = aStart("f1", "t/1");
      await harness.store.accept([start]);
      const stored = await readOne("f1");
      const runId = start.run?.id ?? "";
      const episode = { ...start.episode, endsAt: harness.now() };
      const [reply] = await harness.store.accept([
        { runbookId: "contract", fingerprint: "f1", expectedVersion: stored?.version ?? 0, episode, resolves: { runId, why: "It ended." } },
      ]);
      expect(reply).toEqual({ kind: "updated" });
      expect(await harness.resolvedOf(runId)).toBe("It ended.");
    });

    it("keeps fingerprints of any shape apart", async () => {
      const shapes = ["active", "wait", "meta", "a:b", "0:1", "123", "{x}*?", "__proto__", "x".repeat(256), 'a","b'];
      const replies = await harness.store.accept(shapes.map((shape, index) => aStart(shape, `t/${index}`)));
      expect(replies.map(({ kind }) => kind)).toEqual(shapes.map(() => "created"));
      const stored = await harness.store.read(shapes.map((fingerprint) => ({ runbookId: "contract", fingerprint })));
      expect(stored.map(({ episode }) => episode?.fingerprint)).toEqual(shapes);
    });

    it("keeps the runbook's bytes under their hash", async () => {
      expect(await harness.bytes.get(sha)).toBe(source);
      await harness.bytes.put(sha, source);
      expect(await harness.bytes.get(sha)).toBe(source);
      expect(await harness.bytes.get("d".repeat(64))).toBeUndefined();
    });

    it("tells targets apart that look alike when they are joined", () => {
      expect(openKeyOf("a", "b/c")).not.toBe(openKeyOf("a/b", "c"));
      expect(openKeyOf("a", undefined)).not.toBe(openKeyOf("a", "null"));
    });
  });
}

function anEpisode(fingerprint: string, at: number, runId: string): Episode {
  return { runbookId: "contract", fingerprint, startsAt: at, latestStartsAt: at, lastSeenAt: at, recentStarts: [at], count: 1, runId };
}
