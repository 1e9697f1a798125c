import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { describeKeySwitch } from "../../../test/contracts/describe-key-switch.ts";
import { type LiteLlmServer, startLiteLlm } from "../../../test/servers/litellm-server.ts";
import { createSystemClock } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import { createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createLiteLlmKeys } from "./create-litellm-keys.ts";

const [text, otherText] = ["sk-application-one-0123", "sk-application-two-0123"];

async function open() {
  const server = await startLiteLlm();
  const sender = createBoundedSender({ ...defaultRequestLimits, maxBytes: 100_000 }, { clock: createSystemClock() });
  const { url, masterKey, quirks } = server;
  let isAway = false;
  return {
    server,
    keys: createLiteLlmKeys(sender, { url, masterKey }),
    active: server.addKey(text),
    other: server.addKey(otherText),
    unknown: "0".repeat(64),
    secrets: [masterKey, text, otherText],
    forbid: () => void (quirks.notAdmin = true),
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
      "has no database": () => void (quirks.noDatabase = true),
      "is another server": () => void (quirks.wrongAddress = true),
    },
    async [Symbol.asyncDispose]() {
      await sender.close();
      if (!isAway) await server[Symbol.asyncDispose]();
    },
  };
}

describeKeySwitch("LiteLLM", open, [
  "is away",
  "answers a page",
  "answers something else",
  "leads elsewhere",
  "answers without an end",
  "is busy",
  "has no database",
  "is another server",
]);

describe("LiteLLM", () => {
  let bench: Awaited<ReturnType<typeof open>>;
  let server: LiteLlmServer;
  beforeEach(async () => {
    bench = await open();
    ({ server } = bench);
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
  });
  const accepted = () => [0, 1].map((worker) => server.isAccepted(worker, text));
  const failureOf = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof StepFailure) return error.failure;
    throw new Error("Nothing was refused.");
  };

  it("lets a worker serve a blocked key until its cache ends; disabling again reaches it earlier", async () => {
    expect(accepted()).toEqual([true, true]);
    await bench.keys.disable(bench.active);
    expect(accepted().filter(Boolean)).toHaveLength(1);
    // It says disabled although one worker does not know it: only the database is asked.
    expect(await bench.keys.read(bench.active)).toMatchObject({ state: "disabled" });
    expect(await bench.keys.isRefused(bench.active)).toBeUndefined();
    for (let again = 0; again < 2; again += 1) await bench.keys.disable(bench.active);
    expect(accepted()).toEqual([false, false]);
  });

  it("lets a request that is under way write the key back, for which disabling again is what helps", async () => {
    const ends = [0, 1].map((worker) => server.begin(worker, text));
    for (let again = 0; again < 4; again += 1) await bench.keys.disable(bench.active);
    expect(accepted()).toEqual([false, false]);
    for (const end of ends) end();
    expect(accepted()).toEqual([true, true]);
    for (let again = 0; again < 4; again += 1) await bench.keys.disable(bench.active);
    expect(accepted()).toEqual([false, false]);
    server.pass(61_000);
    expect(accepted()).toEqual([false, false]);
  });

  it("does not believe a block that its database does not hold", async () => {
    server.quirks.blockLost = true;
    expect(await failureOf(bench.keys.disable(bench.active))).toMatchObject({ reason: "unknown_outcome", applied: "unknown" });
  });

  it.each([false, true])("knows of a key that is gone, whatever it answers to blocking it (an audit log: %p)", async (hasLog) => {
    server.quirks.auditLogs = hasLog;
    expect(await bench.keys.disable(bench.unknown)).toBe(false);
    expect(server.requests.filter((request) => request.startsWith("/key/block"))).toEqual([]);
    // Between the two looks somebody deletes it.
    const disabling = bench.keys.disable(bench.active);
    while (!server.requests.some((request) => request.startsWith("/key/info?key=") && request.includes(bench.active)))
      await new Promise(setImmediate);
    server.remove(bench.active);
    expect(await disabling).toBe(false);
  });

  it("takes a wrong master key for a refusal, not for a key that is gone", async () => {
    const sender = createBoundedSender(defaultRequestLimits, { clock: createSystemClock() });
    const keys = createLiteLlmKeys(sender, { url: server.url, masterKey: "sk-wrong-0123456789" });
    expect(await failureOf(keys.read(bench.active))).toMatchObject({
      reason: "refused_by_target",
      message: "LiteLLM answered 401; expected 200.",
    });
    expect(await failureOf(keys.disable(bench.active))).toMatchObject({ reason: "refused_by_target" });
    await sender.close();
  });

  it.each([false, true])("reads a key that was never blocked as active (written out: %p)", async (written) => {
    server.quirks.neverNull = written;
    expect(await bench.keys.read(bench.active)).toMatchObject({ state: "active" });
  });

  it("is sent no key's text, and no request without a key", async () => {
    await bench.keys.disable(bench.active);
    for (const id of ["", text]) await failureOf(bench.keys.disable(id));
    expect(server.requests.join(" ")).not.toContain("sk-");
    expect(server.requests.every((request) => request.includes(bench.active))).toBe(true);
  });
});
