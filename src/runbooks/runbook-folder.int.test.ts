import { mkdtemp, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { sampleCatalogue } from "../../test/builders/sample-catalogue.ts";
import { createRunbookFolder, type RunbookFolder } from "./runbook-folder.ts";

let path: string;
let folder: RunbookFolder;

const document = (title: string, trigger: string) =>
  `---\ntriggers: [${trigger}]\n---\n# Runbook: ${title}\n\n## Scenario\nx\n\n## Procedure\n1. **Look**: Look.\n`;
const write = async (name: string, text: string) => writeFile(join(path, name), text);
const matched = (alertname: string) => folder.match({ alertname })?.title;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "rb-folder-"));
  folder = createRunbookFolder(path, sampleCatalogue);
  await write("cost.md", document("Cost", "Burn"));
  await write("cache.md", document("Cache", "Miss"));
  await folder.refresh();
});

afterEach(async () => {
  await rm(path, { recursive: true, force: true });
});

describe("a document that changes while the set is in force (C01)", () => {
  it("is taken when it is good", async () => {
    await write("cost.md", document("Cost, new", "Burn"));
    expect((await folder.refresh()).changed).toEqual(["cost"]);
    expect(matched("Burn")).toBe("Cost, new");
  });

  it.each([
    ["invalid", document("Cost", "Burn").replace("## Procedure", "## Nothing")],
    ["half-written", document("Cost", "Burn").slice(0, 40)],
    ["empty", ""],
  ])("never replaces a good one when it is %s, and is told", async (_name, text) => {
    await write("cost.md", text);
    const { changed, broken } = await folder.refresh();
    expect([changed, broken.map(({ id }) => id)]).toEqual([[], ["cost"]]);
    expect(matched("Burn")).toBe("Cost");
    await write("cost.md", document("Cost, mended", "Burn"));
    expect((await folder.refresh()).broken).toEqual([]);
    expect(matched("Burn")).toBe("Cost, mended");
  });

  it("matches no alert once it is deleted", async () => {
    await unlink(join(path, "cost.md"));
    await folder.refresh();
    expect(matched("Burn")).toBeUndefined();
    expect(matched("Miss")).toBe("Cache");
  });

  it("may be swapped behind a symbolic link", async () => {
    await unlink(join(path, "cost.md"));
    await write("a.txt", document("Cost A", "Burn"));
    await write("b.txt", document("Cost B", "Burn"));
    await symlink("a.txt", join(path, "cost.md"));
    await folder.refresh();
    expect(matched("Burn")).toBe("Cost A");
    await symlink("b.txt", join(path, "next"));
    await rename(join(path, "next"), join(path, "cost.md"));
    await folder.refresh();
    expect(matched("Burn")).toBe("Cost B");
  });

  it("that cannot be read keeps its last version, is told, and holds no other document back", async () => {
    await unlink(join(path, "cost.md"));
    await symlink("nowhere", join(path, "cost.md"));
    await write("cache.md", document("Cache, new", "Miss"));
    const { changed, broken } = await folder.refresh();
    expect([changed, broken.map(({ id }) => id)]).toEqual([["cache"], ["cost"]]);
    expect(matched("Burn")).toBe("Cost");
    expect(matched("Miss")).toBe("Cache, new");
  });

  it("that takes an alert of another stays as it was until the other lets go", async () => {
    await write("cache.md", document("Cache, new", "Burn"));
    expect((await folder.refresh()).broken.map(({ id }) => id)).toEqual(["cache"]);
    expect([matched("Burn"), matched("Miss")]).toEqual(["Cost", "Cache"]);
    await write("cost.md", document("Cost, new", "Other"));
    // Whether it is taken at once or at the next look depends on the order of names.
    await folder.refresh();
    expect((await folder.refresh()).broken).toEqual([]);
    expect([matched("Burn"), matched("Miss"), matched("Other")]).toEqual(["Cache, new", undefined, "Cost, new"]);
  });
});

it("keeps the running set while the folder is away", async () => {
  await rm(path, { recursive: true });
  await expect(folder.refresh()).rejects.toThrow("ENOENT");
  expect(matched("Burn")).toBe("Cost");
});
