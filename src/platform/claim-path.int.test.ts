import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { until } from "../../test/servers/until.ts";
import { createSystemClock } from "../core/clock.ts";
import { createSystemRandom } from "../core/random.ts";
import { type ClaimedPath, claimPath, decideOwner, type PathClaim, type PathOwner, withClaimedPath } from "./claim-path.ts";
import { createProcessView, livenessOf, type ProcessIdentity, type ProcessView, processesIn } from "./process-identity.ts";

/** A process of the build that claims a path. */
const child = join(import.meta.dirname, "../../dist/test/children/claim-child.js");
const preload = join(import.meta.dirname, "../../dist/test/children/own-pid-namespace-child.js");
const unshare = ["--pid", "--fork", "--kill-child", "--mount-proc"];
const isNamespacePermitted = spawnSync("unshare", [...unshare, "true"]).status === 0;

const deps = { clock: createSystemClock(), random: createSystemRandom() };
const view = createProcessView();
let folder: string;
let path: string;
let children: ChildProcess[];

beforeEach(async () => {
  children = [];
  folder = await mkdtemp(join(tmpdir(), "runbookd-claim-"));
  path = join(folder, "data", "owner.json");
});
afterEach(async () => {
  for (const one of children) one.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

function held(claim: PathClaim): ClaimedPath {
  if (claim.kind === "taken") throw new Error("It is taken.");
  return claim;
}

const nonceIn = async () => JSON.parse(await readFile(path, "utf8")).nonce;

/** How this process sees others when it lives in another place. */
const seenFrom = (self: Partial<ProcessIdentity>) => ({ ...deps, view: { ...view, self: { ...view.self, ...self } } });

/** The pid of a process that has ended. */
async function aDeadPid(): Promise<number> {
  const ended = spawn("/bin/true");
  await once(ended, "close");
  return ended.pid ?? 0;
}

/** Leaves an owner file as a process does that was killed. */
async function leave(owner: Partial<PathOwner> | string): Promise<void> {
  await held(await claimPath(path, { waitMs: 0 }, deps)).release();
  const text = typeof owner === "string" ? owner : JSON.stringify({ ...view.self, host: "there", nonce: "left", ...owner });
  await writeFile(path, text);
}

/** A process that waits for a word to claim the path. `prefix`: how it is started. */
async function claimer(env: Readonly<Record<string, string>>, prefix: readonly string[] = []) {
  const [file, ...args] = [...prefix, process.execPath, child];
  const started = spawn(file ?? "", args, {
    env: { PATH: process.env["PATH"], CLAIM_PATH: path, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  children.push(started);
  let out = "";
  started.stdout.on("data", (chunk) => (out += String(chunk)));
  const ended = once(started, "close");
  const said = async (word: string) => until(`a process says ${word}`, () => out.includes(word));
  await said("ready");
  return { said, ended, out: () => out, go: () => started.stdin.write("go\n"), kill: () => started.kill("SIGKILL") };
}

describe("a decision about an owner", () => {
  it.each([
    ["alive", 1e9, "held"],
    ["dead", 0, "take"],
    ["unseen", 9999, "wait"],
    ["unseen", 10_000, "take"],
  ] as const)("that is %s, whose claim was seen not renewed for %i ms, is: %s", (liveness, ageMs, decision) => {
    expect(decideOwner(liveness, ageMs, 10_000)).toBe(decision);
  });

  it("tells a process that lives from one that ended, from one that got its pid, and from one that it cannot see", async () => {
    const started = spawn("sleep", ["30"]);
    children.push(started);
    const pid = started.pid ?? 0;
    const identity = { ...view.self, pid, startTime: view.startTimeOf(pid) ?? "" };
    expect(livenessOf(identity, view)).toBe("alive");
    expect(livenessOf({ ...identity, startTime: "1" }, view)).toBe("dead");
    expect(livenessOf({ ...identity, pidNamespace: "pid:[1]" }, view)).toBe("unseen");
    expect(livenessOf({ ...identity, bootId: "another" }, view)).toBe("unseen");
    const blind: ProcessView = { ...view, self: { ...view.self, bootId: "unknown" } };
    expect(livenessOf({ ...identity, bootId: "unknown" }, blind)).toBe("unseen");
    started.kill("SIGKILL");
    await once(started, "exit");
    expect(livenessOf(identity, view)).toBe("dead");
  });
});

describe("a claimed path", () => {
  it("has one owner at a time, names it, and leaves no file behind", async () => {
    const first = held(await claimPath(path, { waitMs: 0 }, deps));
    expect(await claimPath(path, { waitMs: 0 }, deps)).toMatchObject({
      kind: "taken",
      owner: { ...view.self, nonce: first.nonce },
    });
    expect(await first.isHeld()).toBe(true);
    await first.release();
    await first.release();
    expect(await first.isHeld()).toBe(false);
    expect(await readdir(dirname(path))).toEqual([]);
    const second = held(await claimPath(path, { waitMs: 0 }, deps));
    // A second release of the first one does not end the claim of the second.
    await first.release();
    expect(await nonceIn()).toBe(second.nonce);
    await second.release();
  });

  it("lets forty that want it at once in one after the other, also when all of them find a stale claim", async () => {
    await leave({ pid: await aDeadPid() });
    let inside = 0;
    let most = 0;
    const work = async () => {
      inside += 1;
      most = Math.max(most, inside);
      await deps.clock.sleep(2);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 40 }, async () => withClaimedPath({ path, what: "x", waitMs: 25_000 }, deps, work)));
    expect(most).toBe(1);
    expect(await readdir(dirname(path))).toEqual([]);
  });

  it("says which process has it when the wait is over, and is free again when the work fails", async () => {
    const claim = held(await claimPath(path, { waitMs: 0 }, deps));
    await expect(withClaimedPath({ path, what: "tokens.json", waitMs: 30 }, deps, async () => undefined)).rejects.toThrow(
      `tokens.json is being changed by process ${process.pid}`,
    );
    await claim.release();
    await expect(withClaimedPath({ path, what: "x", waitMs: 0 }, deps, async () => Promise.reject(new Error("failed")))).rejects.toThrow(
      "failed",
    );
    await expect(withClaimedPath({ path, what: "x", waitMs: 0 }, deps, async () => "done")).resolves.toBe("done");
  });

  it("is won by exactly one of many that ask once and find a stale claim", async () => {
    await leave({ startTime: "1" });
    const claims = await Promise.all(Array.from({ length: 12 }, async () => claimPath(path, { waitMs: 0 }, deps)));
    expect(claims.filter(({ kind }) => kind === "held")).toHaveLength(1);
  });

  it("tells its owner once that another process has taken it, and leaves the other's file", async () => {
    const clock = createFakeClock();
    const lost: number[] = [];
    const claim = held(await claimPath(path, { waitMs: 0, staleMs: 400, lost: () => lost.push(1) }, { ...deps, clock }));
    await writeFile(path, JSON.stringify({ ...view.self, host: "there", nonce: "n2" }));
    await until("it is told", async () => {
      await clock.advance(100);
      return lost.length > 0;
    });
    await clock.advance(1000);
    expect(lost).toEqual([1]);
    await claim.release();
    expect(await nonceIn()).toBe("n2");
    await expect(claim.recordChild(view.self)).rejects.toThrow("was taken by another process");
  });

  it("is not given back under the hands of a process that is about to take it", async () => {
    const claim = held(await claimPath(path, { waitMs: 0, staleMs: 60_000 }, deps));
    const next = `${path}.${claim.nonce}.next`;
    await writeFile(next, JSON.stringify({ ...view.self, host: "here", nonce: "theirs" }));
    const released = claim.release();
    await deps.clock.sleep(100);
    expect(await claim.isHeld()).toBe(true);
    await rm(next);
    await released;
    expect(await readdir(dirname(path))).toEqual([]);
  });

  it("makes its file again when that was removed", async () => {
    const clock = createFakeClock();
    const claim = held(await claimPath(path, { waitMs: 0, staleMs: 400 }, { ...deps, clock }));
    await claim.recordChild({ ...view.self, pid: 4242 });
    await rm(path);
    await until("the file is there again", async () => {
      await clock.advance(100);
      return claim.isHeld();
    });
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ nonce: claim.nonce, child: { pid: 4242 } });
    await claim.release();
    expect(await readdir(dirname(path))).toEqual([]);
  });
});

describe("a claim that was left", () => {
  it.each([
    ["by a process that is gone", async () => leave({ pid: await aDeadPid() })],
    ["by a process whose pid another one has now", async () => leave({ startTime: "1" })],
  ])("%s is taken over at once", async (_name, prepare) => {
    await prepare();
    expect((await claimPath(path, { waitMs: 0 }, deps)).kind).toBe("held");
  });

  it("tells of the process that its owner ran there, until that is known to be over", async () => {
    const orphan = { ...view.self, pid: 4242 };
    await leave({ startTime: "1", child: orphan });
    const first = held(await claimPath(path, { waitMs: 0 }, deps));
    expect(first.previous).toMatchObject({ nonce: "left", child: orphan });
    await first.abandon();
    await writeFile(path, (await readFile(path, "utf8")).replace(view.self.startTime, "1"));
    const second = held(await claimPath(path, { waitMs: 0 }, deps));
    expect(second.previous).toMatchObject({ nonce: first.nonce, child: orphan });
    await second.release();
    expect(held(await claimPath(path, { waitMs: 0 }, deps)).previous).toBeUndefined();
  });

  it.each([
    ["in another PID namespace", async () => leave({ pid: await aDeadPid(), pidNamespace: "pid:[1]" })],
    ["before a restart, or on another machine", async () => leave({ pid: await aDeadPid(), bootId: "another" })],
    ["half written", async () => leave('{"nonce":"a')],
    ["empty", async () => leave("")],
    ["by an earlier version", async () => leave('{"nonce":"a","pid":1}')],
    ["with a nonce that leads out of the folder", async () => leave({ nonce: "../../x", startTime: "1" })],
  ])("%s is waited for, also when it is asked for once, and is taken over when it was not renewed", async (_name, prepare) => {
    await prepare();
    const before = deps.clock.monotonic();
    expect((await claimPath(path, { waitMs: 0, staleMs: 300 }, deps)).kind).toBe("held");
    expect(deps.clock.monotonic() - before).toBeGreaterThanOrEqual(300);
    expect(await readdir(dirname(path))).toEqual(["owner.json"]);
  });

  it("is not taken over while its owner, which cannot be seen, renews it, and its owner learns when it is", async () => {
    const clock = createFakeClock();
    const other = { ...seenFrom({ pidNamespace: "pid:[1]" }), clock };
    const claim = held(await claimPath(path, { waitMs: 0, staleMs: 200 }, other));
    const renewing = setInterval(() => void clock.advance(50), 50);
    try {
      expect((await claimPath(path, { waitMs: 700, staleMs: 400 }, deps)).kind).toBe("taken");
    } finally {
      clearInterval(renewing);
    }
    expect((await claimPath(path, { waitMs: 0, staleMs: 400 }, deps)).kind).toBe("held");
    expect(await claim.isHeld()).toBe(false);
    await claim.release();
    await expect(stat(path)).resolves.toBeDefined();
  });

  it("is not taken when another process takes it between the look and the takeover", async () => {
    await leave({ pid: await aDeadPid() });
    const theirs = JSON.stringify({ ...view.self, host: "here", nonce: "theirs" });
    let looks = 0;
    // A process is looked up between the look at the owner file and the takeover.
    const startTimeOf = (pid: number) => {
      looks += 1;
      if (looks === 1) {
        rmSync(path);
        writeFileSync(path, theirs);
      }
      return view.startTimeOf(pid);
    };
    const attempt = await claimPath(path, { waitMs: 0 }, { ...deps, view: { ...view, startTimeOf } });
    expect(attempt).toMatchObject({ kind: "taken", owner: { nonce: "theirs" } });
    expect(await readFile(path, "utf8")).toBe(theirs);
  });

  it("is taken over behind any number of processes that died while they took it over, and what they left is removed", async () => {
    const dead = async (nonce: string) => JSON.stringify({ ...view.self, pid: await aDeadPid(), host: "there", nonce });
    await leave({ pid: await aDeadPid() });
    await writeFile(`${path}.left.next`, await dead("second"));
    await writeFile(`${path}.second.next`, await dead("third"));
    await writeFile(`${path}.second.1.new`, await dead("second"));
    const claims = await Promise.all(Array.from({ length: 8 }, async () => claimPath(path, { waitMs: 0 }, deps)));
    expect(claims.filter(({ kind }) => kind === "held")).toHaveLength(1);
    expect(await readdir(dirname(path))).toEqual(["owner.json"]);
  });

  it("is left alone while another process that lives is about to take it over", async () => {
    await leave({ pid: await aDeadPid() });
    await writeFile(`${path}.left.next`, JSON.stringify({ ...view.self, host: "here", nonce: "theirs" }));
    expect((await claimPath(path, { waitMs: 0, staleMs: 100 }, deps)).kind).toBe("taken");
    expect(await nonceIn()).toBe("left");
  });
});

describe("processes that want one path", () => {
  it("have it one at a time, however each of them ends, and none waits for one that was killed", async () => {
    await leave({ pid: await aDeadPid() });
    const ends = ["killed", "released", "killed", "killed", "released", "killed"];
    const claimers = await Promise.all(ends.map(async (end) => claimer({ CLAIM_STALE_MS: "600000", CLAIM_ENDS: end })));
    for (const one of claimers) one.go();
    await Promise.all(claimers.map(async ({ ended }) => ended));
    expect(claimers.map(({ out }) => out())).toEqual(ends.map(() => "ready\nheld\n"));
  }, 120_000);
});

/** A real namespace needs privileges that a machine may not give; a process that is told of one shows the same everywhere. */
const namespaces = isNamespacePermitted ? ["made by unshare", "told to the process"] : ["told to the process"];

describe("processes in two PID namespaces", () => {
  it.each(namespaces)(
    "do not take a path from each other while its owner lives, and do when that was killed (%s)",
    async (namespace) => {
      const isMade = namespace === "made by unshare";
      const told = { NODE_OPTIONS: `--import=${preload}`, RB_NAMESPACE: "pid:[1]" };
      const other = await claimer(
        { CLAIM_STALE_MS: "2000", CLAIM_ENDS: "never", ...(isMade ? {} : told) },
        isMade ? ["unshare", ...unshare] : [],
      );
      other.go();
      await other.said("held");
      expect((await claimPath(path, { waitMs: 3000, staleMs: 2000 }, deps)).kind).toBe("taken");
      other.kill();
      await other.ended;
      expect(held(await claimPath(path, { waitMs: 0, staleMs: 2000 }, deps)).previous?.pidNamespace).not.toBe(view.self.pidNamespace);
    },
    60_000,
  );
});

it("finds processes that have a file of a folder open, work in it, or listen there, also behind a link", async () => {
  const at = join(folder, "data");
  await held(await claimPath(path, { waitMs: 0 }, deps)).release();
  spawnSync("ln", ["-s", at, join(folder, "link")]);
  const script = `require("net").createServer().listen(process.argv[1], () => { require("fs").unlinkSync(process.argv[1]); console.log("on"); })`;
  const started = [
    spawn("sh", ["-c", `exec 3>${join(at, "open")}; echo on; exec sleep 60`], { stdio: ["ignore", "pipe", "inherit"] }),
    spawn("sh", ["-c", "echo on; exec sleep 60"], { cwd: at, stdio: ["ignore", "pipe", "inherit"] }),
    spawn(process.execPath, ["-e", script, join(at, "s.sock")], { stdio: ["ignore", "pipe", "inherit"] }),
  ];
  children.push(...started);
  await Promise.all(started.map(async ({ stdout }) => once(stdout, "data")));
  const pids = started.map(({ pid }) => pid ?? 0).toSorted((a, b) => a - b);
  const found = processesIn(at, view);
  expect(found.map(({ pid }) => pid).toSorted((a, b) => a - b)).toEqual(pids);
  expect(found.every((one) => livenessOf(one, view) === "alive")).toBe(true);
  expect(processesIn(join(folder, "link"), view)).toEqual(found);
  expect(processesIn(join(folder, "dat"), view)).toEqual([]);
});
