import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { type HttpHarness, startHttp } from "../../../test/servers/http-harness.ts";
import { consolePages, consolePolicy, createConsoleFiles } from "./console-files.ts";

const script = "export const answer = 42;\n".repeat(50);
let folder: string;
let http: HttpHarness;

async function writeBuild(shell: string, name = "main-AB12.js") {
  await writeFile(join(folder, "shell.html"), shell);
  await writeFile(join(folder, name), script);
  await writeFile(join(folder, `${name}.br`), brotliCompressSync(script));
  await writeFile(join(folder, `${name}.gz`), gzipSync(script));
  const files = [{ path: `/console/${name}`, file: name, type: "text/javascript", bytes: script.length }];
  await writeFile(join(folder, "manifest.json"), JSON.stringify({ shell: "shell.html", files }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "rb-console-"));
  await writeBuild("<!doctype html>first");
  http = await startHttp({ console: createConsoleFiles(folder) });
});
afterAll(async () => {
  await http[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** As it was sent: fetch would decompress it. */
async function raw(path: string, headers: Record<string, string> = {}, method = "GET") {
  return new Promise<{ status: number; headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
    const request = get(`${http.url}${path}`, { headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }));
    });
    request.on("error", reject);
  });
}

describe("a page", () => {
  it.each(consolePages.map((path) => path.replace("{id}", "01M8%2F..%3Cx%3E")))(
    "at %s is the shell under a strict policy",
    async (path) => {
      const { status, headers, body } = await raw(`${path}?state=running`);
      expect([status, body.toString()]).toEqual([200, "<!doctype html>first"]);
      expect(headers).toMatchObject({
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": consolePolicy,
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
      });
    },
  );

  it.each([
    "/api",
    "/api/nothing",
    "/api/runs",
    "/webhooks/alertmanager",
    "/healthz",
    "/nothing",
    "/runs/a/b",
    "/runs/",
    "/console/",
    "/console/shell.html",
  ])("is not at %s", async (path) => {
    expect((await raw(path)).body.toString()).not.toContain("doctype");
  });

  it("answers HEAD without a body, and no other method", async () => {
    const { status, headers, body } = await raw("/runs", {}, "HEAD");
    expect([status, headers["content-length"], body.length]).toEqual([200, "20", 0]);
    for (const method of ["POST", "PUT", "DELETE"]) expect((await raw("/runs", {}, method)).status).toBe(404);
  });

  it("is not sent again to who has it, and is when a new version was built", async () => {
    const { etag } = (await raw("/")).headers;
    const again = await raw("/", { "if-none-match": String(etag) });
    expect([again.status, again.body.length, again.headers["content-security-policy"]]).toEqual([304, 0, consolePolicy]);
    await writeBuild("<!doctype html>second", "main-CD34.js");
    await utimes(join(folder, "manifest.json"), new Date(), new Date(0));
    expect((await raw("/", { "if-none-match": String(etag) })).body.toString()).toBe("<!doctype html>second");
    expect((await raw("/console/main-CD34.js")).status).toBe(200);
    await writeBuild("<!doctype html>first");
  });

  it("says so where the console was not built", async () => {
    await using bare = await startHttp({ console: createConsoleFiles(join(folder, "nothing")) });
    const response = await fetch(`${bare.url}/runs/1`);
    expect([response.status, await response.text()]).toEqual([404, expect.stringContaining("npm run build")]);
  });

  it("stays while a build that cannot be read whole takes its place", async () => {
    await raw("/");
    await writeFile(join(folder, "manifest.json"), '{"shell":');
    expect((await raw("/")).body.toString()).toBe("<!doctype html>first");
    await writeBuild("<!doctype html>first");
  });
});

describe("a file of the build", () => {
  const path = "/console/main-AB12.js";

  it.each([
    ["br, gzip", "br"],
    ["gzip, deflate", "gzip"],
    ["gzip, br;q=0", "gzip"],
    ["BR;q=0.5", "br"],
    ["identity", undefined],
    [undefined, undefined],
  ])("is sent to a client that accepts %s as %s", async (accepted, encoding) => {
    await raw("/");
    const { status, headers, body } = await raw(path, accepted === undefined ? {} : { "accept-encoding": accepted });
    const plain = encoding === "br" ? brotliDecompressSync(body) : encoding === "gzip" ? gunzipSync(body) : body;
    expect([status, headers["content-encoding"], plain.toString()]).toEqual([200, encoding, script]);
    expect(headers).toMatchObject({
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      vary: "Accept-Encoding",
    });
  });

  it.each([
    "/console/../shell.html",
    "/console/%2e%2e/shell.html",
    "/console/manifest.json",
    "/console/main-AB12.js.br",
    "/console/main-AB12.js/",
  ])("is not at %s", async (other) => {
    expect((await raw(other)).status).toBe(404);
  });
});
