import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { aFlag } from "../../../test/builders/a-flag.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { serveFlags } from "../../../test/servers/flag-serving.ts";
import { until } from "../../../test/servers/until.ts";
import { createRunbookdClient } from "./client.ts";
import { createFlagSnapshot } from "./flag-snapshot.ts";
import type { FlagTrouble } from "./served-flags.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rb-flags-"));
  file = join(folder, "flags");
});
afterEach(async () => rm(folder, { recursive: true, force: true }));

const url = "http://runbookd.test";
const aSnapshot = (suffix = "one") => createFlagSnapshot({ file, url, suffix });
const saved = [
  { flag: aFlag(), at: 1000 },
  { flag: aFlag({ key: "import", state: "off" }), at: 2000 },
];

describe("a snapshot", () => {
  it("gives back what was written, in a file that only its user may read, and leaves no other file", async () => {
    expect(await aSnapshot().read()).toEqual({ kind: "none" });
    await aSnapshot().write(saved);
    await aSnapshot("two").write(saved);
    expect(await aSnapshot().read()).toEqual({ kind: "read", flags: saved });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["flags"]);
  });

  it("is ignored wherever one byte of it is another, or its end is missing", async () => {
    await aSnapshot().write(saved);
    const whole = await readFile(file);
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 2), fc.integer({ min: 1, max: 255 }), fc.boolean(), async (place, change, cut) => {
        const damaged = cut ? whole.subarray(0, place) : Buffer.from(whole).fill((whole[place] ?? 0) ^ change, place, place + 1);
        await writeFile(file, damaged);
        expect(await aSnapshot().read()).toMatchObject({ kind: "ignored" });
      }),
    );
  });

  const aWorldWritableFile = async () => {
    await aSnapshot().write(saved);
    await chmod(file, 0o602);
  };
  it.each<[string, () => Promise<void>, string]>([
    ["a folder", async () => mkdir(file), "it is not a file"],
    ["more than 1 MiB", async () => writeFile(file, "x".repeat(1024 * 1024 + 1)), "at most 1048576"],
    ["a file of nothing", async () => writeFile(file, ""), "it is damaged"],
    ["a file that every user can write", aWorldWritableFile, "make its mode 0600"],
    [
      "another runbookd's",
      async () => createFlagSnapshot({ file, url: "http://staging.test", suffix: "x" }).write(saved),
      "another runbookd",
    ],
  ])("is ignored when it is %s, and says so with the file's name", async (_, prepare, why) => {
    await prepare();
    expect(await aSnapshot().read()).toEqual({ kind: "ignored", why: expect.stringMatching(`^${file}: .*${why}`) });
  });

  it("that cannot be replaced is removed, because it may name a flag on that is off now", async () => {
    await aSnapshot().write(saved);
    const large = { flag: aFlag({ variants: { on: "x".repeat(1024 * 1024) } }), at: 0 };
    await expect(aSnapshot().write([large])).rejects.toThrow("make the values of the flags smaller");
    expect(await readdir(folder)).toEqual([]);
    await expect(createFlagSnapshot({ file: join(folder, "missing/flags"), url, suffix: "x" }).write(saved)).rejects.toThrow("ENOENT");
  });

  it("holds the 500 flags that were confirmed last", async () => {
    await aSnapshot().write(Array.from({ length: 501 }, (_, at) => ({ flag: aFlag({ key: `flag-${at}` }), at })));
    const reading = await aSnapshot().read();
    expect(reading.kind === "read" && reading.flags.map(({ at }) => at)).toEqual(Array.from({ length: 500 }, (_, at) => at + 1));
  });
});

describe("a process with a snapshot", () => {
  const start = (serving: ReturnType<typeof serveFlags>, at?: number) => {
    const clock = createFakeClock(at);
    const troubles: FlagTrouble[] = [];
    const client = createRunbookdClient({
      url,
      token: "secret",
      clock,
      fetch: serving.fetch,
      snapshotFile: file,
      onFlagTrouble: (trouble) => troubles.push(trouble),
    });
    return { client, flags: client.flags, clock, troubles };
  };
  const saidOf = async () => {
    const reading = await aSnapshot().read();
    return reading.kind === "read" ? Object.fromEntries(reading.flags.map(({ flag }) => [flag.key, flag.state])) : reading.kind;
  };

  it("goes on with the last flags after a restart, and knows how old they are", async () => {
    const serving = serveFlags(aFlag(), aFlag({ key: "import" }));
    const before = start(serving, 1_000_000);
    await before.flags.follow(["export", "import"]);
    await before.client.close();
    serving.trouble = "silent";
    const after = start(serving, 1_090_000);
    expect(await after.flags.enabled("export", { ticketId: "T-1" })).toBe(true);
    expect(await after.flags.evaluate("export")).toMatchObject({ from: "snapshot", ageMs: 90_000 });
    expect(await after.flags.enabled("unknown")).toBe(false);
    serving.trouble = undefined;
    serving.flags.set("export", aFlag({ state: "off", version: 2 }));
    await after.clock.advance(2000);
    expect(await after.flags.enabled("export")).toBe(false);
    await until("the file is written", async () => Object(await saidOf()).export === "off");
    // A flag that this process has not used yet stays for the next restart.
    expect(await saidOf()).toEqual({ export: "off", import: "on" });
    await after.client.close();
  });

  it("asks runbookd first: a flag that was switched off during the restart is never on", async () => {
    await aSnapshot().write(saved);
    const { flags, client } = start(serveFlags(aFlag({ state: "off", version: 2 })));
    expect(await flags.enabled("export")).toBe(false);
    await client.close();
  });

  it("enables nothing from a damaged file, says so, and replaces it", async () => {
    await aSnapshot().write(saved);
    await writeFile(file, (await readFile(file, "utf8")).replace('"state":"off"', '"state":"on" '));
    const serving = serveFlags(aFlag({ state: "off" }));
    serving.trouble = "silent";
    const { flags, client, troubles, clock } = start(serving);
    expect(await flags.enabled("export")).toBe(false);
    expect(await flags.enabled("import")).toBe(false);
    expect(troubles[0]).toMatchObject({ what: "snapshot_ignored", why: expect.stringContaining("damaged") });
    serving.trouble = undefined;
    await clock.advance(2000);
    await client.close();
    expect(await saidOf()).toEqual({ export: "off" });
  });

  it("says when the file cannot be written, and goes on", async () => {
    await mkdir(file);
    await writeFile(join(file, "other"), "");
    const { flags, client, troubles } = start(serveFlags(aFlag()));
    expect(await flags.enabled("export")).toBe(true);
    await client.close();
    expect(troubles.map(({ what }) => what)).toEqual(["snapshot_ignored", "snapshot_not_written"]);
  });

  it("writes again once a minute while nothing changes, so that the age is right to a minute", async () => {
    const { flags, client, clock } = start(serveFlags(aFlag()), 0);
    await flags.enabled("export");
    const at = async () => {
      const reading = await aSnapshot().read();
      return reading.kind === "read" ? (reading.flags[0]?.at ?? -1) : -1;
    };
    await until("it is written", async () => (await at()) === 0);
    await clock.advance(30_000);
    expect(await at()).toBe(0);
    await clock.advance(40_000);
    await until("it is written again", async () => (await at()) >= 60_000);
    await client.close();
  });
});
