import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { createSystemClock } from "../src/core/clock.ts";
import { createSystemRandom } from "../src/core/random.ts";
import type { Role } from "../src/core/role.ts";
import { tokenFilePath } from "../src/platform/config/data-folder.ts";
import { createTokenFile } from "../src/platform/http/token-file.ts";
import { type RedisServer, startRedisServer } from "./servers/redis-server.ts";
import { aProductFolder, aWaitingRunbook, type ProductFolder, type RunningProduct, startProduct } from "./servers/running-product.ts";

/** What the documents tell people to run is run, as it stands there, against the product over a real Redis. */
const root = join(import.meta.dirname, "..");
const run = promisify(execFile);
let redis: RedisServer;
let folder: ProductFolder;
let product: RunningProduct;
let scratch: string;
const tokens = new Map<Role, string>();

beforeAll(async () => {
  redis = await startRedisServer();
  folder = await aProductFolder({ "wait.md": aWaitingRunbook("WaitAlert") });
  const file = createTokenFile(tokenFilePath(folder.path), { clock: createSystemClock(), random: createSystemRandom() });
  for (const role of ["workload", "operator"] as const) tokens.set(role, (await file.create(`a-${role}`, role)) ?? "");
  product = await startProduct(folder.path, { env: { REDIS_URL: `unix://${redis.socketPath}` }, worker: false });
  scratch = await mkdtemp(join(tmpdir(), "rb-snippets-"));
  await request("operator", "PUT", "/api/budgets/checkout", { limitMicroUsd: 10_000_000, periodMs: 3_600_000 });
}, 60_000);
afterAll(async () => {
  await product[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
  await redis[Symbol.asyncDispose]();
  await rm(scratch, { recursive: true, force: true });
});

async function request(role: Role, method: string, path: string, body?: unknown) {
  const response = await fetch(`${product.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens.get(role) ?? ""}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return Object(await response.json());
}

/** The fenced blocks of a document in one language. */
function snippetsOf(document: string, language: string): readonly string[] {
  const text = readFileSync(join(root, document), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, "gm"))].map(([, code = ""]) => code);
}

async function start(program: string, args: readonly string[]): Promise<string> {
  const env = { PATH: process.env["PATH"], RUNBOOKD_URL: product.url, RUNBOOKD_TOKEN: tokens.get("workload") };
  const { stdout } = await run(program, args, { env, cwd: scratch, timeout: 60_000 });
  return stdout;
}

const eventOf = async (id: string) =>
  (await request("operator", "GET", "/api/usage?limit=100")).items.find((event: { readonly id: string }) => event.id === id);

describe("docs/usage.md", () => {
  const cost = 1000 * 3 + 200 * 15;

  it("reports a request with curl", async () => {
    const [snippet = ""] = snippetsOf("docs/usage.md", "sh");
    const answer = JSON.parse(await start("sh", ["-euc", snippet]));
    expect(answer.results).toMatchObject([{ id: "msg_curl", result: "accepted", costMicroUsd: cost }]);
    expect(await eventOf("msg_curl")).toMatchObject({ costMicroUsd: cost });
  });

  it("reports a request with Node alone", async () => {
    const [snippet = ""] = snippetsOf("docs/usage.md", "js");
    const file = join(scratch, "report.mjs");
    await writeFile(file, snippet);
    expect(await start(process.execPath, [file])).toBe(`msg_node accepted ${cost} \n`);
    expect(await eventOf("msg_node")).toMatchObject({ costMicroUsd: cost });
  });

  it("reports a request with Python's standard library", async () => {
    const [snippet = ""] = snippetsOf("docs/usage.md", "python");
    expect(await start("python3", ["-I", "-c", snippet])).toBe(`msg_python accepted ${cost}\n`);
    expect(await eventOf("msg_python")).toMatchObject({ costMicroUsd: cost });
  });
});

describe.each(["README.md", "packages/sdk/README.md"])("%s", (document) => {
  it("asks before a turn and reports after it, through the client", async () => {
    const [snippet = ""] = snippetsOf(document, "ts");
    const id = `msg_${document.length}`;
    // What the snippet takes from the application around it.
    const program = `
      const token = process.env.RUNBOOKD_TOKEN;
      const [ticketId, turn, request] = ["GH-${document.length}", 0, {}];
      const saveAndStop = (reason) => { throw new Error(reason); };
      const usage = { input_tokens: 1000, output_tokens: 200 };
      const anthropic = { messages: { create: async () => ({ id: "${id}", model: "claude-sonnet-4-5-20250929", usage }) } };
      async function work() {
        ${snippet
          .replace(/^import \{ (\w+) \} from "@runbookd\/sdk";$/m, `const { $1 } = await import("${clientUrl}");`)
          .replace("http://127.0.0.1:9097", product.url)}
        await runbookd.close();
      }
      await work();`;
    const file = join(scratch, `client-${document.length}.mjs`);
    await writeFile(file, program);
    await start(process.execPath, [file]);
    expect(await eventOf(id)).toMatchObject({ costMicroUsd: 6000, ticketId: `GH-${document.length}` });
  });
});

/** As `npm run build:dev` built it. */
const clientUrl = pathToFileURL(join(root, "dist/packages/sdk/src/client.js")).href;
