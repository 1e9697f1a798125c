import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemRandom } from "../../src/core/random.ts";
import type { DemoFolder } from "../demo-folder.ts";
import type { DemoOptions } from "../demo-options.ts";
import { findProgram } from "../find-program.ts";
import { freePorts } from "../free-ports.ts";
import { type GitHubServer, startGitHub } from "../simulators/github-server/github-server.ts";
import type { GitHubWorkflow } from "../simulators/github-server/github-workflows.ts";
import { runTests } from "../ticket/run-tests.ts";
import { checkOutCommit } from "./check-out-commit.ts";
import { type DeskRepository, makeDeskRepository } from "./desk-repository.ts";
import { putIntoService } from "./release-client.ts";

/** Name of the feature, of its flag and of its prompt. */
export const exportFeature = "export";
/** The budget that its tickets are paid from. */
export const deskBudget = "desk";
/** The repository, as GitHub and runbookd name it. */
export const deskRepositoryName = "acme/desk";
/** The model that exports tickets. */
export const deskModelName = "claude-haiku-4-5";

const processes = 3;

/** Where everything of the application is. */
export interface DeskPlaces {
  readonly git: string;
  readonly repository: DeskRepository;
  readonly github: GitHubServer;
  /** Where GitHub sends its events; its address is set when runbookd listens. */
  readonly webhook: { url: string; readonly secret: string };
  readonly supervisorPort: number;
  readonly listenerPort: number;
  readonly ports: readonly number[];
  readonly honeytoken: string;
  readonly customersLog: string;
  readonly listenerLog: string;
  readonly supervisorLog: string;
  /** Folder for the releases. */
  readonly releases: string;
  /** File of the recorded attacks, which is written when the application is up. */
  readonly corpus: string;
}

/** Where one process says what it runs. */
export function versionUrlOf(port: number): string {
  return `http://127.0.0.1:${port}/version`;
}

/** Makes the repository, the corpus of attacks and a GitHub, and chooses ports and files for the application. */
export async function makeDeskPlaces(folder: DemoFolder): Promise<DeskPlaces> {
  const git = findProgram("git");
  const random = createSystemRandom();
  const [supervisorPort, listenerPort, ...ports] = await freePorts(2 + processes);
  if (supervisorPort === undefined || listenerPort === undefined) throw new Error("Too few free ports.");
  const repository = await makeDeskRepository(folder.work, git);
  const releases = join(folder.work, "releases");
  await mkdir(releases, { recursive: true });
  const corpus = join(folder.root, "security", "attacks");
  await mkdir(corpus, { recursive: true });
  const logs = {
    customersLog: folder.evidence,
    listenerLog: join(folder.work, "listener.jsonl"),
    supervisorLog: join(folder.work, "releases.jsonl"),
  };
  for (const file of Object.values(logs)) await writeFile(file, "");
  const webhook = { url: "http://127.0.0.1:9/", secret: random.token() };
  const { origin } = repository;
  const workflows = workflowsOf({ git, origin, supervisor: `http://127.0.0.1:${supervisorPort}` });
  const repositories = [{ name: deskRepositoryName, private: true, path: origin }];
  // The hole is there while a report may go to every address.
  const stillFound = (_alert: object, sha: string) =>
    !execFileSync(git, ["-C", origin, "show", `${sha}:src/tools.js`], { encoding: "utf8" }).includes("allowed.has(input.url)");
  const github = await startGitHub({ repositories, token: githubToken, webhook, workflows, stillFound, maxPerPage: 1 });
  Object.assign(github.quirks, { fixedOnlyAfterAnalysis: true, mergeableNullLooks: 2, dispatchAnswer: "bare", runsListedLate: 1 });
  return {
    git,
    repository,
    github,
    webhook,
    supervisorPort,
    listenerPort,
    ports,
    honeytoken: random.bytes(16).toString("hex"),
    releases,
    corpus: join(corpus, `${exportFeature}.yml`),
    ...logs,
  };
}

const githubToken = "github_pat_of_the_demo";
const workflowFiles = { tests: "test.yml", deployment: "deploy.yml" } as const;

interface Runner {
  readonly git: string;
  readonly origin: string;
  readonly supervisor: string;
}

/** What GitHub's runners do: the tests of one commit, and its deployment. */
function workflowsOf({ git, origin, supervisor }: Runner): Readonly<Record<string, GitHubWorkflow>> {
  return {
    async [workflowFiles.tests]({ sha, key }) {
      const folder = await mkdtemp(join(tmpdir(), "desk-tests-"));
      try {
        const place = join(folder, "desk");
        await checkOutCommit({ git, origin, sha, folder: place });
        const { ok, passed, failed, skipped } = await runTests(place);
        const description = `passed=${passed} failed=${failed} skipped=${skipped}`;
        return { conclusion: ok ? "success" : "failure", status: { context: `runbookd/${key}`, description } };
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async [workflowFiles.deployment]({ sha, key }) {
      const isInService = await putIntoService({ supervisor, key, sha }).then(
        () => true,
        () => false,
      );
      return { conclusion: isInService ? "success" : "failure" };
    },
  };
}

/** The environment of server and worker that only this scenario sets. */
export function deskSettings({ github, webhook, ports }: DeskPlaces): Readonly<Record<string, string>> {
  return {
    GITHUB_TOKEN: githubToken,
    GITHUB_API_URL: github.url,
    GITHUB_WEBHOOK_SECRET: webhook.secret,
    RUNBOOKD_HTTP_ALLOW: ports.map((port) => `http://127.0.0.1:${port}`).join(","),
  };
}

/** What the folder of the built programs and the model server are. */
export interface CommandPlaces {
  readonly programs: string;
  readonly modelUrl: string;
}

/** The text of `runbookd.yml`: the feature, and the commands that test, deploy and attack one commit. */
export function deskConfig(places: DeskPlaces, { programs, modelUrl }: CommandPlaces, { codeHost }: Pick<DemoOptions, "codeHost">): string {
  const { git, repository, supervisorPort, ports } = places;
  const { PATH = "" } = process.env;
  const env = {
    PATH,
    COMMAND_GIT: git,
    COMMAND_ORIGIN: repository.origin,
    COMMAND_SUPERVISOR: `http://127.0.0.1:${supervisorPort}`,
    COMMAND_DEPLOYED: versionUrlOf(ports[0] ?? 0),
    COMMAND_MODEL_URL: modelUrl,
    COMMAND_MODEL: deskModelName,
  };
  const commit = { pattern: "[0-9a-f]{40}" };
  const key = { pattern: "[A-Za-z0-9:._-]{1,200}" };
  // Each may run twice: the process manager begins a release of the same key once.
  const command = (program: string, args: Readonly<Record<string, object>>) => ({
    argv: [process.execPath, join(programs, `${program}.js`), ...Object.keys(args).map((name) => `{${name}}`)],
    args,
    env,
    timeout: "5m",
    effect: "set",
    target: `repository/${deskRepositoryName}`,
  });
  return JSON.stringify(
    {
      github: { repositories: [deskRepositoryName], alerts: ["code-scanning", "dependabot", "advisories"] },
      git_repositories: { [deskRepositoryName]: { path: repository.origin, main: "main" } },
      commands: {
        "test-desk": command("test-commit", { sha: commit }),
        "deploy-desk": command("deploy-commit", { sha: commit, key }),
        "attack-desk": command("attack-commit", { file: { pattern: "/.{1,500}" } }),
      },
      features: {
        [exportFeature]: {
          flags: [exportFeature],
          budgets: [deskBudget],
          repository: deskRepositoryName,
          paths: ["."],
          probe: { url: `http://127.0.0.1:${ports[0]}/trial`, refused_by: [403] },
          code_host: codeHost,
          ...(codeHost === "github"
            ? { tests: { workflow: workflowFiles.tests }, deployment: { workflow: workflowFiles.deployment } }
            : { tests: { command: "test-desk" }, deployment: { command: "deploy-desk" } }),
          version_urls: ports.map(versionUrlOf),
          attacks: { command: "attack-desk" },
          exposure: "customers",
          data: "personal",
          // Without an unknown fact this is high: that nothing is known of the vector makes it critical.
          agency: { power: "high-leverage", environment: "connected", predictability: "opaque", systemic: "significant" },
        },
      },
    },
    undefined,
    2,
  );
}
