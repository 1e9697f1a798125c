import { describe, expect, it } from "@jest/globals";
import type { ReportedSecurityFinding } from "../../packages/sdk/src/wire/security-findings.ts";
import { reportedSecurityFindingSchema } from "../../packages/sdk/src/wire/security-findings.ts";
import type { FindingListing, SecuritySource } from "../../src/llm/findings/security-source.ts";

/** A source with what a test does to it. */
export interface SecuritySourceBench {
  readonly source: SecuritySource;
  /** What may never occur in a finding or in an error. */
  readonly secrets: readonly string[];
  /** Lets time pass, ms. */
  advance(ms: number): Promise<void>;
  now(): number;
  /** Opens a finding; answers its `ref`. */
  open(): Promise<string>;
  /** The source says that it is no longer open. */
  close(ref: string): Promise<void>;
  /** From now on the source cannot be read. */
  blind(): void;
  /** Most findings that one answer of the source holds, for listings of several. */
  readonly pageSize: number;
}

/** Everything that a listing names. */
export async function listAll(source: SecuritySource, listing: Partial<FindingListing> = {}): Promise<readonly ReportedSecurityFinding[]> {
  const findings: ReportedSecurityFinding[] = [];
  for await (const finding of source.list({ since: 0, whole: true, signal: new AbortController().signal, ...listing }))
    findings.push(finding);
  return findings;
}

/** The specification of every source of security findings. */
export function describeSecuritySource(name: string, start: () => Promise<SecuritySourceBench>): void {
  describe(`${name} as a source of security findings`, () => {
    it("lists nothing where there is nothing", async () => {
      expect(await listAll((await start()).source)).toEqual([]);
    });

    it("lists each finding once with the same name every time, over all pages", async () => {
      const bench = await start();
      const refs: string[] = [];
      for (let count = 0; count < bench.pageSize * 2 + 1; count += 1) {
        refs.push(await bench.open());
        await bench.advance(1000);
      }
      const first = await listAll(bench.source);
      expect(first.map(({ ref }) => ref).toSorted()).toEqual(refs.toSorted());
      expect(new Set(first.map(({ source }) => source))).toEqual(new Set([bench.source.name]));
      for (const finding of first) expect(reportedSecurityFindingSchema.parse(finding)).toEqual(finding);
      expect((await listAll(bench.source)).toSorted(byRef)).toEqual([...first].toSorted(byRef));
      expect((await listAll(bench.source, { whole: false })).toSorted(byRef)).toEqual([...first].toSorted(byRef));
    });

    it("lists what changed since an instant, and only when asked everything that is open", async () => {
      const bench = await start();
      const old = await bench.open();
      await bench.advance(3_600_000);
      const since = bench.now();
      const fresh = await bench.open();
      expect((await listAll(bench.source, { since, whole: false })).map(({ ref }) => ref)).toEqual([fresh]);
      expect((await listAll(bench.source, { since, whole: true })).map(({ ref }) => ref).toSorted()).toEqual([old, fresh].toSorted());
    });

    it("lists a finding that was closed since, as closed, and none that was closed before", async () => {
      const bench = await start();
      const [early, late] = [await bench.open(), await bench.open()];
      await bench.advance(1000);
      await bench.close(early);
      await bench.advance(3_600_000);
      const since = bench.now();
      await bench.close(late);
      for (const whole of [true, false]) {
        const listed = await listAll(bench.source, { since, whole });
        expect(listed.map(({ ref }) => ref)).toEqual([late]);
        expect(listed[0]?.state).not.toBe("open");
        expect(listed[0]?.updatedAt).toBeGreaterThanOrEqual(since - 1000);
      }
    });

    it("finds what changed between two listings", async () => {
      const bench = await start();
      await bench.open();
      await listAll(bench.source, { whole: false });
      await bench.advance(1000);
      const ref = await bench.open();
      expect((await listAll(bench.source, { whole: false })).map((finding) => finding.ref)).toContain(ref);
    });

    it("rejects when it cannot be read, and never looks empty", async () => {
      const bench = await start();
      await bench.open();
      bench.blind();
      for (const whole of [true, false]) {
        const error: unknown = await listAll(bench.source, { whole }).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ name: "SourceUnreadable" });
        for (const secret of bench.secrets) expect(String(error)).not.toContain(secret);
      }
    });

    it("holds no secret", async () => {
      const bench = await start();
      await bench.open();
      for (const secret of bench.secrets) expect(JSON.stringify(await listAll(bench.source))).not.toContain(secret);
    });

    it("ends with the signal's reason", async () => {
      const bench = await start();
      await bench.open();
      const reason = new Error("enough");
      await expect(listAll(bench.source, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    });
  });
}

function byRef(a: ReportedSecurityFinding, b: ReportedSecurityFinding): number {
  return a.ref < b.ref ? -1 : 1;
}
