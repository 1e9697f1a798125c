import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rename, rm, symlink, truncate, unlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { asyncProperty, constantFrom, dictionary, assert as fcAssert, uint8Array, uniqueArray } from "fast-check";
import { sampleCatalogue } from "../../test/builders/sample-catalogue.ts";
import { createFakeClock } from "../../test/fakes/fake-clock.ts";
import { checkRunbookSet, conflictsBetween } from "./check-runbook-set.ts";
import { createRunbookFolder, type RunbookFolder } from "./runbook-folder.ts";

let path: string;
let folder: RunbookFolder;

const document = (title: string, trigger: string) =>
  `---\ntriggers: [${trigger}]\n---\n# Runbook: ${title}\n\n## Scenario\nx\n\n## Procedure\n1. **Look**: Look.\n`;
const write = async (name: string, text: string) => writeFile(join(path, name), text);
const matched = (alertname: string) => folder.match({ alertname })?.title;

beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), "rb-folder-"));
  folder = createRunbookFolder(path, sampleCatalogue, { clock: createFakeClock() });
  await write("cost.md", document("Cost", "Burn"));
  await write("cache.md", document("Cache", "Miss"));
  await folder.refresh();
});

afterEach(async () => {
  await rm(path, { recursive: true, force: true });
});

describe("sub-folders", () => {
  beforeEach(async () => {
    await mkdir(join(path, "node/deep"), { recursive: true });
    await mkdir(join(path, ".git"));
    await write("node/deep/disk.md", document("Disk", "Full"));
    await write("node/README.md", "# Index\n");
    await write("node/deep/ReadMe.md", "# Index\n");
    await mkdir(join(path, "node_modules/some"), { recursive: true });
    await write("node_modules/some/notes.md", "# Notes\n");
    await write(".git/hidden.md", document("Hidden", "Hidden"));
  });

  it("are read, but for what is hidden", async () => {
    expect(await folder.refresh()).toEqual({ changed: ["disk"], broken: [] });
    expect([matched("Full"), matched("Hidden"), folder.get("disk")?.file]).toEqual(["Disk", undefined, "node/deep/disk.md"]);
    expect(await folder.refresh()).toEqual({ changed: [], broken: [] });
  });

  it("may hold a file of a name that is taken: it is named, and costs the first one nothing", async () => {
    await write("node/cost.md", document("Cost of nodes", "NodeCost"));
    const [broken] = (await folder.refresh()).broken;
    expect([broken?.file, broken?.diagnostics[0]?.rule]).toEqual(["node/cost.md", "repeated-runbook"]);
    expect([matched("Burn"), matched("NodeCost"), folder.get("cost")?.file]).toEqual(["Cost", undefined, "cost.md"]);
    await rename(join(path, "node/cost.md"), join(path, "node/cost-of-nodes.md"));
    expect(await folder.refresh()).toEqual({ changed: ["cost-of-nodes"], broken: [] });
    expect([matched("Burn"), matched("NodeCost")]).toEqual(["Cost", "Cost of nodes"]);
    await rename(join(path, "cost.md"), join(path, "node/cost.md"));
    await folder.refresh();
    expect([matched("Burn"), folder.get("cost")?.file]).toEqual(["Cost", "node/cost.md"]);
    await unlink(join(path, "node/cost.md"));
    await folder.refresh();
    expect(matched("Burn")).toBeUndefined();
  });
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

  it("that is not UTF-8 keeps its last version, is told with its place, and holds no other document back", async () => {
    await fcAssert(
      asyncProperty(uint8Array({ minLength: 1, maxLength: 40 }), async (tail) => {
        const bytes = Buffer.concat([Buffer.from("# Cost\n\n"), Buffer.from([0xff]), Buffer.from(tail)]);
        await writeFile(join(path, "cost.md"), bytes);
        await write("cache.md", document(`Cache ${tail.join(" ")}`, "Miss"));
        for (let looks = 0; looks < 3; looks += 1) {
          const { broken } = await folder.refresh();
          expect(broken.map(({ id, diagnostics }) => [id, diagnostics])).toEqual([
            ["cost", [expect.objectContaining({ rule: "encoding", position: { line: 3, column: 1 } })]],
          ]);
        }
        expect([matched("Burn"), matched("Miss")]).toEqual(["Cost", `Cache ${tail.join(" ")}`]);
      }),
      { seed: 12, numRuns: 20 },
    );
    await write("cost.md", "");
    expect((await folder.refresh()).broken[0]?.diagnostics[0]?.rule).not.toBe("encoding");
    await write("cost.md", document("Cost, saved as UTF-8", "Burn"));
    expect(await folder.refresh()).toEqual({ changed: ["cost"], broken: [] });
    expect(matched("Burn")).toBe("Cost, saved as UTF-8");
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

/** A folder in memory that counts what a look costs. */
function aCountedFolder(texts: Map<string, string>) {
  const counts = { reads: 0, comparisons: 0 };
  const counted = createRunbookFolder("/nowhere", sampleCatalogue, {
    clock: createFakeClock(),
    files: {
      list: async () => ({ names: [...texts.keys()], unlisted: new Map() }),
      async read(file, previousStamp) {
        const text = texts.get(file) ?? "";
        if (previousStamp === text) return { kind: "unchanged" };
        counts.reads += 1;
        return { kind: "read", stamp: text, bytes: Buffer.from(text) };
      },
    },
    compare(runbook, other) {
      counts.comparisons += 1;
      return conflictsBetween(runbook, other);
    },
  });
  const look = async () => {
    Object.assign(counts, { reads: 0, comparisons: 0 });
    const found = await counted.refresh();
    return { ...counts, changed: found.changed.length, broken: found.broken.length };
  };
  return { folder: counted, look };
}

describe("a look at a folder of 1,000 documents", () => {
  const open = (n: number) => `'{service="s${n}"}'`;
  const named = (n: number) => `Alert${n}`;

  it.each([
    ["that name their alerts", named, 0],
    ["that any alert name can start", open, 999],
  ])(
    "%s reads and compares nothing when nothing has changed, and compares a changed one with the others once",
    async (_name, trigger, most) => {
      const texts = new Map(Array.from({ length: 1000 }, (_, n) => [`r${n}.md`, document(`R${n}`, trigger(n))]));
      const { look } = aCountedFolder(texts);
      expect(await look()).toMatchObject({ changed: 1000, broken: 0 });
      // A stamp is believed when it was seen twice.
      expect(await look()).toEqual({ reads: 1000, comparisons: 0, changed: 0, broken: 0 });
      expect(await look()).toEqual({ reads: 0, comparisons: 0, changed: 0, broken: 0 });
      texts.set("r7.md", document("R7, new", trigger(7)));
      expect(await look()).toEqual({ reads: 1, comparisons: most, changed: 1, broken: 0 });
      expect(await look()).toEqual({ reads: 1, comparisons: 0, changed: 0, broken: 0 });
      texts.set("r8.md", document("R8, new", trigger(9)));
      expect(await look()).toMatchObject({ reads: 1, changed: 0, broken: 1 });
      // One that is rejected is not compared again while its rival stays.
      expect(await look()).toEqual({ reads: 1, comparisons: 0, changed: 0, broken: 1 });
      expect(await look()).toEqual({ reads: 0, comparisons: 0, changed: 0, broken: 1 });
      texts.delete("r9.md");
      expect(await look()).toMatchObject({ reads: 0, changed: 1, broken: 0 });
    },
    60_000,
  );
});

it("keeps a set in which no two documents can take one alert, whatever order they change in, and takes every document that it can", async () => {
  const file = constantFrom("a.md", "b.md", "c.md", "d.md");
  const trigger = constantFrom("A", "B", "C", `'{alertname=~"A|B"}'`, `'{alertname=~".+"}'`, "broken");
  const state = dictionary(file, trigger, { maxKeys: 4 });
  await fcAssert(
    asyncProperty(uniqueArray(state, { maxLength: 5, selector: (one) => JSON.stringify(one) }), async (states) => {
      const texts = new Map<string, string>();
      const counted = aCountedFolder(texts);
      for (const now of states) {
        texts.clear();
        for (const [name, text] of Object.entries(now)) texts.set(name, text === "broken" ? "" : document(name, text));
        await counted.look();
        const set = counted.folder.list().flatMap(({ runbook }) => runbook ?? []);
        expect(checkRunbookSet(set)).toEqual([]);
        const untaken = counted.folder.list().filter(({ diagnostics }) => diagnostics.some(({ rule }) => rule === "ambiguous-trigger"));
        for (const { source } of untaken) {
          const others = set.filter((one) => one.source !== source);
          expect(others.length).toBeGreaterThan(0);
        }
        // A second look finds nothing that the first one could have taken.
        expect((await counted.look()).changed).toBe(0);
      }
    }),
    { seed: 12, numRuns: 200 },
  );
});

describe("what lies in the folder and is no document", () => {
  it.each([
    ["a named pipe", async (at: string) => execFileSync("mkfifo", [at])],
    ["a link to a device without end", async (at: string) => symlink("/dev/zero", at)],
    ["a link to a terminal's device", async (at: string) => symlink("/dev/tty", at)],
    ["a folder", async (at: string) => mkdir(at)],
    ["a link to nowhere", async (at: string) => symlink("nowhere", at)],
    ["a link to itself", async (at: string) => symlink("zz.md", at)],
    [
      "a socket",
      async (at: string) => {
        const server = createServer();
        await new Promise<void>((resolve) => server.listen(at, resolve));
        server.unref();
      },
    ],
    [
      "a file of a terabyte",
      async (at: string) => {
        await writeFile(at, "");
        await truncate(at, 2 ** 40);
      },
    ],
    ["a file without a size that goes on", async (at: string) => symlink("/proc/kallsyms", at)],
  ])("%s holds nothing back and is named (B91)", async (_name, make) => {
    await make(join(path, "zz.md"));
    await make(join(path, "aa.md"));
    await write("cache.md", document("Cache, new", "Miss"));
    const started = performance.now();
    const { changed, broken } = await folder.refresh();
    expect([changed, broken.map(({ id }) => id)]).toEqual([["cache"], ["aa", "zz"]]);
    expect(broken[0]?.diagnostics).toMatchObject([{ rule: "unreadable" }]);
    expect([matched("Burn"), matched("Miss")]).toEqual(["Cost", "Cache, new"]);
    expect(performance.now() - started).toBeLessThan(2000);
    // Four looks at a pipe that was opened would have taken every thread that reads files.
    for (let times = 0; times < 4; times += 1) await folder.refresh();
  });

  it("a file that does not answer keeps its last version, is asked once, and holds the others back for 5 s once", async () => {
    const clock = createFakeClock();
    const asked: string[] = [];
    const texts = new Map([
      ["cache.md", document("Cache", "Miss")],
      ["cost.md", document("Cost", "Burn")],
    ]);
    let isMounted = true;
    let answer: () => void = () => undefined;
    const mounted = createRunbookFolder(path, sampleCatalogue, {
      clock,
      files: {
        list: async () => ({ names: ["cache.md", "cost.md"], unlisted: new Map() }),
        async read(file) {
          asked.push(file);
          if (file === "cache.md" && !isMounted) await new Promise<void>((resolve) => (answer = resolve));
          const text = texts.get(file) ?? "";
          return { kind: "read", stamp: text, bytes: Buffer.from(text) };
        },
      },
    });
    await mounted.refresh();
    isMounted = false;
    texts.set("cost.md", document("Cost, new", "Burn"));
    const look = mounted.refresh();
    await clock.advance(5000);
    expect((await look).changed).toEqual(["cost"]);
    expect((await mounted.refresh()).broken).toMatchObject([{ id: "cache", diagnostics: [{ rule: "unreadable" }] }]);
    expect(asked.filter((file) => file === "cache.md")).toHaveLength(2);
    expect(mounted.match({ alertname: "Miss" })?.title).toBe("Cache");
    isMounted = true;
    answer();
    await clock.advance(0);
    expect((await mounted.refresh()).broken).toEqual([]);
  });
});

it("keeps what is in a sub-folder that cannot be listed, names it, and goes on with the others", async () => {
  const texts = new Map([
    ["cost.md", document("Cost", "Burn")],
    ["node/disk.md", document("Disk", "Full")],
  ]);
  let unlisted = new Map<string, string>();
  const partly = createRunbookFolder("/nowhere", sampleCatalogue, {
    clock: createFakeClock(),
    files: {
      list: async () => ({ names: [...texts.keys()].filter((name) => unlisted.size === 0 || !name.startsWith("node/")), unlisted }),
      read: async (file) => ({ kind: "read", stamp: texts.get(file) ?? "", bytes: Buffer.from(texts.get(file) ?? "") }),
    },
  });
  await partly.refresh();
  unlisted = new Map([["node", "EACCES"]]);
  texts.set("cost.md", document("Cost, new", "Burn"));
  const { changed, broken } = await partly.refresh();
  expect([changed, broken]).toMatchObject([["cost"], [{ file: "node", diagnostics: [{ rule: "unreadable" }] }]]);
  expect([partly.match({ alertname: "Full" })?.title, partly.match({ alertname: "Burn" })?.title]).toEqual(["Disk", "Cost, new"]);
  expect((await partly.refresh()).changed).toEqual([]);
  unlisted = new Map();
  expect(await partly.refresh()).toEqual({ changed: [], broken: [] });
  texts.delete("node/disk.md");
  await partly.refresh();
  expect(partly.match({ alertname: "Full" })).toBeUndefined();
});

it("reads a file again that has changed, though its size is the same and its time was set back", async () => {
  const old = new Date(1_700_000_000_000);
  await write("cost.md", document("Cost", "Burn"));
  await utimes(join(path, "cost.md"), old, old);
  await folder.refresh();
  await write("cost.md", document("Tsoc", "Burn"));
  await utimes(join(path, "cost.md"), old, old);
  await folder.refresh();
  expect(matched("Burn")).toBe("Tsoc");
});

it("reads a file again that has changed within the tick of the clock in which it was read first", async () => {
  let text = document("Cost", "Burn");
  const ticking = createRunbookFolder("/nowhere", sampleCatalogue, {
    clock: createFakeClock(),
    files: {
      list: async () => ({ names: ["cost.md"], unlisted: new Map() }),
      read: async (_file, previousStamp) =>
        previousStamp === "tick" ? { kind: "unchanged" } : { kind: "read", stamp: "tick", bytes: Buffer.from(text) },
    },
  });
  await ticking.refresh();
  text = document("Tsoc", "Burn");
  await ticking.refresh();
  expect(ticking.match({ alertname: "Burn" })?.title).toBe("Tsoc");
});
