import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createSystemClock } from "../core/clock.ts";
import { createSystemRandom } from "../core/random.ts";
import { claimFolder, decideOwner, FolderInUse, type FolderOwner } from "./folder-owner.ts";
import { createProcessView, livenessOf, type ProcessIdentity, type ProcessView } from "./process-identity.ts";

const view = createProcessView();
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rb-owner-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

function claim(self: Partial<ProcessIdentity> = {}, lost: () => void = () => undefined) {
  const ourView: ProcessView = { ...view, self: { ...view.self, ...self } };
  return claimFolder({ folder, host: "here", view: ourView, clock: createSystemClock(), random: createSystemRandom(), lost });
}

async function leaveLock(owner: Partial<FolderOwner>, ageMs = 0): Promise<void> {
  const path = join(folder, "owner.json");
  await writeFile(path, JSON.stringify({ ...view.self, host: "there", nonce: "n1", ...owner }));
  await utimes(path, (Date.now() - ageMs) / 1000, (Date.now() - ageMs) / 1000);
}

it.each([
  ["alive", 1e9, "held"],
  ["dead", 0, "take"],
  ["unseen", 14_000, "wait"],
  ["unseen", 16_000, "take"],
  ["unseen", -3_600_000, "wait"],
] as const)("decides about the lock of an owner that is %s, renewed %i ms ago: %s", (liveness, ageMs, decision) => {
  expect(decideOwner(liveness, ageMs)).toBe(decision);
});

it("tells a process that lives from one that ended, from one that got its pid, and from one that it cannot see", async () => {
  const child = spawn("sleep", ["30"]);
  const pid = child.pid ?? 0;
  const identity = { ...view.self, pid, startTime: view.startTimeOf(pid) ?? "" };
  expect(livenessOf(identity, view)).toBe("alive");
  expect(livenessOf({ ...identity, startTime: "1" }, view)).toBe("dead");
  expect(livenessOf({ ...identity, pidNamespace: "pid:[1]" }, view)).toBe("unseen");
  expect(livenessOf({ ...identity, bootId: "another" }, view)).toBe("unseen");
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(livenessOf(identity, view)).toBe("dead");
});

it("has one owner at a time, says who it is, and is free after its release", async () => {
  const first = await claim();
  await expect(claim()).rejects.toThrow(`is in use by process ${process.pid} on here. End it`);
  await first.release();
  expect(await readdir(folder)).toEqual([]);
  await (await claim()).release();
});

it("is won by one of many that claim a folder with a stale lock at once", async () => {
  await leaveLock({ startTime: "1" });
  const claims = await Promise.allSettled(Array.from({ length: 12 }, async () => claim()));
  const won = claims.filter((one) => one.status === "fulfilled");
  expect(won).toHaveLength(1);
  expect(claims.filter((one) => one.status === "rejected" && !(one.reason instanceof FolderInUse))).toEqual([]);
  await won[0]?.value.release();
});

it("is taken over from an owner that is dead, whose child is told", async () => {
  const child = { ...view.self, pid: 4242 };
  await leaveLock({ startTime: "1", child });
  const owned = await claim();
  expect(owned.previous).toMatchObject({ nonce: "n1", child });
  await owned.release();
});

it("is not taken from an owner of another PID namespace that renews its lock, and is taken when the lock is old", async () => {
  const other = await claim({ pidNamespace: "pid:[1]" });
  await expect(claim()).rejects.toThrow(FolderInUse);
  await other.release();
  await leaveLock({ pidNamespace: "pid:[1]" }, 16_000);
  await (await claim()).release();
}, 20_000);

it("tells an owner that lost its folder, and leaves the lock of the one that took it", async () => {
  let isLost = false;
  const owned = await claim({}, () => (isLost = true));
  await leaveLock({ nonce: "n2" });
  await new Promise((resolve) => setTimeout(resolve, 2500));
  expect(isLost).toBe(true);
  await owned.release();
  expect(JSON.parse(await readFile(join(folder, "owner.json"), "utf8"))).toMatchObject({ nonce: "n2" });
}, 10_000);
