import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "@jest/globals";
import type { AuditEntry } from "../../packages/sdk/src/wire/audit.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { createSystemRandom } from "../core/random.ts";
import type { TokenInfo } from "../platform/http/token-file.ts";
import { recordTokenChanges } from "./watch-tokens.ts";

it("records each token that came or went once, also one that was replaced under its name", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rb-tokens-"));
  const entries: AuditEntry[] = [];
  let tokens: readonly TokenInfo[] = [];
  const look = async () =>
    recordTokenChanges({
      tokens: { list: async () => tokens },
      audit: { append: async (entry) => void entries.push(entry) },
      auditedPath: join(folder, "seen.json"),
      clock: createFakeClock(9),
      random: createSystemRandom(),
    });
  try {
    await look();
    tokens = [
      { name: "ann", role: "admin", createdAt: 1 },
      { name: "bob", role: "viewer", createdAt: 2 },
    ];
    await look();
    await look();
    tokens = [{ name: "bob", role: "approver", createdAt: 3 }];
    await look();
    expect(entries.map(({ kind, subject, detail }) => [kind, subject, detail["role"]])).toEqual([
      ["token_created", "ann", "admin"],
      ["token_created", "bob", "viewer"],
      ["token_revoked", "ann", "admin"],
      ["token_revoked", "bob", "viewer"],
      ["token_created", "bob", "approver"],
    ]);
    await writeFile(join(folder, "seen.json"), "{");
    await look();
    expect(entries.at(-1)).toMatchObject({ kind: "token_created", subject: "bob" });
    expect(await readFile(join(folder, "seen.json"), "utf8")).toContain("bob");
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("records once what two servers over one data folder find at the same time", async () => {
  const folder = await mkdtemp(join(tmpdir(), "rb-tokens-"));
  const entries: AuditEntry[] = [];
  const look = async () =>
    recordTokenChanges({
      tokens: { list: async () => [{ name: "ann", role: "admin", createdAt: 1 }] },
      audit: { append: async (entry) => void entries.push(entry) },
      auditedPath: join(folder, "seen.json"),
      clock: createFakeClock(9),
      random: createSystemRandom(),
    });
  try {
    await Promise.all([look(), look(), look()]);
    await look();
    expect(entries.map(({ subject }) => subject)).toEqual(["ann"]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
