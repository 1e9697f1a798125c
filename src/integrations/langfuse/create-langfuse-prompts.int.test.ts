import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createActionBench } from "../../../test/builders/action-bench.ts";
import { aNewVersion, describePromptStore } from "../../../test/contracts/describe-prompt-store.ts";
import { createFakeClock } from "../../../test/fakes/fake-clock.ts";
import { createRecordedLog, type RecordedLog } from "../../../test/fakes/recorded-log.ts";
import { type LangfuseServer, startLangfuse } from "../../../test/servers/langfuse-server.ts";
import { createActions } from "../../app/action-registry.ts";
import { createSystemClock } from "../../core/clock.ts";
import { StoreUnavailable } from "../../core/store-unavailable.ts";
import type { PromptStore } from "../../llm/prompts/prompt.ts";
import { createPromptShare } from "../../llm/prompts/prompt-share.ts";
import { type BoundedSender, createBoundedSender, defaultRequestLimits } from "../../platform/requests/bounded-request.ts";
import { createMemoryFollowers } from "../../rehearsal/memory-followers.ts";
import { createLangfusePrompts } from "./create-langfuse-prompts.ts";

const keys = { publicKey: "pk-lf-test", secretKey: "sk-lf-test" };
const basic = (secret: string) => `Basic ${Buffer.from(`${keys.publicKey}:${secret}`).toString("base64")}`;

let server: LangfuseServer;
let sender: BoundedSender;
let log: RecordedLog;

const storeOf = (secret = keys.secretKey): PromptStore =>
  createLangfusePrompts(sender, { url: server.url, headers: { authorization: basic(secret) } }, { clock: createFakeClock(), log });

beforeEach(async () => {
  server = await startLangfuse(keys);
  log = createRecordedLog();
  sender = createBoundedSender(defaultRequestLimits, { clock: createSystemClock() });
});
afterEach(async () => {
  await sender.close();
  await server[Symbol.asyncDispose]();
});

describePromptStore("Langfuse", async () => storeOf(), { removes: false });

describe("Langfuse", () => {
  const move = { prompt: "implement", label: "production", expected: null, to: 1, by: "ada" } as const;

  async function twoVersions(): Promise<PromptStore> {
    const store = storeOf();
    await store.create("implement", aNewVersion("one"), "ada");
    await store.create("implement", aNewVersion("two"), "ada");
    return store;
  }

  it("shows people what a version says, and keeps what it has no place for", async () => {
    const store = await twoVersions();
    const response = await fetch(`${server.url}/api/public/v2/prompts/implement?version=2`, {
      headers: { authorization: basic(keys.secretKey) },
    });
    expect(await response.json()).toMatchObject({
      type: "chat",
      prompt: [
        { role: "system", content: "two" },
        { role: "user", content: "Ticket: {{ticket}}" },
      ],
      labels: ["latest"],
      config: { runbookd: { layout: { breakpoints: [{ afterLayer: "rules", ttl: "1h" }] } } },
    });
    expect((await store.read("implement"))?.labels).toEqual({});
  });

  it("reads what somebody has made in Langfuse as layers without markers", async () => {
    const post = async (body: object) =>
      fetch(`${server.url}/api/public/v2/prompts`, {
        method: "POST",
        headers: { authorization: basic(keys.secretKey), "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const messages = [
      { role: "user", content: "{{ticket}}" },
      { type: "placeholder", name: "history" },
      { role: "system", content: "Be brief." },
    ];
    await post({ name: "chat", type: "chat", prompt: messages, labels: ["production"], config: { temperature: 0 } });
    await post({ name: "folder/plain", prompt: "Say {{word}}." });
    expect(await storeOf().version("chat", 1)).toMatchObject({
      origin: "human",
      createdBy: "Langfuse",
      layout: {
        layers: [
          { key: "system_1", role: "system", stability: "static", render: "Be brief." },
          { key: "user_2", role: "user", stability: "ticket", render: "{{ticket}}" },
        ],
        breakpoints: [],
      },
    });
    expect(await storeOf().version("folder/plain", 1)).toMatchObject({ layout: { layers: [{ role: "user", render: "Say {{word}}." }] } });
    expect(await storeOf().read("chat")).toEqual({ name: "chat", latest: 1, labels: { production: 1 } });
  });

  it("undoes a promotion by giving the label back", async () => {
    const store = await twoVersions();
    await store.moveLabel(move);
    await store.moveLabel({ ...move, expected: 1, to: 2 });
    expect(await store.moveLabel({ ...move, expected: 2, to: 1 })).toEqual({ kind: "moved", before: 2, after: 1 });
    expect((await store.read("implement"))?.labels).toEqual({ production: 1 });
  });

  it("says that somebody else was faster instead of claiming the label", async () => {
    const store = await twoVersions();
    server.quirks.rivalLabels = 2;
    expect(await store.moveLabel(move)).toEqual({ kind: "conflict", present: 2 });
  });

  it("survives an answer that is lost after the label was moved: asking again finds it there", async () => {
    const store = await twoVersions();
    server.quirks.labelAnswerLost = true;
    await expect(store.moveLabel(move)).rejects.toThrow(StoreUnavailable);
    server.quirks.labelAnswerLost = false;
    expect(await store.moveLabel(move)).toEqual({ kind: "conflict", present: 1 });
    expect(await store.moveLabel({ ...move, expected: 1 })).toEqual({ kind: "moved", before: 1, after: 1 });
  });

  it("is unavailable while it limits us, and refuses wrong keys and what is no answer of it, without the keys in the words", async () => {
    const store = await twoVersions();
    server.quirks.rateLimited = 1;
    await expect(store.read("implement")).rejects.toThrow(StoreUnavailable);
    await expect(storeOf("wrong").read("implement")).rejects.toThrow("Langfuse refused GET  with 401.");
    server.quirks.proxyPage = true;
    await expect(store.read("implement")).rejects.toThrow("not one of its prompts");
    await server[Symbol.asyncDispose]();
    await expect(store.read("implement")).rejects.toThrow(StoreUnavailable);
    server = await startLangfuse(keys);
  });

  it("lists the prompts that it can read beside those that it cannot, and says which it leaves out", async () => {
    const store = await twoVersions();
    for (const name of ["alpha", "beta", "review"]) await store.create(name, aNewVersion(name), "ada");
    await store.moveLabel({ ...move, prompt: "beta" });
    server.quirks.oddPrompts = ["beta"];
    server.quirks.oddRows = [null, 7, { name: "odd", versions: "many", labels: [] }, { name: "odder", versions: [1], labels: [null] }];
    const names = async (page: { readonly after?: string; readonly limit: number }) => (await store.list(page)).map(({ name }) => name);
    expect(await names({ limit: 9 })).toEqual(["alpha", "implement", "review"]);
    // A page is full although one between was left out: the next one begins behind it.
    expect(await names({ limit: 2 })).toEqual(["alpha", "implement"]);
    expect(await names({ after: "implement", limit: 2 })).toEqual(["review"]);
    expect(log.lines[0]).toMatchObject({ level: "warn", fields: { count: 4, prompts: ["", "", "odd", "odder"] } });
    expect(log.lines[1]).toMatchObject({ level: "warn", fields: { prompt: "beta" } });
  });

  it("does not say of a prompt that it cannot read that there is none", async () => {
    const store = await twoVersions();
    server.quirks.oddRows = [{ name: "other", versions: [1], labels: [null] }];
    expect(await store.read("missing")).toBeUndefined();
    await expect(store.read("other")).rejects.toThrow("in a way that cannot be read");
    server.quirks.oddPrompts = ["implement"];
    expect(await storeOf().versions("implement", 5)).toEqual([]);
    await expect(storeOf().version("implement", 1)).rejects.toThrow("not one of its prompts");
  });

  it("lets a run deploy, promote and take everything back, although it cannot take a label away", async () => {
    const store = await twoVersions();
    await store.moveLabel(move);
    const bench = createActionBench();
    const followers = createMemoryFollowers(bench.clock);
    const prompt = createPromptShare({ prompts: store, rollouts: bench.ports.rollouts, followers });
    const actions = createActions({ ...bench.ports, prompts: store, shareControls: { prompt } });
    const bound = (name: string, parameters: object) => {
      const reply = actions.find(name)?.bind(parameters);
      if (reply?.ok !== true) throw new Error(`${name} cannot be bound.`);
      return reply.action;
    };
    const deploy = bound("deploy-canary", {
      prompt: "implement",
      provider: "anthropic",
      model: "opus-test",
      version: 2,
      predicted_hit: 0.9,
    });
    const promote = bound("promote-prompt", { prompt: "implement", version: 2 });
    const context = bench.context();
    const deployed = await deploy.plan(context);
    await deploy.run(deployed, context);
    expect((await store.read("implement"))?.labels).toEqual({ production: 1, canary: 2 });
    const promoted = await promote.plan(context);
    await promote.run(promoted, context);
    expect((await store.read("implement"))?.labels).toEqual({ production: 2, canary: 2 });
    await promote.undo?.(promoted, {}, context);
    const [rollout] = await bench.ports.rolloutStore.list();
    await deploy.undo?.(deployed, { rollout: rollout?.id ?? "" }, context);
    // The label stays where it was given; without a share nobody gets that version.
    expect((await store.read("implement"))?.labels).toEqual({ production: 1, canary: 2 });
    expect(await bench.ports.rollouts.read("implement")).toBeNull();
  });
});
