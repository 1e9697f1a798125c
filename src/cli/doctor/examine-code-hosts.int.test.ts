import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "@jest/globals";
import { startGitHub } from "../../../demo/simulators/github-server/github-server.ts";
import { aBareOrigin } from "../../../test/servers/bare-origin.ts";
import { createSystemClock } from "../../core/clock.ts";
import { loadConfig } from "../../platform/config/load-config.ts";
import { examineCodeHosts } from "./examine-code-hosts.ts";

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), "runbookd-doctor-")));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const context = { clock: createSystemClock(), env: { PATH: process.env["PATH"] }, signal: new AbortController().signal };

function configOf(yaml: string, env: { readonly [name: string]: string } = {}) {
  const loaded = loadConfig({ env, yaml, readFile: () => "" });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.faults));
  return loaded.config;
}

it("says nothing when no feature names where its code is", async () => {
  expect(await examineCodeHosts(configOf("features: { export: {} }"), context)).toEqual([]);
});

it("reads every repository once, and says what cannot be read", async () => {
  const origin = aBareOrigin(root);
  origin.commit("hotfix/export", { a: "1" });
  const yaml = `
features:
  export: { repository: acme/desk, code_host: git }
  import: { repository: acme/desk, code_host: git }
  search: { repository: acme/search, code_host: git }
git_repositories:
  acme/desk: { path: ${origin.path} }
  acme/search: { path: ${join(root, "nothing")} }
`;
  expect(await examineCodeHosts(configOf(yaml), context)).toMatchObject([
    { name: "Code host", verdict: "ok", detail: "acme/desk can be read; open changes on branches hotfix/*: 1" },
    { name: "Code host", verdict: "fault", fix: expect.stringContaining("git_repositories") },
  ]);
});

it("asks GitHub with our token, which is in no message, and changes nothing there", async () => {
  const origin = aBareOrigin(root);
  const token = "github_pat_of_a_test";
  await using github = await startGitHub({ token, repositories: [{ name: "acme/desk", private: true, path: origin.path }] });
  const yaml = "features: { export: { repository: acme/desk, code_host: github } }";
  const examined = async (given: string) => examineCodeHosts(configOf(yaml, { GITHUB_TOKEN: given, GITHUB_API_URL: github.url }), context);
  expect(await examined(token)).toMatchObject([{ verdict: "ok" }]);
  const refused = await examined("github_pat_of_another");
  expect(refused).toMatchObject([{ verdict: "fault", detail: expect.stringContaining("renew GITHUB_TOKEN") }]);
  expect(JSON.stringify(refused)).not.toContain("github_pat_of_another");
  expect(github.requests.filter(({ method }) => method !== "GET")).toEqual([]);
});
