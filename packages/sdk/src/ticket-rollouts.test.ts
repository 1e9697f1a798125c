import { describe, expect, it } from "@jest/globals";
import { aUsageReport } from "../../../test/builders/a-usage-report.ts";
import { aNewVersion } from "../../../test/contracts/describe-prompt-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createRunbookdClient } from "./client.ts";
import { createTicketRollouts } from "./ticket-rollouts.ts";

const baseline = { provider: "anthropic", model: "old" };
const candidate = { provider: "anthropic", model: "new", share: 1, salt: "s" };
const canary = { rollout: "r1", arm: "canary", share: 1 } as const;
const { layout } = aNewVersion("one");

/** A client of a runbookd that serves one route and one prompt, and what it sent besides asking for them. */
function aClient(served: { readonly route?: object; readonly canary?: object }) {
  const sent: { readonly path: string; readonly body: unknown }[] = [];
  const state = { served, status: 200 };
  const clock = createFakeClock();
  const client = createRunbookdClient({
    url: "http://runbookd.test",
    token: "secret",
    clock,
    refreshEveryMs: 1000,
    fetch: async (url, init) => {
      const request = new Request(url, init);
      const { pathname: path } = new URL(request.url);
      const reply = (body: unknown) => new Response(JSON.stringify(body), { status: state.status });
      if (request.method === "GET" && path.startsWith("/api/routes/"))
        return reply({
          id: "implement",
          baseline,
          candidate: null,
          fallback: [],
          version: 1,
          at: 0,
          by: "",
          reason: "",
          ...state.served.route,
        });
      if (request.method === "GET" && path.startsWith("/api/prompts/"))
        return reply({
          prompt: "implement",
          production: { version: 1, layout },
          ...(state.served.canary && { canary: state.served.canary }),
        });
      const body = Object(JSON.parse(await request.text()));
      sent.push({ path, body });
      if (path === "/api/usage") return reply({ results: body.events.map(({ id }: { id: string }) => ({ id, result: "accepted" })) });
      return reply({ leaseId: "l", leaseMs: 9, finished: true });
    },
  });
  const assignments = () =>
    sent.map(({ path, body }) => [path, path === "/api/usage" ? Object(body).events[0].assignments : Object(body).assignments]);
  return { client, sent, state, clock, assignments };
}

const ask = { ticketId: "T-1", budget: "checkout", estimateMicroUsd: 5 };

describe("the client", () => {
  it("names the rollout of a ticket's route in its admission, its usage and its release, and not of another ticket", async () => {
    const { client, assignments } = aClient({ route: { candidate: { ...candidate, rollout: "r1" } } });
    expect(await client.routes.forTicket("implement", "T-1")).toEqual({
      provider: "anthropic",
      model: "new",
      variant: "canary",
      rollout: canary,
      fallback: [],
    });
    await client.admit(ask);
    await client.admit({ ...ask, ticketId: "T-2" });
    client.reportUsage(aUsageReport({ id: "u1" }));
    await client.release({ ticketId: "T-1", budget: "checkout", outcome: "succeeded" });
    await client.admit({ ...ask, turn: 1 });
    expect(assignments()).toEqual([
      ["/api/admissions", [canary]],
      ["/api/admissions", undefined],
      ["/api/usage", [canary]],
      ["/api/admissions/release", [canary]],
      ["/api/admissions", undefined],
    ]);
  });

  it("says that a ticket outside the share is the baseline's, with the share that it was assigned by", async () => {
    const { client, state, clock, assignments } = aClient({ route: { candidate: { ...candidate, share: 0, rollout: "r1" } } });
    await client.routes.forTicket("implement", "T-1");
    state.served = { route: { candidate: { ...candidate, share: 0.5, rollout: "r1" } } };
    await clock.advance(1000);
    await client.routes.forTicket("implement", "T-1");
    await client.admit(ask);
    expect(assignments()).toEqual([["/api/admissions", [{ rollout: "r1", arm: "baseline", share: 0 }]]]);
    await client.close();
  });

  it("names no rollout when a person set the share", async () => {
    const { client, assignments } = aClient({ route: { candidate } });
    expect(await client.routes.forTicket("implement", "T-1")).toMatchObject({ variant: "canary" });
    await client.admit(ask);
    expect(assignments()).toEqual([["/api/admissions", undefined]]);
  });

  it("names the rollouts of a ticket's route and prompt together", async () => {
    const { client, assignments } = aClient({
      route: { candidate: { ...candidate, rollout: "r1" } },
      canary: { version: 2, layout, share: 0, salt: "s", rollout: "r2" },
    });
    await client.routes.forTicket("implement", "T-1");
    expect(await client.prompts.forTicket("implement", "T-1")).toMatchObject({ version: 1, variant: "baseline" });
    await client.admit(ask);
    expect(assignments()).toEqual([["/api/admissions", [canary, { rollout: "r2", arm: "baseline", share: 0 }]]]);
  });

  it("keeps the arm of a ticket that goes on from saved work, in another process and under another share", async () => {
    const begun = { ...baseline, variant: "baseline", rollout: { rollout: "r1", arm: "baseline", share: 0.1 } } as const;
    const { client, assignments } = aClient({
      route: { candidate: { ...candidate, rollout: "r1" } },
      canary: { version: 2, layout, share: 1, salt: "s", rollout: "r2" },
    });
    expect(await client.routes.forTicket("implement", "T-1", begun)).toMatchObject(begun);
    expect(await client.routes.forTicket("implement", "T-1")).toMatchObject(begun);
    const prompt = { version: 1, variant: "baseline", rollout: { rollout: "r2", arm: "baseline", share: 0.2 } } as const;
    expect(await client.prompts.forTicket("implement", "T-1", prompt)).toMatchObject(prompt);
    await client.admit(ask);
    expect(assignments()).toEqual([["/api/admissions", [begun.rollout, prompt.rollout]]]);
  });

  it("puts a ticket whose saved work names no rollout into none", async () => {
    const { client, assignments } = aClient({
      route: { candidate: { ...candidate, rollout: "r1" } },
      canary: { version: 2, layout, share: 1, salt: "s", rollout: "r2" },
    });
    await client.routes.forTicket("implement", "T-1", { ...baseline, variant: "baseline" });
    await client.prompts.forTicket("implement", "T-1", 1);
    await client.admit(ask);
    expect(assignments()).toEqual([["/api/admissions", undefined]]);
  });

  it("sends what the application says of a ticket instead", async () => {
    const { client, assignments } = aClient({ route: { candidate: { ...candidate, rollout: "r1" } } });
    await client.routes.forTicket("implement", "T-1");
    const own = [{ rollout: "r9", arm: "canary" as const }];
    await client.admit({ ...ask, assignments: own });
    expect(assignments()).toEqual([["/api/admissions", own]]);
  });

  it("says how good an ended ticket was, and whether a rollout counts it", async () => {
    const { client, sent, state } = aClient({});
    expect(await client.reportQuality("T/1", { quality: 0.5, reason: "half of it" })).toBe(true);
    expect(sent).toEqual([{ path: "/api/tickets/T%2F1/quality", body: { quality: 0.5, reason: "half of it" } }]);
    for (state.status of [404, 409]) expect(await client.reportQuality("T-1", { quality: 1, reason: "x" })).toBe(false);
    state.status = 400;
    await expect(client.reportQuality("T-1", { quality: 7, reason: "x" })).rejects.toMatchObject({ name: "Refused" });
    state.status = 503;
    await expect(client.reportQuality("T-1", { quality: 1, reason: "x" })).rejects.toMatchObject({ name: "Unreachable" });
  });
});

describe("what tickets are in", () => {
  it("is the first assignment to a rollout, and the newest five rollouts", () => {
    const rollouts = createTicketRollouts();
    for (let nth = 0; nth < 7; nth += 1) rollouts.remember("T-1", { rollout: `r${nth}`, arm: "canary" });
    rollouts.remember("T-1", { rollout: "r6", arm: "baseline" });
    expect(rollouts.attach({ ticketId: "T-1" })).toEqual({
      ticketId: "T-1",
      assignments: ["r2", "r3", "r4", "r5", "r6"].map((rollout) => ({ rollout, arm: "canary" })),
    });
  });

  it("forgets the tickets that were not assigned for longest", () => {
    const rollouts = createTicketRollouts();
    for (let nth = 0; nth <= 10_000; nth += 1) rollouts.remember(`T-${nth}`, canary);
    expect(rollouts.attach({ ticketId: "T-0" })).toEqual({ ticketId: "T-0" });
    expect(rollouts.attach({ ticketId: "T-1" })).toEqual({ ticketId: "T-1", assignments: [canary] });
  });
});
