import { spawn } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createSystemClock } from "../core/clock.ts";
import { createSystemRandom } from "../core/random.ts";
import { describeSelf, factsOf, isOver, type LockAttempt, type LockOwner, takeLockFile, withLockFile } from "./lock-file.ts";

const deps = { clock: createSystemClock(), random: createSystemRandom() };
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runbookd-lock-"));
  path = join(folder, "data", "x.lock");
});
afterEach(async () => rm(folder, { recursive: true }));

const nonceOf = (attempt: LockAttempt) => (attempt.kind === "held" ? attempt.nonce : undefined);

/** A process that has been and gone, or is a zombie. */
async function aDeadPid(): Promise<number> {
  const child = spawn("/bin/true");
  await new Promise((resolve) => child.on("close", resolve));
  return child.pid ?? 0;
}

async function leave(owner: Partial<LockOwner> | string): Promise<void> {
  const lock = await takeLockFile(path, { waitMs: 0 }, deps);
  if (lock.kind === "held") await lock.release();
  await writeFile(path, typeof owner === "string" ? owner : JSON.stringify({ nonce: "left", ...(await describeSelf()), ...owner }));
}

it("is held by one at a time, and names who has it", async () => {
  const first = await takeLockFile(path, { waitMs: 0 }, deps);
  expect(await takeLockFile(path, { waitMs: 0 }, deps)).toMatchObject({
    kind: "taken",
    owner: { pid: process.pid, nonce: nonceOf(first) },
  });
  if (first.kind !== "held") throw new Error("it is taken");
  expect(await first.isHeld()).toBe(true);
  await first.release();
  await first.release();
  expect(await first.isHeld()).toBe(false);
  const second = await takeLockFile(path, { waitMs: 0 }, deps);
  expect(second.kind).toBe("held");
  // A second release of the first one does not end the lock of the second.
  await first.release();
  expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ nonce: nonceOf(second) });
});

it("lets forty that want it at once in one after the other, also when all of them find a stale lock", async () => {
  await leave({ pid: await aDeadPid() });
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await deps.clock.sleep(2);
    inside -= 1;
  };
  await Promise.all(Array.from({ length: 40 }, async () => withLockFile({ path, what: "x", waitMs: 20_000 }, deps, work)));
  expect(most).toBe(1);
});

it("says which process has it when the wait is over, and is free again when the work fails", async () => {
  const held = await takeLockFile(path, { waitMs: 0 }, deps);
  await expect(withLockFile({ path, what: "tokens.json", waitMs: 30 }, deps, async () => undefined)).rejects.toThrow(
    `tokens.json is being changed by process ${process.pid}`,
  );
  if (held.kind === "held") await held.release();
  await expect(withLockFile({ path, what: "x", waitMs: 0 }, deps, async () => Promise.reject(new Error("failed")))).rejects.toThrow(
    "failed",
  );
  await expect(withLockFile({ path, what: "x", waitMs: 0 }, deps, async () => "done")).resolves.toBe("done");
});

it("does not remove what another process takes between its look and its removal", async () => {
  await leave({ pid: await aDeadPid() });
  const theirs = JSON.stringify({ nonce: "theirs", ...(await describeSelf()) });
  let looks = 0;
  // Time is asked for the second time between the look and the removal.
  const monotonic = () => {
    looks += 1;
    if (looks === 2) {
      rmSync(path);
      writeFileSync(path, theirs);
    }
    return deps.clock.monotonic();
  };
  const attempt = await takeLockFile(path, { waitMs: 0 }, { ...deps, clock: { ...deps.clock, monotonic } });
  expect(attempt).toMatchObject({ kind: "taken", owner: { nonce: "theirs" } });
  expect(await readFile(path, "utf8")).toBe(theirs);
});

describe("a lock that was left", () => {
  it.each([
    ["by a process that is gone", async () => leave({ pid: await aDeadPid() })],
    ["by a process whose pid another one has now", async () => leave({ startedAt: "1" })],
  ])("%s is taken over at once", async (_name, prepare) => {
    await prepare();
    expect((await takeLockFile(path, { waitMs: 0 }, deps)).kind).toBe("held");
  });

  it.each([
    ["in another PID namespace", async () => leave({ pid: await aDeadPid(), pidNamespace: "pid:[1]" })],
    ["before a restart, or on another machine", async () => leave({ pid: await aDeadPid(), bootId: "another" })],
    ["half written", async () => leave('{"nonce":"a')],
    ["empty", async () => leave("")],
  ])("%s is taken over when it was not renewed for the time of a stale lock, by a clock that no one can set", async (_name, prepare) => {
    await prepare();
    const before = deps.clock.monotonic();
    expect((await takeLockFile(path, { waitMs: 0, staleMs: 300 }, deps)).kind).toBe("taken");
    expect((await takeLockFile(path, { waitMs: 2000, staleMs: 300 }, deps)).kind).toBe("held");
    expect(deps.clock.monotonic() - before).toBeGreaterThanOrEqual(300);
  });

  it("is not taken over while its owner, who cannot be looked at, renews it", async () => {
    const clock = createFakeClock();
    const held = await takeLockFile(path, { waitMs: 0, staleMs: 200 }, { ...deps, clock });
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace(/pid:\[/, "pid:[9"));
    const renewing = setInterval(() => void clock.advance(50), 50);
    try {
      expect((await takeLockFile(path, { waitMs: 700, staleMs: 200 }, deps)).kind).toBe("taken");
    } finally {
      clearInterval(renewing);
    }
    expect((await takeLockFile(path, { waitMs: 700, staleMs: 200 }, deps)).kind).toBe("held");
    // Its former owner finds out, and does not remove what is another's now.
    if (held.kind !== "held") throw new Error("it is taken");
    expect(await held.isHeld()).toBe(false);
    await held.release();
    await expect(stat(path)).resolves.toBeDefined();
  });

  it("with the guard of a process that died while it removed it is taken over nevertheless", async () => {
    await leave({ pid: await aDeadPid() });
    await writeFile(`${path}.removing`, "");
    expect((await takeLockFile(path, { waitMs: 2000, staleMs: 200 }, deps)).kind).toBe("held");
  });
});

it("knows itself, and a process that is gone", async () => {
  const self = await describeSelf();
  expect(await factsOf(process.pid)).toEqual({ exists: true, startedAt: self.startedAt });
  expect((await factsOf(await aDeadPid())).exists).toBe(false);
});

it("never takes an owner for gone that is young and cannot be looked at, or that runs", () => {
  const near = { bootId: "b", pidNamespace: "n" };
  const owner = { nonce: "x", pid: 7, startedAt: "5", ...near };
  const facts = { owner, self: near, age: 0, staleMs: 100 };
  expect(isOver({ ...facts, age: 99_999, facts: { exists: true, startedAt: "5" } })).toBe(false);
  expect(isOver({ ...facts, facts: { exists: true } })).toBe(false);
  expect(isOver({ ...facts, facts: { exists: true, startedAt: "6" } })).toBe(true);
  expect(isOver({ ...facts, facts: { exists: false } })).toBe(true);
  for (const self of [{ bootId: "c", pidNamespace: "n" }, { bootId: "b", pidNamespace: "m" }, {}]) {
    expect(isOver({ ...facts, self, facts: { exists: false } })).toBe(false);
    expect(isOver({ ...facts, self, age: 100, facts: { exists: true, startedAt: "5" } })).toBe(true);
  }
});
