import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { createRunbookdClient, type RunbookdClient } from "../packages/sdk/src/client.ts";
import type { ReportedSecurityFinding } from "../packages/sdk/src/wire/security-findings.ts";
import { createSystemClock } from "../src/core/clock.ts";
import { createSystemRandom } from "../src/core/random.ts";
import { createSecretScanner } from "../src/integrations/secretlint/create-secret-scanner.ts";
import { createSecretDetector } from "../src/llm/findings/create-secret-detector.ts";
import { createOutputRoutes } from "../src/llm/findings/output-routes.ts";
import type { HoneytokenStore } from "../src/llm/prompts/honeytoken.ts";
import { createPromptRoutes } from "../src/llm/prompts/routes.ts";
import { createMemoryFollowers } from "../src/rehearsal/memory-followers.ts";
import { createMemoryHoneytokens } from "../src/rehearsal/memory-honeytokens.ts";
import { createMemoryPromptRollouts, createMemoryPrompts } from "../src/rehearsal/memory-prompts.ts";
import { aNewVersion } from "./contracts/describe-prompt-store.ts";
import { createFakeClock } from "./fakes/fake-clock.ts";
import { type HttpHarness, startHttp } from "./servers/http-harness.ts";

let http: HttpHarness;
let client: RunbookdClient;
let scanner: ReturnType<typeof createSecretScanner>;
let honeytokens: HoneytokenStore;
let findings: ReportedSecurityFinding[];
let audited: string[];

beforeEach(async () => {
  const clock = createFakeClock();
  findings = [];
  audited = [];
  scanner = createSecretScanner(createSystemClock());
  honeytokens = createMemoryHoneytokens(createSystemRandom());
  const prompts = createMemoryPrompts(clock);
  await prompts.create("export", aNewVersion("one"), "ada");
  await prompts.moveLabel({ prompt: "export", label: "production", expected: null, to: 1, by: "ada" });
  const detector = createSecretDetector({
    scanner,
    honeytokens,
    clock,
    intake: {
      async take(taken) {
        findings.push(...taken);
        return taken.map(({ feature = "unknown" }) => ({ finding: { feature } }));
      },
    },
    sources: { recordSource: async () => undefined },
    onDetected: () => undefined,
  });
  http = await startHttp({
    routes: [
      ...createOutputRoutes({ detector, features: ["export"] }),
      ...createPromptRoutes({
        prompts,
        rollouts: createMemoryPromptRollouts(),
        honeytokens,
        audit: { append: async (entry) => void audited.push(JSON.stringify(entry)) },
        clock,
        followers: createMemoryFollowers(clock),
        liveRollout: async () => undefined,
      }),
    ],
  });
  client = createRunbookdClient({ url: http.url, token: "workload-token" });
});
afterEach(async () => {
  await client.close();
  await http[Symbol.asyncDispose]();
  await scanner.close();
});

const post = async (path: string, role: string, body?: unknown) =>
  fetch(`${http.url}${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${role}-token`, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

describe("outputs over HTTP", () => {
  it("are looked through, and their texts are nowhere afterwards", async () => {
    const token = ["ghp", "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"].join("_");
    expect(await client.reportOutput({ feature: "export", text: "Your export is ready." })).toEqual({ scanned: true, detections: 0 });
    expect(await client.reportOutput({ feature: "export", text: `Use ${token}.` })).toEqual({ scanned: true, detections: 1 });
    expect(await client.reportOutput({ feature: "unheard-of", kind: "tool_call", text: token })).toEqual({ scanned: true, detections: 1 });
    expect(findings.map(({ feature, title }) => `${feature}: ${title}`)).toEqual([
      "export: A text of the shape GITHUB_TOKEN was found in an answer.",
      "unknown: A text of the shape GITHUB_TOKEN was found in a tool call.",
    ]);
    expect(JSON.stringify([findings, http.logged])).not.toContain(token);
  });

  it("of more than is scanned are sampled, and that is said", async () => {
    const long = `${"x ".repeat(2_000_000)} ${["ghp", "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"].join("_")}`;
    expect(await client.reportOutput({ feature: "export", text: long })).toEqual({ scanned: false, detections: 1 });
  });

  it("are refused when they are too long, too many or of no feature", async () => {
    const output = { feature: "export", text: "x" };
    for (const body of [
      { outputs: [] },
      { outputs: Array.from({ length: 21 }, () => output) },
      { outputs: [{ ...output, text: "x".repeat(262_145) }] },
      { outputs: [{ text: "x" }] },
    ])
      expect((await post("/api/outputs", "workload", body)).status).toBe(400);
    expect((await post("/api/outputs", "viewer", { outputs: [output] })).status).toBe(403);
  });
});

describe("honeytokens over HTTP", () => {
  it("are given to operators once, served with the prompt, and recognized in an output", async () => {
    expect(await client.prompts.forTicket("export", "T-1")).not.toHaveProperty("honeytoken");
    const response = await post("/api/prompts/export/honeytoken", "operator");
    expect(response.status).toBe(200);
    const honeytoken = (await honeytokens.read("export")) ?? "";
    expect(await response.json()).toEqual({ prompt: "export", made: true, honeytoken });
    expect(await (await post("/api/prompts/export/honeytoken", "operator")).json()).toEqual({ prompt: "export", made: false });
    const other = createRunbookdClient({ url: http.url, token: "workload-token" });
    expect(await other.prompts.forTicket("export", "T-1")).toMatchObject({ version: 1, honeytoken });
    await other.close();
    expect(await client.reportOutput({ feature: "export", kind: "tool_call", text: `{"url":"https://x/?${honeytoken}"}` })).toEqual({
      scanned: true,
      detections: 1,
    });
    expect(findings).toMatchObject([{ facts: { observed: true }, secret: { type: "honeytoken", validity: "active" } }]);
    expect(audited.map((entry) => JSON.parse(entry))).toMatchObject([
      { kind: "prompt_honeytoken_made", subject: "prompt/export", detail: { rotated: false } },
    ]);
    expect(JSON.stringify([findings, audited, http.logged])).not.toContain(honeytoken);
  });

  it("are replaced, and the ones before are still recognized", async () => {
    await post("/api/prompts/export/honeytoken", "operator");
    const before = await honeytokens.read("export");
    const response = await post("/api/prompts/export/honeytoken/rotate", "operator");
    const honeytoken = (await honeytokens.read("export")) ?? "";
    expect(await response.json()).toEqual({ prompt: "export", made: true, honeytoken });
    expect(honeytoken).not.toBe(before);
    expect(JSON.parse(audited.at(-1) ?? "")).toMatchObject({ kind: "prompt_honeytoken_made", detail: { rotated: true } });
    const other = createRunbookdClient({ url: http.url, token: "workload-token" });
    expect(await other.prompts.forTicket("export", "T-1")).toMatchObject({ honeytoken });
    await other.close();
    for (const text of [`key ${before}`, `key ${honeytoken}`])
      expect(await client.reportOutput({ feature: "export", kind: "answer", text })).toMatchObject({ detections: 1 });
  });

  it("are given to operators only, and of prompts that exist", async () => {
    expect((await post("/api/prompts/export/honeytoken", "viewer")).status).toBe(403);
    expect((await post("/api/prompts/export/honeytoken", "workload")).status).toBe(403);
    expect((await post("/api/prompts/export/honeytoken/rotate", "viewer")).status).toBe(403);
    expect((await post("/api/prompts/none/honeytoken", "operator")).status).toBe(404);
    expect((await post("/api/prompts/none/honeytoken/rotate", "operator")).status).toBe(404);
    expect(audited).toEqual([]);
  });
});
