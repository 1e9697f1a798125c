import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createSystemRandom } from "../../core/random.ts";
import { createTokenFile } from "./token-file.ts";

const clock = createFakeClock(1000);
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
