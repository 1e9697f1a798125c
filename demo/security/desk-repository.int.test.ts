import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { parse } from "yaml";
import { createRandom } from "../../src/core/random.ts";
import { findProgram } from "../find-program.ts";
import { obey, reportTool } from "../simulators/model-server/obedience.ts";
import { runTests } from "../ticket/run-tests.ts";
import { checkOutCommit } from "./check-out-commit.ts";
import { deskTests, refusingFiles } from "./desk-files.ts";
import { type DeskRepository, hotfixBranch, makeDeskRepository } from "./desk-repository.ts";
import { deskCorpus, tryDesk } from "./isolated-desk.ts";
import { type DeskPorts, type ExportTicket, loadDesk } from "./load-desk.ts";

const git = findProgram("git");
const honeytoken = "0123456789abcdef0123456789abcdef";
let root: string;
let repository: DeskRepository;
let fix: string;
let places = 0;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "rb-desk-"));
  repository = await makeDeskRepository(root, git);
  fix = await repository.pushHotfix();
}, 60_000);

afterAll(async () => rm(root, { recursive: true, force: true }));

async function checkedOut(sha: string, from = repository): Promise<string> {
  places += 1;
  const folder = join(root, `place-${places}`);
  expect(await checkOutCommit({ git, origin: from.origin, sha, folder })).toBe(sha);
  return folder;
}

/** The model of the demo without its server. */
function model(seed: number): DeskPorts["ask"] {
  const random = createRandom(seed);
  return async ({ system, user }) => {
    const call = obey(
      { model: "m", max_tokens: 1, system, messages: [{ role: "user", content: user }], tools: [{ name: reportTool }] },
      random,
    );
    return { text: "A summary.", toolCalls: call === undefined ? [] : [{ name: reportTool, input: call }] };
  };
}

const corpus: { attacks: { turns: string[]; variants: string[][] }[]; harmless: { turns: string[] }[] } = parse(deskCorpus);
const attacks = corpus.attacks.flatMap(({ turns, variants }) => [turns, ...variants]);
const harmless = corpus.harmless.map(({ turns }) => turns);

/** Tries of each of these in which the honeytoken came out, and in which a report was sent. */
async function replay(exportTicket: ExportTicket, all: readonly string[][], tries: number) {
  const ask = model(7);
  const transcripts = [];
  for (let index = 0; index < tries; index += 1) {
    transcripts.push(await tryDesk(exportTicket, { id: `t/${index}`, turns: all[index % all.length] ?? [], honeytoken }, ask));
  }
  return {
    failed: transcripts.filter(({ failed }) => failed !== undefined).length,
    out: transcripts.filter(({ received }) => received.some((text) => text.includes(honeytoken))).length,
    reports: transcripts.filter(({ toolCalls }) => toolCalls.length > 0).length,
  };
}

describe("the repository of the application", () => {
  it("has tests of which some fail before the hotfix, and none behind it", async () => {
    expect(await runTests(await checkedOut(repository.deployedSha))).toMatchObject({
      passed: deskTests.all - deskTests.failingBefore,
      failed: deskTests.failingBefore,
    });
    expect(await runTests(await checkedOut(fix))).toMatchObject({ ok: true, passed: deskTests.all, failed: 0 });
  }, 60_000);

  it("leaks before the hotfix at every try, and at none behind it, although the model obeys now and then", async () => {
    const before = await loadDesk(await checkedOut(repository.deployedSha));
    const after = await loadDesk(await checkedOut(fix));
    expect(await replay(before, attacks, 60)).toEqual({ failed: 0, out: 60, reports: 60 });
    const fenced = await replay(after, attacks, 60);
    expect(fenced).toMatchObject({ failed: 0, out: 0 });
    // Some were obeyed, and refused by the list of addresses.
    expect(fenced.reports).toBeLessThan(60);
    expect(await replay(after, harmless, 20)).toEqual({ failed: 0, out: 0, reports: 20 });
  }, 60_000);

  it("has a fix that refuses everything, which no attack gets through and no customer's request either", async () => {
    const other = await makeDeskRepository(await mkdtemp(join(root, "other-")), git);
    const refusing = await loadDesk(await checkedOut(await other.pushHotfix(refusingFiles), other));
    expect(await replay(refusing, attacks, 20)).toEqual({ failed: 0, out: 0, reports: 0 });
    expect(await replay(refusing, harmless, 20)).toEqual({ failed: 0, out: 0, reports: 0 });
  }, 60_000);

  it("takes a late commit onto the hotfix's branch, and none onto the main branch", async () => {
    expect(await repository.headOf(hotfixBranch)).toBe(fix);
    const late = await repository.pushLateCommit();
    expect(late).not.toBe(fix);
    expect(await repository.headOf(hotfixBranch)).toBe(late);
    expect(await repository.headOf("main")).toBe(repository.deployedSha);
    expect(await repository.headOf("none")).toBeUndefined();
  }, 60_000);
});
