import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { describeKeySwitch } from "../../../test/contracts/describe-key-switch.ts";
import { type AnthropicKeysServer, startAnthropicKeys } from "../../../test/servers/anthropic-keys-server.ts";
import { createSystemClock } from "../../core/clock.ts";
import { StepFailure } from "../../core/failure.ts";
import { createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createAnthropicKeys } from "./create-anthropic-keys.ts";

const [active, other] = ["apikey_01Rj2N8SVvo6BePZj99NhmiT", "apikey_01Rj2N8SVvo6BePZj99NhmiU"];
const text = "sk-ant-api03-an-applications-key";

async function open() {
  const server = await startAnthropicKeys();
  server.keys.set(active, "active").set(other, "active");
  const sender = createBoundedSender({ ...defaultRequestLimits, maxBytes: 100_000 }, { clock: createSystemClock() });
  const { url, adminKey, quirks } = server;
  let isAway = false;
  return {
    server,
    sender,
    keys: createAnthropicKeys(sender, { baseUrl: url, apiKey: adminKey }),
    active,
    other,
    unknown: "apikey_0",
    secrets: [adminKey, text],
    forbid: () => void (quirks.readOnly = true),
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
      "is another server": () => void (quirks.wrongAddress = true),
      "answers for another key": () => void (quirks.mixedUp = true),
    },
    async [Symbol.asyncDispose]() {
      await sender.close();
      if (!isAway) await server[Symbol.asyncDispose]();
    },
  };
}

describeKeySwitch("Anthropic", open, [
  "is away",
  "answers a page",
  "answers something else",
  "leads elsewhere",
  "answers without an end",
  "is busy",
  "is another server",
  "answers for another key",
]);

describe("Anthropic", () => {
  let bench: Awaited<ReturnType<typeof open>>;
  let server: AnthropicKeysServer;
  beforeEach(async () => {
    bench = await open();
    ({ server } = bench);
  });
  afterEach(async () => {
    await bench[Symbol.asyncDispose]();
  });
  const failureOf = async (work: Promise<unknown>) => {
    const error = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (error instanceof StepFailure) return error.failure;
    throw new Error("Nothing was refused.");
  };

  it("sets a key to inactive, which a person can undo", async () => {
    await bench.keys.disable(active);
    expect(server.keys.get(active)).toBe("inactive");
  });

  it("takes no key out of the archive", async () => {
    for (const status of ["archived", "expired", "inactive"] as const) {
      server.keys.set(active, status);
      expect(await bench.keys.read(active)).toEqual({ id: active, state: "disabled" });
      expect(await bench.keys.disable(active)).toBe(true);
      expect(server.keys.get(active)).toBe(status);
    }
  });

  it("does not believe an acknowledgement that says that the key is active", async () => {
    server.quirks.ignored = true;
    expect(await failureOf(bench.keys.disable(active))).toMatchObject({ reason: "unknown_outcome", applied: "unknown" });
  });

  it("does not know whether it worked when the answer is lost, and finds it done when it is asked again", async () => {
    server.quirks.answerLost = true;
    expect(await failureOf(bench.keys.disable(active))).toMatchObject({ reason: "unknown_outcome", applied: "unknown" });
    expect(await bench.keys.disable(active)).toBe(true);
    expect(server.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
  });

  it("needs an Admin key", async () => {
    const keys = createAnthropicKeys(bench.sender, { baseUrl: server.url, apiKey: text });
    const failure = await failureOf(keys.read(active));
    expect(failure).toMatchObject({ reason: "refused_by_target", message: "Anthropic's Admin API answered 401; expected 200." });
  });

  it("is sent no key's text", async () => {
    for (const id of ["", text]) await failureOf(bench.keys.disable(id));
    expect(server.requests).toEqual([]);
  });
});
