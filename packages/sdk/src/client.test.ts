import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { aUsageReport } from "../../../test/builders/a-usage-report.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createRunbookdClient, type RunbookdClientOptions } from "./client.ts";
import type { UsageLoss } from "./usage-outbox.ts";

interface Seen {
  readonly path: string;
  readonly body: unknown;
}

/** A runbookd of which only the answers are known. An answer of undefined is a refused connection. */
function aClient(
  answer: (seen: Seen) => { readonly status: number; readonly body: unknown } | undefined,
  more: Partial<RunbookdClientOptions> = {},
) {
  const seen: Seen[] = [];
  const lost: UsageLoss[] = [];
  const clock = createFakeClock();
  const client = createRunbookdClient({
    url: "http://runbookd.test/",
    token: "secret",
    clock,
    onUsageLost: (loss) => lost.push(loss),
    fetch: async (url, init) => {
      const request = new Request(url, init);
      const text = await request.text();
      const entry = { path: new URL(request.url).pathname, body: text === "" ? undefined : JSON.parse(text) };
      seen.push(entry);
      expect(request.headers.get("authorization")).toBe("Bearer secret");
      const reply = answer(entry);
      if (reply === undefined) throw new TypeError("fetch failed");
      return new Response(JSON.stringify(reply.body), { status: reply.status });
    },
    ...more,
  });
  return { client, seen, lost, clock };
}

const ask = { ticketId: "T-1", budget: "checkout", estimateMicroUsd: 5 };
const accepted = ({ body }: Seen) => {
  const events: { id: string }[] = Object(body).events ?? [];
  return { status: 200, body: { results: events.map(({ id }) => ({ id, result: "accepted" })) } };
};

describe("createRunbookdClient", () => {
  it.each([
    [
      { leaseId: "l", leaseMs: 9 },
      { kind: "admitted", leaseId: "l", leaseMs: 9 },
    ],
    [
      { wait: true, reason: "budget_paused", detail: "d", retryAfterMs: 3 },
      { kind: "wait", reason: "budget_paused", detail: "d", retryAfterMs: 3 },
    ],
    [
      { stop: true, reason: "ticket_cap", detail: "d", retryAfterMs: 3 },
      { kind: "stop", reason: "ticket_cap", detail: "d", retryAfterMs: 3 },
    ],
  ])("understands the gate's answer %j", async (body, answer) => {
    expect(await aClient(() => ({ status: 200, body })).client.admit(ask)).toEqual(answer);
  });

  it("reports what was spent before it asks again", async () => {
    const { client, seen } = aClient((entry) =>
      entry.path === "/api/usage" ? accepted(entry) : { status: 200, body: { leaseId: "l", leaseMs: 9 } },
    );
    client.reportUsage(aUsageReport({ id: "r1" }));
    await client.admit({ ...ask, turn: 1 });
    expect(seen.map(({ path }) => path)).toEqual(["/api/usage", "/api/admissions"]);
    expect(client.pendingUsage()).toBe(0);
  });

  it("lets work wait while runbookd is silent or says 503", async () => {
    for (const answer of [() => undefined, () => ({ status: 503, body: {} })]) {
      const { client } = aClient(answer);
      expect(await client.admit(ask)).toMatchObject({ kind: "wait", reason: "unreachable" });
      expect(await client.admit({ ...ask, turn: 2 })).toMatchObject({ kind: "wait", reason: "unreachable" });
    }
  });

  it("lets work go on unenforced where the application has said so, and only there", async () => {
    const { client } = aClient(() => undefined, { whenUnreachable: { turn: "go" } });
    expect(await client.admit({ ...ask, turn: 2 })).toMatchObject({ kind: "admitted" });
    expect(await client.admit(ask)).toMatchObject({ kind: "wait" });
  });

  it("throws what runbookd calls wrong, with its sentence and without the token", async () => {
    const { client } = aClient(() => ({
      status: 400,
      body: { title: "It does not fit", detail: "The body has faults.", issues: ["budget: x"] },
    }));
    await expect(client.admit(ask)).rejects.toThrow("HTTP 400: It does not fit. The body has faults. budget: x");
  });

  it("says which reports were duplicates, completed, in conflict or estimated; a conflict is a loss too", async () => {
    const notices: string[] = [];
    const results = [
      { id: "a", result: "accepted", costMicroUsd: 1 },
      { id: "b", result: "duplicate", costMicroUsd: 1 },
      { id: "c", result: "completed", costMicroUsd: 1 },
      { id: "d", result: "conflict", conflict: "another_ticket", detail: "an earlier report of this id has another ticket" },
      { id: "e", result: "accepted", anomaly: "missing_count", estimated: "reservation", detail: "the object lacks x" },
      { id: "f", result: "too_old", issues: ["at: too old"] },
    ];
    const { client, lost, seen, clock } = aClient(() => ({ status: 200, body: { results } }), {
      onUsageNotice: ({ kind, report, why }) => {
        notices.push(`${report.id} ${kind}: ${why}`);
        throw new Error("the application's own");
      },
    });
    for (const { id } of results) client.reportUsage(aUsageReport({ id }));
    const sentAt = clock.now();
    await client.flush();
    expect(seen[0]?.body).toMatchObject({ events: results.map(({ id }) => ({ id, at: sentAt })) });
    expect(notices).toEqual([
      "b duplicate: ",
      "c completed: ",
      "d conflict: another_ticket: an earlier report of this id has another ticket",
      "e estimated: missing_count: the object lacks x",
    ]);
    expect(lost.map(({ reports, why }) => `${reports[0]?.id} ${why}`)).toEqual([
      "d conflict: another_ticket: an earlier report of this id has another ticket",
      "f too_old: at: too old",
    ]);
    expect(client.pendingUsage()).toBe(0);
  });

  it("sends usage in bulk after a moment, and again until it arrives", async () => {
    let down = true;
    const { client, seen, clock } = aClient((entry) => (down ? undefined : accepted(entry)));
    client.reportUsage(aUsageReport({ id: "r1" }));
    client.reportUsage(aUsageReport({ id: "r2" }));
    await clock.advance(500);
    expect(seen).toHaveLength(1);
    expect(client.pendingUsage()).toBe(2);
    down = false;
    await clock.advance(1000);
    expect(seen).toHaveLength(2);
    expect(seen[1]?.body).toMatchObject({ events: [{ id: "r1" }, { id: "r2" }] });
    expect(client.pendingUsage()).toBe(0);
  });

  it("tells of events that were refused, and sends the others", async () => {
    const results = [
      { id: "r1", result: "invalid", issues: ["prompt: too long"] },
      { id: "r2", result: "accepted" },
    ];
    const { client, lost } = aClient(() => ({ status: 200, body: { results } }));
    client.reportUsage(aUsageReport({ id: "r1" }));
    client.reportUsage(aUsageReport({ id: "r2" }));
    await client.flush();
    expect(lost).toMatchObject([{ reports: [{ id: "r1" }], why: "invalid: prompt: too long" }]);
    expect(client.pendingUsage()).toBe(0);
  });

  it("gives up only the report that runbookd cannot read, whatever it is and wherever it waits, and never sends it again", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.nat(40), { maxLength: 5 }), fc.constantFrom(400, 413, 422), async (wrong, status) => {
        const isWrong = (id: string) => wrong.includes(Number(id.slice(1)));
        const got: string[] = [];
        const { client, seen, lost } = aClient((entry) => {
          const events: { id: string }[] = Object(entry.body).events;
          if (events.some(({ id }) => isWrong(id))) return { status, body: { title: "No.", detail: "One nests too deeply." } };
          got.push(...events.map(({ id }) => id));
          return accepted(entry);
        });
        const ids = Array.from({ length: 41 }, (_, index) => `r${index}`);
        for (const id of ids) client.reportUsage(aUsageReport({ id }));
        await client.flush();
        expect(got.toSorted()).toEqual(ids.filter((id) => !isWrong(id)).toSorted());
        expect(lost.flatMap(({ reports }) => reports.map(({ id }) => id)).toSorted()).toEqual(ids.filter(isWrong).toSorted());
        expect(client.pendingUsage()).toBe(0);
        const requests = seen.length;
        await client.flush();
        expect(seen).toHaveLength(requests);
      }),
      { seed: 12, numRuns: 50 },
    );
  });

  it("tells of a report that got no answer, and of one that no JSON can hold", async () => {
    const { client, lost } = aClient(() => ({ status: 200, body: { results: [{ id: "r1", result: "accepted" }] } }));
    const usage: { self?: unknown } = {};
    usage.self = usage;
    client.reportUsage(aUsageReport({ id: "r0", usage }));
    client.reportUsage(aUsageReport({ id: "r1" }));
    client.reportUsage(aUsageReport({ id: "r2" }));
    await client.flush();
    expect(lost).toMatchObject([
      { reports: [{ id: "r0" }], why: expect.stringContaining("circular") },
      { reports: [{ id: "r2" }], why: "not answered" },
    ]);
  });

  it("goes on when the application fails to take what was lost", async () => {
    let calls = 0;
    const results = [
      { id: "r1", result: "invalid" },
      { id: "r2", result: "invalid" },
    ];
    const { client, seen } = aClient(() => ({ status: 200, body: { results } }), {
      onUsageLost: () => {
        calls += 1;
        throw new Error("the application's log is full");
      },
    });
    client.reportUsage(aUsageReport({ id: "r1" }));
    client.reportUsage(aUsageReport({ id: "r2" }));
    await client.flush();
    expect([calls, seen.length, client.pendingUsage()]).toEqual([2, 1, 0]);
  });

  it("leaves a lease to expire when its release cannot be told", async () => {
    await expect(aClient(() => undefined).client.release({ ticketId: "T-1", budget: "checkout" })).resolves.toBeUndefined();
    expect(await aClient(() => undefined).client.extend("checkout", "l")).toBe(false);
  });

  it("tells a change, and says when it could not", async () => {
    const { client, seen } = aClient(() => ({ status: 201, body: {} }));
    await client.reportChange({ kind: "deploy", ref: "release 1.5.0" });
    expect(seen).toEqual([{ path: "/api/changes", body: { kind: "deploy", ref: "release 1.5.0" } }]);
    await expect(aClient(() => undefined).client.reportChange({ kind: "deploy", ref: "x" })).rejects.toThrow("fetch failed");
  });

  it("says that a batch does not exist", async () => {
    expect(await aClient(() => ({ status: 404, body: {} })).client.readBatch("b")).toBeUndefined();
  });

  it("sends long prefixes in bodies that are taken, and a report that is too long alone without what makes it so", async () => {
    const { client, seen, lost } = aClient(accepted);
    const block = { role: "system", kind: "text", hash: "0123456789abcdef", tokens: 9 } as const;
    const blocks = Array.from({ length: 1000 }, () => block);
    const long = Array.from({ length: 40 }, (_, index) => ({ block: index, text: "x".repeat(20_000) }));
    for (let index = 0; index < 20; index += 1)
      client.reportUsage(aUsageReport({ id: `p${index}`, prefix: { blocks, texts: long.slice(0, 20) } }));
    client.reportUsage(aUsageReport({ id: "long", prefix: { blocks, texts: [...long, ...long] } }));
    client.reportUsage(aUsageReport({ id: "longest", prefix: { blocks: Array.from({ length: 20_000 }, () => block) } }));
    await client.flush();
    expect(lost).toEqual([]);
    expect(seen.length).toBeGreaterThan(2);
    for (const { body } of seen) expect(JSON.stringify(body).length).toBeLessThan(4 * 1024 * 1024);
    const events: { id: string; prefix?: { blocks: unknown[]; texts?: unknown } }[] = seen.flatMap(({ body }) => Object(body).events);
    expect(events).toHaveLength(22);
    expect(events[0]?.prefix?.texts).toHaveLength(20);
    expect(events[20]?.prefix).toEqual({ blocks });
    expect(events[21]).not.toHaveProperty("prefix");
  });
});

describe("a process that follows routes and prompts", () => {
  const aFollower = (instance?: string) => {
    const names: (string | null)[] = [];
    const client = createRunbookdClient({
      url: "http://runbookd.test",
      token: "secret",
      clock: createFakeClock(),
      ...(instance !== undefined && { instance }),
      fetch: async (url, init) => {
        names.push(new Request(url, init).headers.get("runbookd-follower"));
        return new Response("{}", { status: 404 });
      },
    });
    return { client, names };
  };

  it("names itself, alike each time and unlike every other", async () => {
    const [one, two, named] = [aFollower(), aFollower(), aFollower("desk-7")];
    for (const { client } of [one, two, named]) {
      await expect(client.routes.forTicket("implement", "T-1")).rejects.toThrow("no route");
      await expect(client.prompts.forTicket("implement", "T-1")).rejects.toThrow("no prompt");
    }
    expect(one.names[0]).toMatch(/^[\w-]{20,}$/);
    expect(one.names).toEqual([one.names[0], one.names[0]]);
    expect(two.names[0]).not.toBe(one.names[0]);
    expect(named.names).toEqual(["desk-7", "desk-7"]);
  });
});
