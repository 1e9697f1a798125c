import { describe, expect, it } from "@jest/globals";
import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { sha256 } from "../../core/json.ts";
import { createSystemRandom } from "../../core/random.ts";
import { createMemoryCheckpoints } from "../../rehearsal/memory-checkpoints.ts";
import { createMemoryHoneytokens } from "../../rehearsal/memory-honeytokens.ts";
import type { Checkpoint, CheckpointRepository, SavedChanges } from "../tickets/checkpoint.ts";
import { createChangeInspector } from "./create-change-inspector.ts";
import { createSecretDetector, type DetectedSecret } from "./create-secret-detector.ts";
import { maxScannedLength, type SecretScanner } from "./secret-scanner.ts";
import type { SourceStatus } from "./security-finding-store.ts";

const token = ["ghp", "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"].join("_");
const note = { stage: "implement", green: false, conversation: "" };

/** Finds the token wherever it is, as often as it is there. */
const finder: SecretScanner = {
  async scan(text) {
    if (text.length > maxScannedLength) return { kind: "unscanned", reason: "the text is too long" };
    const secrets = [...text.matchAll(new RegExp(token, "g"))].map(({ index }) => ({
      type: "GITHUB_TOKEN",
      start: index,
      end: index + token.length,
    }));
    return { kind: "scanned", secrets };
  },
};

interface BenchOptions {
  readonly scanner?: SecretScanner;
  readonly changes?: CheckpointRepository["changes"];
  readonly isStoreAway?: () => boolean;
}

const aBench = ({ scanner = finder, changes, isStoreAway = () => false }: BenchOptions = {}) => {
  const clock = createFakeClock();
  const checkpoints = createMemoryCheckpoints({ "a.txt": "base", "old.env": `KEY=${token}` });
  const honeytokens = createMemoryHoneytokens(createSystemRandom());
  const findings: ReportedSecurityFinding[] = [];
  const counted: DetectedSecret[] = [];
  const statuses: SourceStatus[] = [];
  const warned: object[] = [];
  const scanned: string[] = [];
  const failIfAway = () => {
    if (isStoreAway()) throw new Error("The store is away.");
  };
  const detector = createSecretDetector({
    scanner: {
      async scan(text) {
        scanned.push(text);
        return scanner.scan(text);
      },
    },
    honeytokens,
    clock,
    intake: {
      async take(taken) {
        failIfAway();
        findings.push(...taken);
        return taken.map(() => ({ finding: { feature: "export" } }));
      },
    },
    sources: {
      async recordSource(status) {
        failIfAway();
        statuses.push(status);
      },
    },
    onDetected: (detection) => counted.push(detection),
  });
  const repository = {
    addresses: async () => ["https://x-access-token:s3cret@git.example/acme/shop.git"],
    changes: changes ?? (async (checkpoint: Checkpoint) => checkpoints.changes(checkpoint)),
  };
  const inspector = createChangeInspector({
    checkpoints: repository,
    detector,
    log: { warn: (fields, message) => void warned.push({ ...fields, message }) },
  });
  const take = async (files: Readonly<Record<string, string | undefined>>) => {
    checkpoints.write("GH-1", files);
    const saved = await checkpoints.save("GH-1", note);
    if (saved === undefined) throw new Error("There is no checkpoint.");
    inspector.inspect(saved);
    return saved;
  };
  const save = async (files: Readonly<Record<string, string | undefined>>) => {
    const saved = await take(files);
    await inspector.settled();
    return saved;
  };
  return { clock, inspector, honeytokens, findings, counted, statuses, warned, scanned, save, take };
};

describe("inspecting what tickets change", () => {
  it("makes a finding of a secret with its place, and its hash and last characters alone", async () => {
    const { save, findings, counted, statuses, clock } = aBench();
    await save({ "src/config.ts": `first\n\nconst key = "${token}";\n` });
    expect(findings).toEqual([
      {
        source: "runbookd-changes",
        ref: `secret https://git.example/acme/shop.git GITHUB_TOKEN ${sha256(token).slice(0, 32)}`,
        kind: "secret",
        state: "open",
        title: "A text of the shape GITHUB_TOKEN was found in the changes of a ticket.",
        weakness: { cwe: [], owasp: [] },
        facts: {},
        secret: { type: "GITHUB_TOKEN", validity: "unknown", sha256: sha256(token), last4: "INUx" },
        location: { repository: "https://git.example/acme/shop.git", path: "src/config.ts", line: 3 },
        updatedAt: clock.now(),
      },
    ]);
    expect(counted).toEqual([{ source: "runbookd-changes", feature: "export", confidence: "medium" }]);
    expect(statuses).toEqual([{ source: "runbookd-changes", up: true, seenAt: clock.now() }]);
    expect(JSON.stringify([findings, statuses, counted])).not.toContain(token);
  });

  it("leaves what was in the file before alone, and knows a honeytoken that is new", async () => {
    const { save, findings, counted, honeytokens } = aBench();
    await save({ "old.env": `KEY=${token}\nMORE=1` });
    expect(findings).toEqual([]);
    const honeytoken = await honeytokens.rotate("export-prompt");
    await save({ "prompt.txt": honeytoken });
    expect(findings).toMatchObject([{ facts: { observed: true }, location: { path: "prompt.txt" } }]);
    expect(counted).toMatchObject([{ confidence: "high" }]);
    expect(JSON.stringify(findings)).not.toContain(honeytoken);
  });

  it("scans and counts a file once, however many stages save it, and again when it changes", async () => {
    const { save, scanned, counted } = aBench();
    await save({ "b.txt": token });
    await save({ "c.txt": "other" });
    await save({ "d.txt": "third" });
    expect(scanned).toEqual([token, "other", "third"]);
    expect(counted).toHaveLength(1);
    await save({ "b.txt": `${token} more` });
    expect(scanned).toHaveLength(4);
  });

  it.each([maxScannedLength - 5, maxScannedLength - 8192 - 5, 600_000])(
    "finds a secret at %i of a long file, with its line",
    async (at) => {
      const { save, findings, scanned } = aBench();
      const text = `${"0123456789\n".repeat(80_000).slice(0, at)}${token}`.padEnd(800_000, "x");
      await save({ "long.txt": text });
      expect(new Set(findings.map(({ ref }) => ref)).size).toBe(1);
      expect(findings[0]?.location.line).toBe(Math.floor(at / 11) + 1);
      expect(Math.max(...scanned.map(({ length }) => length))).toBe(maxScannedLength);
    },
  );

  it("is down while files were not read or not scanned, although others were, and scans them again", async () => {
    let isBlind = true;
    const blind: SecretScanner = {
      scan: async (text) =>
        isBlind && text === "slow" ? { kind: "unscanned", reason: "the scan took longer than 5 ms" } : finder.scan(text),
    };
    const { save, statuses, findings, scanned } = aBench({ scanner: blind });
    await save({ "a.txt": "slow", "b.txt": token });
    expect(statuses).toEqual([
      { source: "runbookd-changes", up: false, reason: "A text was not scanned: the scan took longer than 5 ms." },
    ]);
    expect(findings).toHaveLength(1);
    isBlind = false;
    await save({ "c.txt": "next stage" });
    expect(scanned.filter((text) => text === "slow")).toHaveLength(2);
    expect(statuses.at(-1)).toMatchObject({ up: true });
    const unread: SavedChanges = { files: [{ path: "b.txt", text: token, before: "" }], unread: 3 };
    const large = aBench({ changes: async () => unread });
    await large.save({ "b.txt": token });
    expect(large.findings).toHaveLength(1);
    expect(large.statuses).toMatchObject([
      { up: false, reason: "3 files that a ticket has changed are too large or too many, and were not scanned." },
    ]);
  });

  it("never throws: changes that cannot be read mark the source as down, without what git quotes", async () => {
    const { save, statuses, warned } = aBench({
      changes: async () => {
        throw new Error(`git cat-file in /srv/https://ann:${token}@x ended\nwith status 1`);
      },
    });
    await save({ "b.txt": "x" });
    expect(statuses).toMatchObject([
      { up: false, reason: expect.stringContaining("The changes of a ticket were not scanned: git cat-file") },
    ]);
    expect(JSON.stringify([statuses, warned])).not.toContain(token);
    expect(warned).toHaveLength(1);
  });

  it("looks through what it could not keep once the store is back", async () => {
    let isAway = true;
    const { save, findings, warned, statuses } = aBench({ isStoreAway: () => isAway });
    await save({ "b.txt": token });
    expect([findings, statuses]).toEqual([[], []]);
    expect(warned).toHaveLength(2);
    isAway = false;
    await save({ "c.txt": "next stage" });
    expect(findings).toHaveLength(1);
    expect(statuses.at(-1)).toMatchObject({ up: true });
  });

  it("returns at once, lets a bounded number wait, and says that it has not looked at more", async () => {
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const bench = aBench({
      changes: async () => {
        await held;
        return { files: [], unread: 0 };
      },
    });
    for (let nth = 0; nth < 22; nth += 1) await bench.take({ "b.txt": String(nth) });
    expect(bench.statuses).toEqual([]);
    go();
    await bench.inspector.settled();
    expect(bench.warned).toHaveLength(2);
    expect(bench.statuses.at(-1)).toMatchObject({
      up: false,
      reason: "The changes of a ticket were not scanned: 20 were waiting already.",
    });
  });
});
