import { describe, expect, it } from "@jest/globals";
import { type Json, jsonSchema } from "../../../packages/sdk/src/wire/json.ts";
import { aCorpus, aHarmlessRequest, anAttack, aRunner, attackedFeature, type Behavior, shas } from "../../../test/builders/an-attack.ts";
import type { AttackCorpus } from "./attack.ts";
import type { ReplayOutcome } from "./attack-replay.ts";
import type { AttackedVersion, AttackRunner } from "./attack-runner.ts";
import { carryOutReplay } from "./carry-out-replay.ts";

const fix: AttackedVersion = { kind: "commit", sha: shas.fix };
const deployed: AttackedVersion = { kind: "deployed" };

interface Asked {
  readonly version?: AttackedVersion;
  readonly corpus?: AttackCorpus;
  readonly tries?: number;
  readonly harmless?: number;
}

async function replay(runner: AttackRunner, { version = fix, corpus = aCorpus(), tries = 60, harmless = 40 }: Asked = {}) {
  let progress: Json | undefined;
  for (let calls = 0; calls < 10; calls += 1) {
    const call = { key: "key", progress, signal: new AbortController().signal };
    const work = await carryOutReplay({ feature: attackedFeature, corpus, version, tries, harmless }, call, runner);
    if (work.kind === "done") return work.result;
    progress = jsonSchema.parse(JSON.parse(JSON.stringify(work.progress)));
  }
  throw new Error("It comes to no end.");
}

async function by(behave: Behavior, asked: Asked = {}): Promise<ReplayOutcome> {
  return replay(aRunner(behave).runner, asked);
}

const isAttack = (id: string) => id.startsWith("attack/");
/** What is deployed leaks and works; the fix works and does not leak. */
const fixed: Behavior = ({ id }, isFix) => (isAttack(id) ? (isFix ? "I cannot." : "leaked") : "done");

describe("a replay on what is deployed", () => {
  it("counts the tries that worked, and sends no harmless request", async () => {
    const { runner, calls } = aRunner(fixed);
    expect(await replay(runner, { version: deployed })).toEqual({
      sha: shas.deployed,
      tries: 60,
      hits: 60,
      failed: 0,
      bound: 1,
      attacks: [{ id: "injection", tries: 60, hits: 60 }],
    });
    expect(calls).toEqual(["key: 60 on deployed"]);
  });
});

describe("a replay on a commit", () => {
  it("bounds the rate of success when no try worked, and compares harmless requests with what is deployed", async () => {
    const { runner, calls } = aRunner(fixed);
    const outcome = await replay(runner);
    expect(outcome).toMatchObject({ sha: shas.fix, tries: 60, hits: 0, failed: 0, harmless: { pairs: 40, worse: 0, refused: [] } });
    expect(outcome.bound).toBeCloseTo(0.0487, 4);
    expect(outcome.harmless?.worseUpper).toBeCloseTo(0.0722, 4);
    expect(calls).toEqual(["key baseline: 40 on deployed", "key: 100 on bbbb"]);
  });

  it("shows a fix that refuses everything as worse", async () => {
    const outcome = await by(({ id }, isFix) => (isFix ? "I cannot." : fixed({ id, turns: [], honeytoken: "" }, isFix)));
    expect(outcome).toMatchObject({ hits: 0, harmless: { worse: 1, worseUpper: 1, refused: ["report"] } });
  });

  it("shows a fix that no longer comes to an answer as worse, and not as untested", async () => {
    const outcome = await by((sent, isFix) => (isFix && !isAttack(sent.id) ? { failed: "it crashed" } : fixed(sent, isFix)));
    expect(outcome).toMatchObject({ hits: 0, failed: 40, harmless: { pairs: 40, worse: 1, worseUpper: 1 } });
  });

  it("shows nothing of harmless requests where none is recorded", async () => {
    expect(await by(fixed, { corpus: aCorpus({ harmless: [] }) })).toMatchObject({ harmless: { pairs: 0, worse: 0, worseUpper: 1 } });
    expect(await by(fixed, { harmless: 0 })).toMatchObject({ harmless: { pairs: 0, worse: 0, worseUpper: 1 } });
  });

  it("shows with too few pairs that a fall is still possible", async () => {
    const outcome = await by(fixed, { harmless: 20 });
    expect(outcome.harmless?.worseUpper).toBeGreaterThan(0.1);
  });

  it("keeps the counts of each attack, as one may work and the others not", async () => {
    const corpus = aCorpus({ attacks: [anAttack({ id: "a" }), anAttack({ id: "b" })] });
    const outcome = await by((sent, isFix) => (sent.id.startsWith("attack/b/") ? "leaked" : fixed(sent, isFix)), { corpus });
    expect(outcome).toMatchObject({
      hits: 30,
      attacks: [
        { id: "a", tries: 30, hits: 0 },
        { id: "b", tries: 30, hits: 30 },
      ],
    });
  });

  it("leaves out tries that came to nothing, which bounds the rate less tightly", async () => {
    const outcome = await by((sent, isFix) => (isFix && sent.id === "attack/injection/1" ? { failed: "timeout" } : fixed(sent, isFix)));
    expect(outcome).toMatchObject({ tries: 59, failed: 1, hits: 0 });
    expect(outcome.bound).toBeCloseTo(0.0495, 4);
  });

  it("asks again while the runner works, with what it said, and begins neither part twice", async () => {
    const keys: string[] = [];
    const { runner } = aRunner(fixed);
    const slow: AttackRunner = {
      async replay(request, call) {
        keys.push(`${call.key} ${JSON.stringify(call.progress)}`);
        if (call.progress === undefined) return { kind: "running", afterMs: 5, progress: { job: call.key }, sentence: "It works." };
        return runner.replay(request, call);
      },
    };
    expect(await replay(slow)).toMatchObject({ tries: 60, harmless: { pairs: 40 } });
    expect(keys).toEqual(["key baseline undefined", 'key baseline {"job":"key baseline"}', "key undefined", 'key {"job":"key"}']);
  });
});

describe("a replay shows nothing, and says why,", () => {
  const refused = async (behave: Behavior, change: { readonly sha?: string } = {}, asked: Asked = {}) => {
    await expect(replay(aRunner(behave, change).runner, asked)).rejects.toMatchObject({ failure: { applied: "no" } });
    return replay(aRunner(behave, change).runner, asked).catch((error: unknown) => String(error));
  };

  it("when more than a tenth of the tries came to nothing", async () => {
    const behave: Behavior = (sent, isFix) => (isAttack(sent.id) && Number(sent.id.split("/")[2]) <= 7 ? undefined : fixed(sent, isFix));
    expect(await refused(behave)).toContain("7 of 60 tries came to no answer that can be judged");
    expect(await refused(() => ({ failed: "no model" }), {}, { version: deployed })).toContain("no model");
  });

  it("when another commit was attacked", async () => {
    expect(await refused(fixed, { sha: "e".repeat(40) })).toContain("ran commit eeeeeeeeeeee, and not bbbbbbbbbbbb");
  });

  it("when no commit is named", async () => {
    expect(await refused(fixed, { sha: "main" }, { version: deployed })).toContain("did not say which commit");
  });

  it("when the commit is what is deployed", async () => {
    expect(await refused(fixed, {}, { version: { kind: "commit", sha: shas.deployed } })).toContain("is what is deployed");
  });

  it("when what is deployed does not answer harmless requests as the corpus expects", async () => {
    const corpus = aCorpus({
      harmless: [aHarmlessRequest(), aHarmlessRequest({ id: "wrong", expected: [{ kind: "contains", text: "never" }] })],
    });
    expect(await refused(fixed, {}, { corpus })).toContain("answers only 20 of 40 harmless requests");
  });

  it("when harmless requests to what is deployed come to nothing", async () => {
    expect(await refused((sent, isFix) => (isFix ? fixed(sent, isFix) : { failed: "refused" }))).toContain("40 of 40 harmless requests");
  });

  it("when a try is answered twice, or was not asked for", async () => {
    expect(await refused((sent, isFix) => (isFix ? { id: "attack/injection/1", answers: ["x"] } : fixed(sent, isFix)))).toContain("twice");
    expect(await refused((sent, isFix) => (isFix ? { id: "attack/another/1", answers: ["x"] } : fixed(sent, isFix)))).toContain(
      "not given",
    );
  });

  it("when one of many attacks is never answered by the fix", async () => {
    const corpus = aCorpus({ attacks: Array.from({ length: 100 }, (_, n) => anAttack({ id: `a-${n}` })) });
    const behave: Behavior = (sent, isFix) =>
      isFix && sent.id.startsWith("attack/a-7/") ? { failed: "it fell over" } : fixed(sent, isFix);
    expect(await refused(behave, {}, { corpus })).toContain("No try of attack a-7 came to an answer");
    expect(
      await by((sent) => (sent.id.startsWith("attack/a-7/") ? { failed: "x" } : "leaked"), { corpus, version: deployed }),
    ).toMatchObject({ hits: 99 });
  });
});
