import { describe, expect, it } from "@jest/globals";
import type { SecurityFinding, SeverityVerdict } from "../../packages/sdk/src/wire/security-findings.ts";
import {
  maxFindingSources,
  maxSeriousFindings,
  type PlacedSecurityFinding,
  type SecurityFindingStore,
} from "../../src/llm/findings/security-finding-store.ts";
import { createFakeClock, type FakeClock } from "../fakes/fake-clock.ts";

/** An open finding of a code scanner, whose word for it is `medium`. */
export function aSecurityFinding(change: Partial<PlacedSecurityFinding> = {}): PlacedSecurityFinding {
  return {
    source: "semgrep",
    ref: "sql-injection",
    kind: "code",
    state: "open",
    title: "SQL injection",
    feature: "export",
    weakness: { cwe: ["CWE-89"], owasp: [] },
    facts: { sourceSeverity: "medium" },
    location: { repository: "acme/desk", path: "src/export/run.ts", line: 7 },
    updatedAt: 1000,
    ...change,
  };
}

/** A verdict of a class. */
export function aVerdict(severityClass: SeverityVerdict["class"] = "low"): SeverityVerdict {
  return { class: severityClass, reasons: [`It is ${severityClass}.`], unknown: [], contain: severityClass === "critical" };
}

/** What a store of findings is opened with. */
export interface FindingStoreOptions {
  readonly clock: FakeClock;
  readonly retentionMs: number;
}

/** The specification of every store of security findings. */
export function describeSecurityFindings(name: string, open: (options: FindingStoreOptions) => Promise<SecurityFindingStore>): void {
  const retentionMs = 10_000;
  const openFresh = async () => {
    const clock = createFakeClock(1_000_000);
    return { clock, store: await open({ clock, retentionMs }) };
  };
  /** The finding of a report that was kept. */
  const keep = async (store: SecurityFindingStore, change: Partial<PlacedSecurityFinding> = {}): Promise<SecurityFinding> => {
    const result = await store.report(aSecurityFinding(change));
    if (result.kind === "full") throw new Error("The store is full.");
    return result.finding;
  };
  const refsOf = (findings: readonly SecurityFinding[]) => findings.map(({ ref }) => ref);

  describe(`${name} as a store of security findings`, () => {
    it("keeps a finding once per source and ref, with when it was reported first", async () => {
      const { store, clock } = await openFresh();
      const created = await store.report(aSecurityFinding());
      expect(created).toMatchObject({ kind: "created", finding: { ...aSecurityFinding(), firstSeenAt: clock.now(), verdict: null } });
      await clock.advance(500);
      const { id, firstSeenAt } = await keep(store, { updatedAt: 2000, title: "SQL injection in export" });
      expect(await store.read(id)).toEqual({
        ...aSecurityFinding({ updatedAt: 2000, title: "SQL injection in export" }),
        id,
        firstSeenAt,
        verdict: null,
      });
      expect(firstSeenAt).toBe(1_000_000);
      const other = await keep(store, { source: "codeql" });
      expect(other.id).not.toBe(id);
      expect(await store.read("finding-none")).toBeUndefined();
    });

    it("keeps the newer of two reports, whichever comes last", async () => {
      const { store } = await openFresh();
      const { id } = await keep(store, { updatedAt: 5000, state: "fixed" });
      expect(await store.report(aSecurityFinding({ updatedAt: 4999 }))).toMatchObject({ kind: "older", finding: { state: "fixed" } });
      expect(await store.read(id)).toMatchObject({ state: "fixed", updatedAt: 5000 });
      expect(await store.report(aSecurityFinding({ updatedAt: 10_000 }))).toMatchObject({ kind: "updated", finding: { state: "open" } });
    });

    it("keeps the later of two different reports with one time", async () => {
      const { store } = await openFresh();
      await keep(store);
      expect(await store.report(aSecurityFinding({ state: "fixed" }))).toMatchObject({ kind: "updated", finding: { state: "fixed" } });
      expect(await store.report(aSecurityFinding())).toMatchObject({ kind: "updated", finding: { state: "open" } });
      expect(await store.report(aSecurityFinding())).toMatchObject({ kind: "unchanged" });
    });

    it("takes the same report with a newer time for unchanged, keeps its verdict, and refuses what is older than it", async () => {
      const { store } = await openFresh();
      const finding = await keep(store);
      await store.judge({ finding, verdict: aVerdict("low"), runId: "run_1" });
      expect(await store.report(aSecurityFinding({ updatedAt: 3000 }))).toMatchObject({
        kind: "unchanged",
        finding: { updatedAt: 3000, verdict: aVerdict("low"), runId: "run_1" },
      });
      expect(await store.report(aSecurityFinding({ updatedAt: 2000, state: "fixed" }))).toMatchObject({ kind: "older" });
      expect(await store.openCounts()).toEqual([{ class: "low", feature: "export", source: "semgrep", count: 1 }]);
    });

    it("judges a finding as it was read, and nothing that has changed since", async () => {
      const { store } = await openFresh();
      const finding = await keep(store);
      await keep(store, { facts: { sourceSeverity: "critical" } });
      expect(await store.judge({ finding, verdict: aVerdict() })).toBe(false);
      const changed = await store.read(finding.id);
      if (changed === undefined) throw new Error("The finding is gone.");
      expect(changed.verdict).toBeNull();
      expect(await store.judge({ finding: changed, verdict: aVerdict("high"), runId: "run_1" })).toBe(true);
      expect(await store.judge({ finding: changed, verdict: aVerdict("medium") })).toBe(true);
      expect(await store.read(finding.id)).toMatchObject({ verdict: aVerdict("medium"), runId: "run_1" });
      expect(await store.judge({ finding: { ...changed, id: "finding-none" }, verdict: aVerdict() })).toBe(false);
    });

    it("drops the verdict when anything but the time changes, and leaves the run that works on it", async () => {
      const { store } = await openFresh();
      const finding = await keep(store);
      await store.judge({ finding, verdict: aVerdict("low"), runId: "run_1" });
      expect(await keep(store, { updatedAt: 2000, facts: { sourceSeverity: "high" } })).toMatchObject({ verdict: null, runId: "run_1" });
    });

    it("counts open findings by class, feature and source; unjudged ones one class above their source's word, else as critical", async () => {
      const { store } = await openFresh();
      await keep(store, { ref: "1" });
      await keep(store, { ref: "2" });
      const judged = await keep(store, { ref: "3", facts: {} });
      await keep(store, { ref: "4", feature: "unknown", source: "codeql", facts: {} });
      await keep(store, { ref: "5", state: "dismissed" });
      const counts = async () =>
        (await store.openCounts()).map((one) => `${one.class} ${one.feature} ${one.source} ${one.count}`).toSorted();
      expect(await counts()).toEqual(["critical export semgrep 1", "critical unknown codeql 1", "high export semgrep 2"]);
      await store.judge({ finding: judged, verdict: aVerdict("low") });
      await keep(store, { ref: "1", state: "fixed", updatedAt: 2000 });
      await keep(store, { ref: "2", feature: "billing", updatedAt: 2000 });
      await keep(store, { ref: "5", updatedAt: 2000 });
      expect(await counts()).toEqual([
        "critical unknown codeql 1",
        "high billing semgrep 1",
        "high export semgrep 1",
        "low export semgrep 1",
      ]);
      for (const ref of ["2", "3", "5"]) await keep(store, { ref, state: "resolved", updatedAt: 3000 });
      expect(await counts()).toEqual(["critical unknown codeql 1"]);
    });

    it("lists by id what is asked for, the gravest when there are too many", async () => {
      const { store } = await openFresh();
      await keep(store, { ref: "low", facts: { sourceSeverity: "low" } });
      await keep(store, { ref: "unknown", facts: {} });
      await keep(store, { ref: "medium", feature: "billing" });
      await keep(store, { ref: "ended", state: "fixed", source: "codeql" });
      const all = await store.list({}, 10);
      expect(refsOf(all).toSorted()).toEqual(["ended", "low", "medium", "unknown"]);
      expect(all.map(({ id }) => id)).toEqual(all.map(({ id }) => id).toSorted());
      expect(refsOf(await store.list({}, 1))).toEqual(["unknown"]);
      expect(refsOf(await store.list({ feature: "billing" }, 10))).toEqual(["medium"]);
      expect(refsOf(await store.list({ state: "fixed" }, 10))).toEqual(["ended"]);
      expect(refsOf(await store.list({ source: "codeql", state: "open" }, 10))).toEqual([]);
    });

    it("pages open ones from the gravest and newest on, then ended ones, each once while others change", async () => {
      const { store, clock } = await openFresh();
      await keep(store, { ref: "c1", facts: {}, updatedAt: 1000 });
      await keep(store, { ref: "c2", facts: {}, updatedAt: 2000 });
      await keep(store, { ref: "h1", updatedAt: 9000 });
      await keep(store, { ref: "e1", state: "fixed", updatedAt: 50 });
      await clock.advance(10);
      await keep(store, { ref: "e2", state: "dismissed", updatedAt: 40 });
      const refs: string[] = [];
      let cursor: string | undefined;
      for (let pages = 0; pages < 10; pages += 1) {
        const page = await store.page({}, { limit: 2, ...(cursor !== undefined && { cursor }) });
        refs.push(...refsOf(page?.items ?? []));
        cursor = page?.nextCursor;
        if (cursor === undefined) break;
        // A new finding ahead of the cursor moves nothing behind it.
        await keep(store, { ref: `later-${pages}`, facts: {}, updatedAt: 100_000 + pages });
      }
      expect(refs).toEqual(["c2", "c1", "h1", "e2", "e1"]);
      expect(refsOf((await store.page({ state: "dismissed" }, { limit: 5 }))?.items ?? [])).toEqual(["e2"]);
      expect(await store.page({}, { limit: 2, cursor: "no cursor of ours" })).toBeUndefined();
    });

    it("lists serious open findings one by one, the gravest and newest first, with what they call for", async () => {
      const { store } = await openFresh();
      const serious = async () =>
        (await store.openSerious()).map(
          (one) => `${one.id} ${one.class} ${one.feature} ${one.source} ${one.contain ? "contain" : "spare"}`,
        );
      expect(await serious()).toEqual([]);
      const spared = await keep(store, { ref: "h1", updatedAt: 9000 });
      const exploited = await keep(store, { ref: "h2", updatedAt: 1000 });
      const unjudged = await keep(store, { ref: "c1", facts: {}, updatedAt: 500, feature: "unknown", source: "codeql" });
      const newest = await keep(store, { ref: "c2", facts: {}, updatedAt: 2000 });
      await keep(store, { ref: "m1", facts: { sourceSeverity: "low" }, updatedAt: 9000 });
      await keep(store, { ref: "e1", facts: {}, state: "dismissed" });
      await store.judge({ finding: spared, verdict: aVerdict("high") });
      await store.judge({ finding: exploited, verdict: { ...aVerdict("high"), contain: true } });
      const expected = [
        `${newest.id} critical export semgrep contain`,
        `${unjudged.id} critical unknown codeql contain`,
        `${spared.id} high export semgrep spare`,
        `${exploited.id} high export semgrep contain`,
      ];
      expect(await serious()).toEqual(expected);
      // The same report with a newer time changes the place and nothing else.
      await keep(store, { ref: "h2", updatedAt: 9500 });
      expect(await serious()).toEqual([...expected.slice(0, 2), expected[3], expected[2]]);
      await store.judge({ finding: spared, verdict: { ...aVerdict("high"), contain: true } });
      expect((await serious()).at(-1)).toBe(`${spared.id} high export semgrep contain`);
      expect(await store.openCounts()).toContainEqual({ class: "high", feature: "export", source: "semgrep", count: 2 });
      await keep(store, { ref: "c2", facts: {}, updatedAt: 3000, state: "fixed" });
      expect(await serious()).toHaveLength(3);
    });

    it("lists no more serious findings than are shown, and drops the oldest of the least grave", async () => {
      const { store } = await openFresh();
      const keepMany = Array.from({ length: maxSeriousFindings + 2 }, async (_, nth) =>
        keep(store, { ref: String(nth), updatedAt: 1000 + nth, ...(nth === 0 && { facts: {} }) }),
      );
      const [first, second, third] = await Promise.all(keepMany);
      const ids = (await store.openSerious()).map(({ id }) => id);
      expect(ids).toHaveLength(maxSeriousFindings);
      expect([ids[0], ids.includes(second?.id ?? ""), ids.includes(third?.id ?? "")]).toEqual([first?.id, false, false]);
    });

    it("records what happens to a finding, oldest first", async () => {
      const { store, clock } = await openFresh();
      const finding = await keep(store);
      await clock.advance(1);
      await store.judge({ finding, verdict: aVerdict("high") });
      await store.judge({ finding, verdict: aVerdict("high") });
      await clock.advance(1);
      await keep(store, { title: "Another title", updatedAt: 2000 });
      await keep(store, { title: "Another title", updatedAt: 2001 });
      await keep(store, { title: "Another title", updatedAt: 3000, state: "fixed" });
      expect(await store.events(finding.id)).toEqual([
        { at: 1_000_000, kind: "created", value: "open" },
        { at: 1_000_001, kind: "judged", value: "high" },
        { at: 1_000_002, kind: "changed", value: "" },
        { at: 1_000_002, kind: "state", value: "fixed" },
      ]);
      expect(await store.events("finding-none")).toEqual([]);
    });

    it("prunes ended findings once their retention is over, and no open one", async () => {
      const { store, clock } = await openFresh();
      const stays = await keep(store, { ref: "open", updatedAt: 1 });
      const ended = await keep(store, { ref: "ended", state: "fixed", updatedAt: 1 });
      await clock.advance(retentionMs);
      expect(await store.prune()).toBe(0);
      const late = await keep(store, { ref: "late", state: "fixed", updatedAt: 1 });
      await clock.advance(1);
      expect(await store.prune()).toBe(1);
      expect(await store.read(ended.id)).toBeUndefined();
      expect(await store.events(ended.id)).toEqual([]);
      expect([(await store.read(stays.id))?.ref, (await store.read(late.id))?.ref]).toEqual(["open", "late"]);
      expect(refsOf(await store.list({}, 10)).toSorted()).toEqual(["late", "open"]);
    });

    it("keeps a finding that was opened again", async () => {
      const { store, clock } = await openFresh();
      const { id } = await keep(store, { state: "fixed" });
      await keep(store, { updatedAt: 2000 });
      await clock.advance(retentionMs * 2);
      expect(await store.prune()).toBe(0);
      expect(await store.read(id)).toMatchObject({ state: "open" });
    });

    it("says of every source whether it can be read, by source", async () => {
      const { store } = await openFresh();
      expect(await store.sources()).toEqual([]);
      await store.recordSource({ source: "semgrep", up: true, seenAt: 5 });
      await store.recordSource({ source: "github-secret-scanning", up: false, reason: "It is disabled." });
      await store.recordSource({ source: "semgrep", up: true, seenAt: 9 });
      expect(await store.sources()).toEqual([
        { source: "github-secret-scanning", up: false, reason: "It is disabled." },
        { source: "semgrep", up: true, seenAt: 9 },
      ]);
      for (let nth = 0; nth < maxFindingSources; nth += 1) await store.recordSource({ source: `s-${nth}`, up: true });
      expect(await store.sources()).toHaveLength(maxFindingSources);
    });

    it("keeps one of many reports at once, and counts it once", async () => {
      const { store } = await openFresh();
      const results = await Promise.all(
        Array.from({ length: 12 }, async (_, nth) => store.report(aSecurityFinding({ updatedAt: 1000 + (nth % 3) }))),
      );
      expect(results.filter(({ kind }) => kind === "created")).toHaveLength(1);
      expect(await store.openCounts()).toEqual([{ class: "high", feature: "export", source: "semgrep", count: 1 }]);
      expect(await store.list({}, 5)).toMatchObject([{ updatedAt: 1002 }]);
    });
  });
}
