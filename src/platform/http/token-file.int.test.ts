import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { array, asyncProperty, constantFrom, assert as fcAssert, record } from "fast-check";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createSystemClock } from "../../core/clock.ts";
import { createSystemRandom } from "../../core/random.ts";
import { claimPath } from "../claim-path.ts";
import { createTokenFile } from "./token-file.ts";

/** Wall time is the test's; waiting for a lock takes real time. */
const clock = { ...createSystemClock(), now: () => 1000 };
const random = createSystemRandom();
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "runbookd-tokens-"));
  path = join(folder, "data", "tokens.json");
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

it("knows the token it made, and keeps only its hash, for its owner alone", async () => {
  const tokens = createTokenFile(path, { clock, random });
  const token = (await tokens.create("ann", "operator")) ?? "";
  expect(token).toMatch(/^rbd_[A-Za-z0-9_-]{43}$/);
  expect(await tokens.verify(token)).toEqual({ name: "ann", role: "operator" });
  expect(await tokens.list()).toEqual([{ name: "ann", role: "operator", createdAt: 1000 }]);
  expect(await readFile(path, "utf8")).not.toContain(token);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

it("knows no other token: changed by one character, cut, longer, or the hash itself", async () => {
  const tokens = createTokenFile(path, { clock, random });
  const token = (await tokens.create("ann", "admin")) ?? "";
  const changed = `${token.slice(0, -1)}${token.endsWith("A") ? "B" : "A"}`;
  const hash = /[0-9a-f]{64}/.exec(await readFile(path, "utf8"))?.[0] ?? "";
  for (const other of [changed, token.slice(0, -1), `${token}x`, hash, ""]) expect(await tokens.verify(other)).toBeUndefined();
});

it("knows nobody before the first token", async () => {
  expect(await createTokenFile(path, { clock, random }).verify("anything")).toBeUndefined();
});

it("gives a name once", async () => {
  const tokens = createTokenFile(path, { clock, random });
  await tokens.create("ann", "viewer");
  expect(await tokens.create("ann", "admin")).toBeUndefined();
  await expect(tokens.create("ann\nadmin", "admin")).rejects.toThrow("is no token name");
});

it("ends a revoked token at once, in another process too", async () => {
  const server = createTokenFile(path, { clock, random });
  const commandLine = createTokenFile(path, { clock, random });
  const kept = (await commandLine.create("kept", "viewer")) ?? "";
  const revoked = (await commandLine.create("revoked", "viewer")) ?? "";
  expect(await server.verify(revoked)).toEqual({ name: "revoked", role: "viewer" });
  expect(await commandLine.revoke("revoked")).toBe(true);
  expect(await server.verify(revoked)).toBeUndefined();
  expect(await server.verify(kept)).toEqual({ name: "kept", role: "viewer" });
  expect(await commandLine.revoke("revoked")).toBe(false);
});

it("announces that tokens were changed by another process, until nobody listens", async () => {
  const server = createTokenFile(path, { clock, random });
  const commandLine = createTokenFile(path, { clock, random });
  await commandLine.create("ann", "viewer");
  let changes = 0;
  const stop = server.onChange?.(() => (changes += 1));
  await server.list();
  await server.list();
  expect(changes).toBe(0);
  await commandLine.revoke("ann");
  await server.list();
  await server.list();
  expect(changes).toBe(1);
  await rm(path);
  await server.list();
  expect(changes).toBe(2);
  stop?.();
  await commandLine.create("bob", "viewer");
  await server.list();
  expect(changes).toBe(2);
});

it("writes the first admin token into a file for its owner alone, once", async () => {
  const tokens = createTokenFile(path, { clock, random });
  const plain = join(folder, "data", "admin-token");
  expect(await tokens.createFirstAdmin(plain)).toBe(plain);
  expect((await stat(plain)).mode & 0o777).toBe(0o600);
  expect(await tokens.verify((await readFile(plain, "utf8")).trim())).toEqual({ name: "first-admin", role: "admin" });
  expect(await tokens.createFirstAdmin(plain)).toBeUndefined();
});

it.each(["", "{}", "[]", '{"version":1,"tokens":[{"name":"a","role":"god","sha256":"0","createdAt":1}]}'])(
  "lets nobody in by a file that holds %j",
  async (text) => {
    const tokens = createTokenFile(path, { clock, random });
    const token = (await tokens.create("ann", "admin")) ?? "";
    await writeFile(path, text);
    await chmod(path, 0o600);
    await expect(tokens.verify(token)).rejects.toThrow("is no token file");
  },
);

it("loses no token and revokes every one that it says it has, however many processes change it at once", async () => {
  const processes = () => Array.from({ length: 8 }, () => createTokenFile(path, { clock, random }));
  const made = await Promise.all(processes().map(async (tokens, n) => tokens.create(`t${n}`, "viewer")));
  const mixed = processes().map(async (tokens, n) => (n < 4 ? tokens.revoke(`t${n}`) : tokens.create(`u${n}`, "admin")));
  expect((await Promise.all(mixed)).slice(0, 4)).toEqual([true, true, true, true]);
  const server = createTokenFile(path, { clock, random });
  const known = await Promise.all(made.map(async (token) => server.verify(token ?? "")));
  expect(known.map((caller) => caller?.name)).toEqual([undefined, undefined, undefined, undefined, "t4", "t5", "t6", "t7"]);
  expect((await server.list()).map(({ name }) => name).toSorted()).toEqual(["t4", "t5", "t6", "t7", "u4", "u5", "u6", "u7"]);
  expect(await readdir(join(folder, "data"))).toEqual(["tokens.json"]);
});

it("holds what was answered, whatever is created and revoked at once", async () => {
  const change = record({ kind: constantFrom("create", "revoke"), name: constantFrom("a", "b", "c") });
  await fcAssert(
    asyncProperty(array(change, { maxLength: 8 }), async (changes) => {
      await rm(path, { force: true });
      const answers = await Promise.all(
        changes.map(async ({ kind, name }) => {
          const tokens = createTokenFile(path, { clock, random });
          if (kind === "create") return { name, by: (await tokens.create(name, "viewer")) === undefined ? 0 : 1 };
          return { name, by: (await tokens.revoke(name)) ? -1 : 0 };
        }),
      );
      const left = new Set((await createTokenFile(path, { clock, random }).list()).map(({ name }) => name));
      for (const name of ["a", "b", "c"]) {
        const balance = answers.filter((answer) => answer.name === name).reduce((sum, { by }) => sum + by, 0);
        expect(balance).toBe(left.has(name) ? 1 : 0);
      }
    }),
    { seed: 5, numRuns: 15 },
  );
});

it("makes one first admin when several servers start at once", async () => {
  const plain = join(folder, "data", "admin-token");
  const made = await Promise.all(Array.from({ length: 5 }, async () => createTokenFile(path, { clock, random }).createFirstAdmin(plain)));
  expect(made.filter((one) => one !== undefined)).toEqual([plain]);
  const tokens = createTokenFile(path, { clock, random });
  expect(await tokens.verify((await readFile(plain, "utf8")).trim())).toMatchObject({ name: "first-admin" });
});

it("changes nothing and says so when another process has the lock for too long", async () => {
  const tokens = createTokenFile(path, { clock, random });
  await tokens.create("ann", "admin");
  const held = await claimPath(`${path}.lock`, { waitMs: 0 }, { clock, random });
  const late = createFakeClock();
  const waiting = createTokenFile(path, { clock: late, random }).revoke("ann");
  const refusal = waiting.then(
    () => "done",
    (error: unknown) => String(error),
  );
  for (let seconds = 0; seconds < 40 && late.sleeping() >= 0; seconds += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    await late.advance(1000);
  }
  expect(await refusal).toContain("is being changed by process");
  expect((await tokens.list()).map(({ name }) => name)).toEqual(["ann"]);
  if (held.kind === "held") await held.release();
});

it.each(["a folder", "a named pipe"])("authorizes no one by %s in its place, without waiting", async (what) => {
  await mkdir(join(folder, "data"));
  if (what === "a folder") await mkdir(path);
  else execFileSync("mkfifo", [path]);
  await expect(createTokenFile(path, { clock, random }).verify("anything")).rejects.toThrow(what);
});
