import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { describeFlagSwitch } from "../../../test/contracts/describe-flag-switch.ts";
import { type FlagdServer, startFlagd } from "../../../test/servers/flagd-server.ts";
import { createSystemClock } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import { createSystemRandom } from "../../core/random.ts";
import { createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createFlagdFlags } from "./create-flagd-flags.ts";
import { openFlagFile } from "./open-flag-file.ts";

const [on, partly, off] = ["export-pdf", "summaries", "search"];
const text = `{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "${on}": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "on" },
    "${partly}": {
      "state": "ENABLED",
      "variants": { "on": true, "off": false },
      "defaultVariant": "off",
      "targeting": { "fractional": [["on", 50], ["off", 50]] }
    },
    "${off}": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off" }
  }
}
`;
const clock = createSystemClock();
const deps = { clock, random: createSystemRandom() };

async function open() {
  const folder = await mkdtemp(join(tmpdir(), "rb-flagd-"));
  const path = join(folder, "flags.json");
  await writeFile(path, text, { mode: 0o640 });
  const server = await startFlagd(path);
  const sender = createBoundedSender({ ...defaultRequestLimits, maxBytes: 100_000 }, { clock });
  const { quirks } = server;
  let isAway = false;
  const spoil = async (spoiled: string) => {
    await writeFile(path, spoiled);
    quirks.fault = "busy";
  };
  return {
    folder,
    path,
    server,
    flags: createFlagdFlags({ sender, url: server.url, file: openFlagFile(path, deps) }),
    on,
    partly,
    off,
    secrets: [],
    settle: async () => undefined,
    faults: {
      "is away": async () => {
        isAway = true;
        await rm(path);
        await server[Symbol.asyncDispose]();
      },
      "has a damaged file": async () => spoil(text.slice(0, -4)),
      "has an empty file": async () => spoil(""),
      "has a huge file": async () => spoil(`${" ".repeat(4 * 1_048_576)}${text}`),
      "has a file that is no text": async () =>
        spoil(text.replace("on", "\u00ff")).then(async () => writeFile(path, Buffer.from([0x7b, 0xff, 0x7d]))),
    },
    async [Symbol.asyncDispose]() {
      await sender.close();
      if (!isAway) await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

describeFlagSwitch("flagd", open, ["is away", "has a damaged file", "has an empty file", "has a huge file", "has a file that is no text"]);

describe("flagd", () => {
  let bench: Awaited<ReturnType<typeof open>>;
  let server: FlagdServer;
  beforeEach(async () => {
    bench = await open();
    ({ server } = bench);
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
  });
  const set = async (key: string, state: "on" | "off") => bench.flags.setState({ key, state, by: "run:01", reason: "a finding" });
  const failureOf = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof StepFailure) return error.failure;
    throw new Error("Nothing was refused.");
  };

  it.each([false, true])("gives applications an explicit value of a flag that was disabled (an old version: %p)", async (isOld) => {
    server.quirks.disabledIsUnknown = isOld;
    await writeFile(bench.path, text.replace('"ENABLED"', '"DISABLED"'));
    // Applications take their own default, which may be true: that is not off.
    expect(await bench.flags.evaluate(on, "ticket-1")).toBeUndefined();
    expect(await bench.flags.read(on)).toMatchObject({ state: "on" });
    expect(await set(on, "off")).toMatchObject({ kind: "set" });
    expect(await bench.flags.evaluate(on, "ticket-1")).toEqual({ value: false, variant: "off", reason: "STATIC" });
  });

  it("is off although the rule that was in force cannot be read", async () => {
    await writeFile(bench.path, text.replace('{ "fractional": [["on", 50], ["off", 50]] }', '{ "no_such_operation": [1] }'));
    expect(await failureOf(bench.flags.evaluate(partly, "ticket-1"))).toMatchObject({ reason: "refused_by_target" });
    await set(partly, "off");
    expect(await bench.flags.evaluate(partly, "ticket-1")).toMatchObject({ value: false, reason: "STATIC" });
  });

  it("says what applications get, not what is in the file: flagd polls, and rejects files as a whole", async () => {
    server.quirks.stale = true;
    await set(on, "off");
    expect(await bench.flags.evaluate(on, "ticket-1")).toMatchObject({ value: true });
    server.quirks.strict = true;
    await server.refresh();
    expect(await bench.flags.evaluate(on, "ticket-1")).toMatchObject({ value: true });
    server.quirks.strict = false;
    await server.refresh();
    expect(await bench.flags.evaluate(on, "ticket-1")).toMatchObject({ value: false });
  });

  it.each(["html", "moved", "huge", "empty"] as const)("takes an answer of another kind (%s) for none", async (fault) => {
    server.quirks.fault = fault;
    expect(await failureOf(bench.flags.evaluate(off, "ticket-1"))).toMatchObject({
      message: expect.stringMatching(/^flagd answered (200|307)/),
    });
  });

  it("takes a 404 that is not flagd's for no answer", async () => {
    expect(await failureOf(bench.flags.evaluate("a/b", "ticket-1"))).toMatchObject({ message: "flagd answered 404; expected 200." });
  });

  it("is never read half: the file is replaced, with the permissions that it had, and nothing is left beside it", async () => {
    const before = await stat(bench.path);
    let broken = 0;
    let reads = 0;
    const reading = new AbortController();
    const reader = (async () => {
      while (!reading.signal.aborted) {
        reads += 1;
        try {
          JSON.parse(await readFile(bench.path, "utf8"));
        } catch {
          broken += 1;
        }
      }
    })();
    for (let round = 0; round < 10; round += 1) await set(on, round % 2 === 0 ? "off" : "on");
    reading.abort();
    await reader;
    expect(reads).toBeGreaterThan(10);
    expect(broken).toBe(0);
    const after = await stat(bench.path);
    expect(after.ino).not.toBe(before.ino);
    expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid]);
    expect(await readFile(bench.path, "utf8")).toBe(text);
    expect(await readdir(bench.folder)).toEqual(["flags.json"]);
  });

  it("loses no change of another process that changes other flags at the same time", async () => {
    const flags = Object.fromEntries(
      Array.from({ length: 8 }, (_, nth) => [`f${nth}`, { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: "on" }]),
    );
    await writeFile(bench.path, JSON.stringify({ flags }));
    const sender = createBoundedSender(defaultRequestLimits, { clock });
    const others = Object.keys(flags).map((key) => ({
      key,
      flags: createFlagdFlags({ sender, url: server.url, file: openFlagFile(bench.path, deps) }),
    }));
    const ends = await Promise.all(
      others.map(async (one) => one.flags.setState({ key: one.key, state: "off", by: "run:01", reason: "r" })),
    );
    await sender.close();
    expect(ends.map(({ kind }) => kind)).toEqual(others.map(() => "set"));
    const written: unknown = JSON.parse(await readFile(bench.path, "utf8"));
    expect(written).toEqual({
      flags: expect.objectContaining(
        Object.fromEntries(others.map(({ key }) => [key, expect.objectContaining({ defaultVariant: "off" })])),
      ),
    });
  });

  it("takes up what something without the lock wrote while the change was being made", async () => {
    const file = openFlagFile(bench.path, deps);
    let rounds = 0;
    const edit = await file.change((now) => {
      rounds += 1;
      // As an editor does, between our reading and our writing.
      if (rounds === 1) execFileSync("sh", ["-c", `printf '%s' "$1" > "$2"`, "sh", now.replace('"$schema"', '"$id"'), bench.path]);
      return { kind: "edited", text: now.replace('"flags"', ' "flags"') };
    });
    expect([rounds, edit.kind]).toEqual([2, "edited"]);
    expect(await readFile(bench.path, "utf8")).toBe(text.replace('"$schema"', '"$id"').replace('"flags"', ' "flags"'));
    const stubborn = file.change((now) => {
      execFileSync("sh", ["-c", `printf ' ' >> "$1"`, "sh", bench.path]);
      return { kind: "edited", text: `${now} ` };
    });
    expect(await failureOf(stubborn)).toMatchObject({ reason: "overloaded", applied: "no" });
  });

  it.each([
    ["a symbolic link", async (path: string) => symlink(`${path}.real`, path)],
    ["a link to nothing", async (path: string) => symlink(`${path}.nothing`, path)],
    ["a second name", async (path: string) => link(`${path}.real`, path)],
    ["a named pipe", async (path: string) => void execFileSync("mkfifo", [path])],
    ["a folder", async (path: string) => mkdir(path)],
    ["nothing", async () => undefined],
  ])("refuses %s in the file's place, and leaves it there", async (_, put) => {
    await rm(bench.path);
    await writeFile(`${bench.path}.real`, text);
    await put(bench.path);
    expect(await failureOf(bench.flags.read(on))).toMatchObject({ reason: "not_reachable", applied: "no" });
    expect(await failureOf(set(on, "off"))).toMatchObject({ reason: "not_reachable", applied: "no" });
    expect(await readFile(`${bench.path}.real`, "utf8")).toBe(text);
    expect((await readdir(bench.folder)).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it("says so when it may not write to the file's folder", async () => {
    const folder = join(bench.folder, "absent");
    const file = openFlagFile(join(folder, "flags.json"), deps);
    expect(await failureOf(file.read())).toMatchObject({ reason: "not_reachable" });
    if (process.getuid?.() === 0) return;
    await chmod(bench.folder, 0o500);
    expect(await failureOf(set(on, "off"))).toMatchObject({ reason: "refused_by_target", applied: "no" });
    await chmod(bench.folder, 0o700);
  });
});
