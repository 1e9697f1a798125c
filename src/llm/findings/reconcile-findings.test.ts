import { beforeEach, describe, expect, it } from "@jest/globals";
import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { createFakeClock, type FakeClock } from "../../../test/fakes/fake-clock.ts";
import { createRecordedLog, type RecordedLog } from "../../../test/fakes/recorded-log.ts";
import { createReportedFindings, type ReportedFindings } from "../../../test/fakes/reported-findings.ts";
import { dayMs, minuteMs } from "../../core/duration.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import { createFindingReconciler, type FindingReconcilerDeps } from "./reconcile-findings.ts";
import { findingIdOf } from "./security-finding.ts";
import { type FindingListing, type SecuritySource, SourceUnreadable } from "./security-source.ts";

let clock: FakeClock;
let log: RecordedLog;
let store: ReportedFindings;

beforeEach(() => {
  clock = createFakeClock(Date.UTC(2026, 10, 30, 8));
  log = createRecordedLog();
  store = createReportedFindings();
});

const signal = new AbortController().signal;
const start = Date.UTC(2026, 10, 30, 8);

const aFinding = (change: Partial<ReportedSecurityFinding> = {}): ReportedSecurityFinding => ({
  source: "scanner",
  ref: "1",
  kind: "code",
  state: "open",
  title: "A finding",
  weakness: { cwe: [], owasp: [] },
  facts: {},
  location: {},
  updatedAt: start,
  ...change,
});

interface ScriptedSource extends SecuritySource {
  readonly listings: FindingListing[];
  findings: readonly ReportedSecurityFinding[];
  fault: Error | undefined;
}

function aSource(name = "scanner"): ScriptedSource {
  const source: ScriptedSource = {
    name,
    listings: [],
    findings: [],
    fault: undefined,
    async *list(listing) {
      source.listings.push(listing);
      yield* source.findings;
      if (source.fault !== undefined) throw source.fault;
    },
  };
  return source;
}

const reconcilerOf = (sources: readonly SecuritySource[], change: Partial<FindingReconcilerDeps> = {}) =>
  createFindingReconciler({ sources, store, report: (finding) => store.report(finding), clock, log, wholeMs: dayMs, ...change });

describe("keeping findings", () => {
  it("reports what a source lists, and records that it is up since the listing began", async () => {
    const source = aSource();
    source.findings = [aFinding()];
    await reconcilerOf([source]).reconcile(signal);
    expect(await store.list({}, 9)).toMatchObject([{ ref: "1", state: "open" }]);
    expect(await store.sources()).toEqual([{ source: "scanner", up: true, seenAt: start }]);
  });

  it("asks for everything open first and daily, and in between for what changed since the last complete listing began", async () => {
    const source = aSource();
    const reconciler = reconcilerOf([source]);
    for (let count = 0; count < 3; count += 1) {
      await reconciler.reconcile(signal);
      await clock.advance(5 * minuteMs);
    }
    const overlap = 10 * minuteMs;
    expect(source.listings.map(({ since, whole }) => [since - start, whole])).toEqual([
      [-30 * dayMs - overlap, true],
      [-overlap, false],
      [5 * minuteMs - overlap, false],
    ]);
    await clock.advance(dayMs);
    await reconciler.reconcile(signal);
    expect(source.listings.at(-1)).toMatchObject({ whole: true, since: start + 10 * minuteMs - overlap });
  });

  it("records a source that cannot be read as down, with its reason and when it was read last, and reads the others", async () => {
    const [blind, other] = [aSource("blind"), aSource("other")];
    const reconciler = reconcilerOf([blind, other]);
    await reconciler.reconcile(signal);
    await clock.advance(5 * minuteMs);
    blind.findings = [aFinding({ source: "blind" })];
    blind.fault = new SourceUnreadable("acme/desk: it is disabled.");
    other.findings = [aFinding({ source: "other" })];
    await reconciler.reconcile(signal);
    expect(await store.sources()).toEqual([
      { source: "blind", up: false, reason: "acme/desk: it is disabled.", seenAt: start },
      { source: "other", up: true, seenAt: start + 5 * minuteMs },
    ]);
    expect((await store.list({}, 9)).map(({ source }) => source)).toEqual(["blind", "other"]);
    expect(log.lines).toMatchObject([{ level: "warn", fields: { source: "blind", reason: "acme/desk: it is disabled." } }]);
    await clock.advance(5 * minuteMs);
    await reconciler.reconcile(signal);
    expect(blind.listings.at(-1)?.since).toBe(start - 10 * minuteMs);
  });

  it("lists everything again after a whole listing that did not come to its end", async () => {
    const source = aSource();
    source.fault = new SourceUnreadable("away");
    const reconciler = reconcilerOf([source]);
    await reconciler.reconcile(signal);
    await reconciler.reconcile(signal);
    expect(source.listings.map(({ whole }) => whole)).toEqual([true, true]);
    expect(await store.sources()).toEqual([{ source: "scanner", up: false, reason: "away" }]);
  });

  it("lists everything again after the store was away, because the source may take for reported what was not kept", async () => {
    const source = aSource();
    source.findings = [aFinding()];
    let away = false;
    const report: FindingReconcilerDeps["report"] = (finding) =>
      away ? Promise.reject(new StoreUnavailable("away")) : store.report(finding);
    const reconciler = reconcilerOf([source], { report });
    await reconciler.reconcile(signal);
    away = true;
    await expect(reconciler.reconcile(signal)).rejects.toThrow(StoreUnavailable);
    away = false;
    await reconciler.reconcile(signal);
    expect(source.listings.map(({ whole }) => whole)).toEqual([true, false, true]);
  });

  it("leaves a finding open that a whole listing does not name, and says so", async () => {
    const source = aSource();
    source.findings = [aFinding(), aFinding({ ref: "2" })];
    await reconcilerOf([source]).reconcile(signal);
    source.findings = [aFinding()];
    await reconcilerOf([source]).reconcile(signal);
    expect(await store.list({ state: "open" }, 9)).toHaveLength(2);
    expect(log.lines).toMatchObject([
      { level: "warn", fields: { source: "scanner", count: 1, findings: [findingIdOf({ source: "scanner", ref: "2" })] } },
    ]);
  });

  it("changes nothing for an older report, and finds what a lost event said", async () => {
    const source = aSource();
    await store.report(aFinding({ updatedAt: start + 1000, state: "fixed" }));
    source.findings = [aFinding(), aFinding({ ref: "lost" })];
    await reconcilerOf([source]).reconcile(signal);
    expect((await store.list({}, 9)).map(({ ref, state }) => [ref, state])).toEqual([
      ["1", "fixed"],
      ["lost", "open"],
    ]);
  });

  it("records a source as down whose findings are not all kept", async () => {
    const source = aSource();
    source.findings = [aFinding()];
    await reconcilerOf([source], { report: async () => ({ kind: "refused", reason: "there are too many" }) }).reconcile(signal);
    expect(await store.sources()).toMatchObject([{ up: false, reason: "The finding 1 was not kept: there are too many" }]);
  });

  it("does not blame the source for a store that is away, nor for the end of the process", async () => {
    const source = aSource();
    source.findings = [aFinding()];
    const away = () => Promise.reject(new StoreUnavailable("away"));
    await expect(reconcilerOf([source], { report: away }).reconcile(signal)).rejects.toThrow(StoreUnavailable);
    const ended = new AbortController();
    const end = () => {
      ended.abort(new Error("ended"));
      return Promise.reject(new Error("cut off"));
    };
    await expect(reconcilerOf([source], { report: end }).reconcile(ended.signal)).rejects.toThrow("ended");
    expect(await store.sources()).toEqual([]);
  });
});
