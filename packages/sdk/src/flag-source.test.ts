import { afterEach, describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { aFlag } from "../../../test/builders/a-flag.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { type FlagServing, serveFlags } from "../../../test/servers/flag-serving.ts";
import { createRunbookdClient, type RunbookdClient, type RunbookdClientOptions } from "./client.ts";
import type { FlagEvent, FlagTrouble } from "./served-flags.ts";
import type { Flag } from "./wire/flags.ts";

const opened: RunbookdClient[] = [];
afterEach(async () => {
  for (const client of opened.splice(0)) await client.close();
});

function aProcess(serving: FlagServing, more: Partial<RunbookdClientOptions> = {}) {
  const clock = createFakeClock();
  const troubles: FlagTrouble[] = [];
  const events: FlagEvent[] = [];
  const client = createRunbookdClient({
    url: "http://runbookd.test",
    token: "secret",
    clock,
    fetch: serving.fetch,
    onFlagTrouble: (trouble) => troubles.push(trouble),
    ...more,
  });
  opened.push(client);
  client.flags.watch((event) => events.push(event));
  return { client, flags: client.flags, clock, troubles, events };
}

const aShare = (share: number, more: Partial<Flag> = {}) =>
  aFlag({ defaultVariant: "off", rollout: { variant: "on", share, salt: "s", rollout: "r1" }, ...more });
const tickets = Array.from({ length: 200 }, (_, nth) => `T-${nth}`);

describe("flags.enabled", () => {
  it("is true for a boolean flag that is on", async () => {
    const { flags } = aProcess(serveFlags(aFlag()));
    expect(await flags.enabled("export")).toBe(true);
  });

  it.each<[string, FlagServing, string]>([
    ["no flag", serveFlags(), "export"],
    ["a flag that is off", serveFlags(aFlag({ state: "off" })), "export"],
    ["a flag that is off and whose off value is true", serveFlags(aFlag({ state: "off", offVariant: "on" })), "export"],
    ["a flag whose value is false", serveFlags(aFlag({ defaultVariant: "off" })), "export"],
    ["a flag of type string", serveFlags(aFlag({ type: "string", variants: { on: "true", off: "" } })), "export"],
    ["a boolean flag with a value of another type", serveFlags(aFlag({ variants: { on: "true", off: false } })), "export"],
    ["a flag that names a variant that it does not have", serveFlags(aFlag({ defaultVariant: "constructor" })), "export"],
    ["a key that no flag can have", serveFlags(aFlag()), "a,export"],
    ["a share, and no ticket to place in it", serveFlags(aShare(0.5)), "export"],
  ])("is false for %s", async (_, serving, key) => {
    const { flags } = aProcess(serving);
    expect(await flags.enabled(key)).toBe(false);
  });

  it.each([401, 403, 404, 429, 500, 503, "silent" as const])(
    "is false while nothing was ever read, because of %s, and true once it was",
    async (trouble) => {
      const serving = serveFlags(aFlag());
      serving.trouble = trouble;
      const { flags, clock } = aProcess(serving);
      expect(await flags.enabled("export")).toBe(false);
      expect(await flags.evaluate("export")).toEqual({ kind: "unresolved", reason: "unread" });
      serving.trouble = undefined;
      await clock.advance(2000);
      expect(await flags.enabled("export")).toBe(true);
    },
  );

  it("reads a state that it does not know as off", async () => {
    const serving = serveFlags();
    serving.flags.set("export", { ...aFlag(), state: "paused" });
    expect(await aProcess(serving).flags.enabled("export")).toBe(false);
  });

  it("reads each flag on its own: a damaged one is off and costs none of the others", async () => {
    const serving = serveFlags(aFlag(), aFlag({ key: "import" }));
    const { flags, clock } = aProcess(serving);
    expect(await Promise.all(["export", "import"].map(async (key) => flags.enabled(key)))).toEqual([true, true]);
    serving.flags.set("import", { key: "import", state: "on" });
    serving.flags.set("export", aFlag({ state: "off", version: 2 }));
    await clock.advance(2000);
    expect(await Promise.all(["export", "import"].map(async (key) => flags.enabled(key)))).toEqual([false, false]);
  });

  it.each([401, 404, 429, 503, "silent" as const])(
    "stays as it was while runbookd is away with %s, and says how old it is",
    async (trouble) => {
      const serving = serveFlags(aFlag());
      const { flags, clock, events, troubles } = aProcess(serving);
      expect(await flags.enabled("export")).toBe(true);
      serving.trouble = trouble;
      await clock.advance(60_000);
      expect(await flags.enabled("export")).toBe(true);
      const resolution = await flags.evaluate("export");
      expect(resolution).toMatchObject({ kind: "resolved", value: true, variant: "on", reason: "STATIC", version: 1, from: "runbookd" });
      expect(resolution.kind === "resolved" && resolution.ageMs).toBe(60_000);
      expect(events.slice(0, 2)).toMatchObject([{ kind: "current" }, { kind: "stale" }]);
      expect(troubles).toMatchObject([{ what: "flags_not_read" }]);
      serving.trouble = undefined;
      serving.flags.set("export", aFlag({ state: "off", version: 2 }));
      await clock.advance(2000);
      expect(await flags.enabled("export")).toBe(false);
      expect(events.slice(-2)).toEqual([{ kind: "changed", keys: ["export"] }, { kind: "current" }]);
    },
  );

  it("is false within one interval after the flag was switched off, at whatever moment of it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5000 }), async (before) => {
        const serving = serveFlags(aFlag());
        const { flags, clock, client } = aProcess(serving);
        expect(await flags.enabled("export")).toBe(true);
        await clock.advance(before);
        serving.flags.set("export", aFlag({ state: "off", version: 2 }));
        await clock.advance(2000);
        expect(await flags.enabled("export")).toBe(false);
        await client.close();
      }),
      { numRuns: 30 },
    );
  });

  it("forgets a flag that runbookd does not have any more", async () => {
    const serving = serveFlags(aFlag());
    const { flags, clock } = aProcess(serving);
    expect(await flags.enabled("export")).toBe(true);
    serving.flags.clear();
    await clock.advance(2000);
    expect(await flags.enabled("export")).toBe(false);
    expect(await flags.evaluate("export")).toEqual({ kind: "unresolved", reason: "unknown" });
  });
});

describe("the requests for flags", () => {
  it("are one for all keys in use, with the versions that the process holds and the tag that came last", async () => {
    const serving = serveFlags(aFlag({ version: 12 }), aFlag({ key: "import", version: 3 }));
    const { flags, clock } = aProcess(serving, { instance: "pod-1" });
    await Promise.all([flags.enabled("export"), flags.enabled("import"), flags.enabled("nothing"), flags.enabled("bad key")]);
    await clock.advance(2000);
    const keys = ["export", "import", "nothing"];
    expect(serving.asked).toEqual([
      { keys, held: "", follower: "pod-1", status: 200 },
      { keys, held: "export=12,import=3", follower: "pod-1", status: 304 },
    ]);
  });

  it("are split where a server takes fewer keys, and one bad key does not keep the others from being switched off", async () => {
    const serving = serveFlags(...["a", "b", "c", "d", "e"].map((key) => aFlag({ key })));
    const { flags, clock } = aProcess(serving);
    serving.maxKeys = 2;
    serving.badKeys.add("c");
    const all = async () => Promise.all(["a", "b", "c", "d", "e"].map(async (key) => flags.enabled(key)));
    expect(await all()).toEqual([true, true, false, true, true]);
    serving.flags.set("e", aFlag({ key: "e", state: "off", version: 2 }));
    await clock.advance(2000);
    expect(await all()).toEqual([true, true, false, true, false]);
  });

  it("have addresses of at most 50 keys, and follow at most 500 keys, the ones used last", async () => {
    const keys = Array.from({ length: 501 }, (_, nth) => `flag-${nth}`);
    const serving = serveFlags(...keys.map((key) => aFlag({ key })));
    const { flags, clock } = aProcess(serving);
    await flags.follow(keys.slice(0, 500));
    expect(await flags.enabled("flag-500")).toBe(true);
    serving.asked.length = 0;
    await clock.advance(2000);
    expect(serving.asked.map((request) => request.keys.length)).toEqual(Array.from({ length: 10 }, () => 50));
    expect(serving.asked.flatMap((request) => request.keys)).toEqual(keys.slice(1));
  });

  it("are spread over the last fifth of the interval, and differ from process to process", async () => {
    const moments = new Set<number>();
    for (let nth = 0; nth < 5; nth += 1) {
      const serving = serveFlags(aFlag());
      const { flags, clock } = aProcess(serving);
      await flags.enabled("export");
      await clock.advance(1599);
      expect(serving.asked).toHaveLength(1);
      let passed = 1599;
      while (serving.asked.length === 1) {
        passed += 1;
        await clock.advance(1);
      }
      moments.add(passed);
      expect(passed).toBeLessThanOrEqual(2000);
    }
    expect(moments.size).toBeGreaterThan(1);
  });

  it("begin before the first use for flags that are followed, and end when the client is closed", async () => {
    const serving = serveFlags(aFlag());
    const { flags, clock, client } = aProcess(serving);
    expect(await flags.follow(["export"])).toEqual([]);
    await client.close();
    await clock.advance(10_000);
    expect(serving.asked).toHaveLength(1);
  });
});

describe("a ticket", () => {
  it("is in the share by the hash of every language, and names its arm in what is sent for it", async () => {
    const serving = serveFlags(aShare(0.25));
    const { flags } = aProcess(serving);
    const arms = await Promise.all(tickets.map(async (ticketId) => flags.evaluate("export", { ticketId })));
    const canaries = arms.filter((arm) => arm.kind === "resolved" && arm.rollout?.arm === "canary");
    expect(canaries.length).toBeGreaterThan(30);
    expect(canaries.length).toBeLessThan(70);
    expect(canaries[0]).toMatchObject({ value: true, reason: "SPLIT", rollout: { rollout: "r1", arm: "canary", share: 0.25 } });
    const others = arms.filter((arm) => arm.kind === "resolved" && arm.rollout?.arm === "baseline");
    expect(others[0]).toMatchObject({ value: false, reason: "SPLIT" });
    expect(canaries.length + others.length).toBe(tickets.length);
  });

  it("is remembered for its rollout, and sent with its admission", async () => {
    const serving = serveFlags(aShare(1));
    const sent: unknown[] = [];
    const { client } = aProcess(serving, {
      fetch: async (url, init) => {
        const request = new Request(url, init);
        if (!request.url.endsWith("/api/admissions")) return serving.fetch(url, init);
        sent.push(await request.json());
        return Response.json({ leaseId: "l", leaseMs: 9 });
      },
    });
    expect(await client.flags.enabled("export", { ticketId: "T-1" })).toBe(true);
    await client.admit({ ticketId: "T-1", budget: "checkout", estimateMicroUsd: 5 });
    expect(sent).toMatchObject([{ assignments: [{ rollout: "r1", arm: "canary", share: 1 }] }]);
  });

  it("keeps what it began with while the flag is on, whatever becomes of the share", async () => {
    const serving = serveFlags(aShare(0.5));
    const { flags, clock } = aProcess(serving);
    const all = async () => Promise.all(tickets.map(async (ticketId) => flags.enabled("export", { ticketId })));
    const first = await all();
    expect(new Set(first).size).toBe(2);
    for (const [share, version] of [
      [1, 2],
      [0.01, 3],
    ] as const) {
      serving.flags.set("export", aShare(share, { version }));
      await clock.advance(2000);
      expect(await all()).toEqual(first);
    }
    expect(await flags.enabled("export", { ticketId: "new" })).toBe(false);
  });

  it("loses it at once when the flag is off, and begins anew when it is on again", async () => {
    const serving = serveFlags(aShare(1));
    const { flags, clock } = aProcess(serving);
    expect(await flags.enabled("export", { ticketId: "T-1" })).toBe(true);
    serving.flags.set("export", aShare(1, { state: "off", version: 2 }));
    await clock.advance(2000);
    expect(await flags.enabled("export", { ticketId: "T-1" })).toBe(false);
    serving.flags.set("export", aShare(0, { version: 3 }));
    await clock.advance(2000);
    expect(await flags.enabled("export", { ticketId: "T-1" })).toBe(false);
  });

  it("goes on with what its saved work names, unless the flag is off or has lost the variant", async () => {
    const begun = { variant: "on", rollout: { rollout: "r0", arm: "canary", share: 0.1 } } as const;
    const { flags } = aProcess(serveFlags(aShare(0)));
    expect(await flags.evaluate("export", { ticketId: "T-1", begun })).toMatchObject({ ...begun, value: true });
    expect(await flags.enabled("export", { ticketId: "T-1" })).toBe(true);
    const off = aProcess(serveFlags(aShare(0, { state: "off" }))).flags;
    expect(await off.enabled("export", { ticketId: "T-1", begun })).toBe(false);
    const lost = aProcess(serveFlags(aShare(0, { variants: { off: false } }))).flags;
    expect(await lost.evaluate("export", { ticketId: "T-1", begun })).toMatchObject({ variant: "off", value: false });
  });
});

describe("flags.evaluate", () => {
  it("gives the value of any type, and the off value of a flag that is off", async () => {
    const variants = { long: { max: 9 }, short: { max: 1 } };
    const flag = aFlag({ type: "object", variants, defaultVariant: "long", offVariant: "short" });
    const serving = serveFlags(flag);
    const { flags, clock } = aProcess(serving);
    expect(await flags.evaluate("export")).toMatchObject({ value: { max: 9 }, variant: "long", reason: "STATIC", feature: "export" });
    serving.flags.set("export", { ...flag, state: "off", version: 2 });
    await clock.advance(2000);
    expect(await flags.evaluate("export")).toMatchObject({ value: { max: 1 }, variant: "short", reason: "DISABLED", version: 2 });
  });

  it("gives false for a boolean flag that is off and has lost its off variant", async () => {
    const { flags } = aProcess(serveFlags(aFlag({ state: "off", variants: { on: true } })));
    expect(await flags.evaluate("export")).toMatchObject({ kind: "resolved", value: false, reason: "DISABLED" });
  });

  it("asks for a ticket only where a share decides", async () => {
    for (const share of [0, 1]) {
      expect(await aProcess(serveFlags(aShare(share))).flags.evaluate("export")).toMatchObject({ value: share === 1, reason: "SPLIT" });
    }
    const { flags } = aProcess(serveFlags(aShare(0.5)));
    for (const ticketId of [undefined, ""]) {
      expect(await flags.evaluate("export", { ticketId })).toEqual({ kind: "unresolved", reason: "targeting_key_missing" });
    }
    expect(await aProcess(serveFlags(aShare(0.5, { state: "off" }))).flags.evaluate("export")).toMatchObject({ value: false });
  });
});

describe("the requests of a feature", () => {
  const countsOf = (serving: FlagServing) => serving.reports.map((report) => Object(report).counts);

  it("are counted by what the flag said, and reported with the next refresh, from zero on", async () => {
    const { feature: _, ...plain } = aFlag({ key: "plain" });
    const serving = serveFlags(aFlag(), plain);
    const { flags, clock } = aProcess(serving);
    await flags.follow(["export"]);
    await clock.advance(2000);
    for (let nth = 0; nth < 3; nth += 1) await flags.enabled("export");
    await flags.enabled("plain");
    await flags.enabled("unknown");
    serving.flags.set("export", aFlag({ state: "off", version: 2 }));
    await clock.advance(2000);
    await flags.enabled("export");
    await flags.evaluate("export");
    await clock.advance(2000);
    await clock.advance(2000);
    expect(countsOf(serving)).toEqual([
      [{ feature: "export", served: 0, refused: 0 }],
      [{ feature: "export", served: 3, refused: 0 }],
      [{ feature: "export", served: 0, refused: 2 }],
    ]);
  });

  it("add up while runbookd is away, and a report whose answer was lost is sent again as it was", async () => {
    const serving = serveFlags(aFlag());
    const { flags, clock } = aProcess(serving);
    await flags.enabled("export");
    serving.trouble = "lost";
    await clock.advance(2000);
    await flags.enabled("export");
    serving.trouble = "silent";
    await clock.advance(20_000);
    await flags.enabled("export");
    serving.trouble = undefined;
    await clock.advance(4000);
    expect(countsOf(serving).map(([counts]) => counts.served)).toEqual([1, 1, 2]);
    expect(serving.reports.map((report) => Object(report).sequence)).toEqual([1, 1, 2]);
    expect(new Set(serving.reports.map((report) => Object(report).reporter)).size).toBe(1);
  });

  it.each([
    ["others come while one is reported", 1000, false],
    ["a report is not answered", 1, true],
  ])("do not keep a flag from being switched off when %s", async (_name, most, hangs) => {
    const serving = serveFlags(aFlag());
    const answers: (() => void)[] = [];
    let sent = 0;
    const { flags, clock } = aProcess(serving, {
      async fetch(input, init) {
        if (init?.method === "POST" && sent < most) {
          sent += 1;
          await flags.enabled("export");
          if (hangs) await new Promise<void>((resolve) => answers.push(resolve));
        }
        return serving.fetch(input, init);
      },
    });
    await flags.enabled("export");
    await clock.advance(2000);
    expect(sent).toBe(1);
    serving.flags.set("export", aFlag({ state: "off", version: 2 }));
    await clock.advance(2000);
    expect(await flags.enabled("export")).toBe(false);
    expect(sent).toBeLessThanOrEqual(3);
    for (const answer of answers) answer();
  });

  it("are all reported when the client is closed, also those that came while a report was sent", async () => {
    const serving = serveFlags(aFlag());
    const answers: (() => void)[] = [];
    const { flags, clock, client } = aProcess(serving, {
      async fetch(input, init) {
        if (init?.method === "POST" && answers.length === 0) await new Promise<void>((resolve) => answers.push(resolve));
        return serving.fetch(input, init);
      },
    });
    await flags.enabled("export");
    await clock.advance(2000);
    await flags.enabled("export");
    const closing = client.close();
    answers[0]?.();
    await closing;
    expect(countsOf(serving).map(([counts]) => counts.served)).toEqual([1, 1]);
  });

  it("come under another name from every process, even where two have one instance name, so that none is taken for a repetition", async () => {
    const serving = serveFlags(aFlag());
    for (let nth = 0; nth < 2; nth += 1) {
      const { flags, client } = aProcess(serving, { instance: "pod-1" });
      await flags.enabled("export");
      await client.close();
    }
    expect(new Set(serving.reports.map((report) => Object(report).reporter)).size).toBe(2);
    expect(countsOf(serving).map(([counts]) => counts.served)).toEqual([1, 1]);
  });

  it("are taken from the application, for at most 50 features that have a feature's name", async () => {
    const serving = serveFlags();
    const { flags, clock } = aProcess(serving);
    flags.countRequest("Not A Feature", "served");
    for (let nth = 0; nth < 60; nth += 1) flags.countRequest(`feature-${nth}`, "refused");
    await clock.advance(2000);
    const [counts] = countsOf(serving);
    expect(counts).toHaveLength(50);
    expect(counts[0]).toEqual({ feature: "feature-0", served: 0, refused: 1 });
  });
});
