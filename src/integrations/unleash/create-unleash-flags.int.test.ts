import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { describeFlagSwitch } from "../../../test/contracts/describe-flag-switch.ts";
import { anUnleashFeature, startUnleash, type UnleashServer } from "../../../test/servers/unleash-server.ts";
import { createSystemClock } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import type { FlagSwitch } from "../../llm/flags/flag-switch.ts";
import { type BoundedSender, createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createUnleashFlags } from "./create-unleash-flags.ts";

const [on, partly, off] = ["export-pdf", "summaries", "search"];

async function open() {
  const server = await startUnleash();
  server.features.set(on, anUnleashFeature(true));
  server.features.set(partly, anUnleashFeature(true, "50"));
  server.features.set(off, anUnleashFeature(false));
  const sender = createBoundedSender({ ...defaultRequestLimits, maxBytes: 100_000 }, { clock: createSystemClock() });
  const { url, adminToken, frontendToken } = server;
  const flags = createUnleashFlags(sender, { url, adminToken, frontendToken, project: "default", environment: "production" });
  const { quirks } = server;
  let isAway = false;
  return {
    server,
    sender,
    flags,
    on,
    partly,
    off,
    secrets: [adminToken, frontendToken],
    settle: async () => undefined,
    forbid: () => void (quirks.changeRequests = true),
    faults: {
      "is away": async () => {
        isAway = true;
        await server[Symbol.asyncDispose]();
      },
      "answers a page": () => void (quirks.fault = "html"),
      "answers something else": () => void (quirks.fault = "empty"),
      "leads elsewhere": () => void (quirks.fault = "moved"),
      "answers without an end": () => void (quirks.fault = "huge"),
      "is busy": () => void (quirks.fault = "busy"),
    },
    async [Symbol.asyncDispose]() {
      await sender.close();
      if (!isAway) await server[Symbol.asyncDispose]();
    },
  };
}

describeFlagSwitch("Unleash", open, [
  "is away",
  "answers a page",
  "answers something else",
  "leads elsewhere",
  "answers without an end",
  "is busy",
]);

describe("Unleash", () => {
  let bench: Awaited<ReturnType<typeof open>>;
  let server: UnleashServer;
  let sender: BoundedSender;
  let flags: FlagSwitch;
  beforeEach(async () => {
    bench = await open();
    ({ server, sender, flags } = bench);
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
  });
  const switchOff = async (key = on) => flags.setState({ key, state: "off", by: "run:01", reason: "a finding" });
  const failureOf = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof StepFailure) return error.failure;
    throw new Error("Nothing was refused.");
  };

  it("names the permission that it lacks, and nothing else of what Unleash says", async () => {
    server.quirks.readOnly = true;
    expect(await switchOff()).toEqual({
      kind: "refused",
      reason: "Unleash refuses: the token's account lacks UPDATE_FEATURE_ENVIRONMENT.",
    });
    server.quirks.readOnly = false;
    server.quirks.changeRequests = true;
    expect(await switchOff()).toMatchObject({ kind: "refused", reason: expect.stringMatching(/change request.*SKIP_CHANGE_REQUEST/) });
  });

  it("does not know whether it worked when the answer is lost, and finds it done when it is asked again", async () => {
    server.quirks.answerLost = true;
    expect(await failureOf(switchOff())).toMatchObject({ reason: "unknown_outcome", applied: "unknown" });
    server.quirks.answerLost = false;
    const posts = server.requests.filter((request) => request.startsWith("POST")).length;
    expect(await switchOff()).toMatchObject({ kind: "set", reading: { state: "off" } });
    expect(server.requests.filter((request) => request.startsWith("POST"))).toHaveLength(posts);
  });

  it("does not believe an acknowledgement without an effect", async () => {
    server.quirks.switchedBack = true;
    expect(await failureOf(switchOff())).toMatchObject({
      reason: "unknown_outcome",
      message: expect.stringContaining("afterwards says that it is on"),
    });
  });

  it("says what applications get, not what was set: they poll", async () => {
    await flags.evaluate(on, "ticket-1");
    server.quirks.staleFrontend = true;
    expect(await switchOff()).toMatchObject({ kind: "set" });
    expect(await flags.evaluate(on, "ticket-1")).toMatchObject({ value: true });
    server.refresh();
    expect(await flags.evaluate(on, "ticket-1")).toEqual({ value: false, reason: "DISABLED" });
  });

  it("tells a flag that is off from one that is on for others", async () => {
    const reasons = new Set<string | undefined>();
    for (let nth = 0; nth < 40; nth += 1) reasons.add((await flags.evaluate(partly, `ticket-${nth}`))?.reason);
    expect(reasons).toEqual(new Set(["TARGETING_MATCH", "DEFAULT"]));
    expect(await flags.evaluate(off, "ticket-1")).toEqual({ value: false, reason: "DISABLED" });
  });

  it("takes a 404 that is not Unleash's for no answer", async () => {
    server.quirks.wrongAddress = true;
    expect(await failureOf(flags.read(on))).toMatchObject({ reason: "refused_by_target", message: "Unleash answered 404; expected 200." });
    expect(await failureOf(switchOff())).toMatchObject({ reason: "refused_by_target" });
    server.quirks.wrongAddress = false;
    server.quirks.noFrontend = true;
    expect(await failureOf(flags.evaluate(off, "ticket-1"))).toMatchObject({
      message: "Unleash's Frontend API answered 404; expected 200.",
    });
  });

  it.each([
    ["the flag is deleted", (at: UnleashServer) => void at.features.delete(on), { kind: "unknown" }],
    ["a proxy comes in between", (at: UnleashServer) => void (at.quirks.wrongAddress = true), "refused_by_target"],
  ])("knows what a 404 means when %s while it is switched", async (_name, happen, end) => {
    const switching = switchOff().catch((error: unknown) => (error instanceof StepFailure ? error.failure.reason : error));
    while (server.requests.length === 0) await new Promise(setImmediate);
    happen(server);
    expect(await switching).toEqual(end);
    expect(server.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  });

  it("does not switch a flag that is in the archive", async () => {
    server.features.set(on, { ...anUnleashFeature(true), archived: true });
    expect(await switchOff()).toEqual({ kind: "refused", reason: "Unleash has archived the flag." });
  });

  it("sends each token alone, and to its own interface", async () => {
    const { url, adminToken, frontendToken } = server;
    const access = { url, adminToken, frontendToken, project: "default", environment: "production" };
    const swapped = createUnleashFlags(sender, { ...access, adminToken: frontendToken, frontendToken: adminToken });
    expect(await failureOf(swapped.read(on))).toMatchObject({ reason: "refused_by_target" });
    expect(await failureOf(swapped.evaluate(on, "ticket-1"))).toMatchObject({ reason: "refused_by_target" });
    const bearer = createUnleashFlags(sender, { ...access, adminToken: `Bearer ${adminToken}` });
    expect(await failureOf(bearer.read(on))).toMatchObject({ reason: "refused_by_target", message: "Unleash answered 401; expected 200." });
  });

  it("knows nothing in another environment", async () => {
    const { url, adminToken, frontendToken } = server;
    const elsewhere = createUnleashFlags(sender, {
      url,
      adminToken,
      frontendToken,
      project: "default",
      environment: "staging/../production",
    });
    expect(await elsewhere.read(on)).toBeUndefined();
    expect(await elsewhere.setState({ key: on, state: "off", by: "run:01", reason: "r" })).toEqual({ kind: "unknown" });
    expect(server.features.get(on)?.enabled).toBe(true);
  });
});
