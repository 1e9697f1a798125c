import { afterEach, describe, expect, it } from "@jest/globals";
import type { AlertKind, GitHubAlert } from "../../../demo/simulators/github-server/github-alerts.ts";
import { type GitHubServer, type GitHubServerOptions, startGitHub } from "../../../demo/simulators/github-server/github-server.ts";
import { describeSecuritySource, listAll } from "../../../test/contracts/describe-security-source.ts";
import { createFakeClock, type FakeClock } from "../../../test/fakes/fake-clock.ts";
import { createSystemClock } from "../../core/clock.ts";
import { type GitHubAlertKind, gitHubAlertKinds } from "../../core/github-alert-kinds.ts";
import type { SecuritySource } from "../../llm/findings/security-source.ts";
import { createBoundedSender } from "../../platform/requests/bounded-request.ts";
import { createGitHubClient, gitHubRequestLimits } from "./create-github-client.ts";
import { createGitHubSources } from "./create-github-sources.ts";

const token = "github_pat_0123456789abcdefghij";
const releases: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const release of releases.splice(0).toReversed()) await release();
});

interface Bench {
  readonly github: GitHubServer;
  readonly clock: FakeClock;
  readonly sources: readonly SecuritySource[];
  readonly source: (kind: GitHubAlertKind) => SecuritySource;
}

async function aBench(
  options: Partial<GitHubServerOptions> = {},
  {
    repositories = ["Acme/Desk"],
    kinds = gitHubAlertKinds,
    token: ours = token,
  }: { repositories?: string[]; kinds?: readonly GitHubAlertKind[]; token?: string } = {},
): Promise<Bench> {
  const clock = createFakeClock(Date.UTC(2026, 10, 30, 8));
  const github = await startGitHub({ token, repositories: [{ name: "acme/desk", private: true }], clock, ...options });
  const sender = createBoundedSender(gitHubRequestLimits, { clock: createSystemClock() });
  releases.push(
    async () => github[Symbol.asyncDispose](),
    async () => sender.close(),
  );
  const sources = createGitHubSources(createGitHubClient(sender, { apiUrl: github.url, token: ours }, clock), { repositories, kinds });
  const source = (kind: GitHubAlertKind) => {
    const found = sources.find(({ name }) => name === `github-${kind}`);
    if (found === undefined) throw new Error(`There is no source ${kind}.`);
    return found;
  };
  return { github, clock, sources, source };
}

const served: Readonly<Record<GitHubAlertKind, AlertKind>> = {
  "code-scanning": "code-scanning",
  "secret-scanning": "secret-scanning",
  dependabot: "dependabot",
  advisories: "security-advisories",
};

const closings: Readonly<Record<GitHubAlertKind, { readonly action: string; readonly members: GitHubAlert }>> = {
  "code-scanning": { action: "fixed", members: { state: "fixed" } },
  "secret-scanning": { action: "resolved", members: { state: "resolved", resolution: "revoked" } },
  dependabot: { action: "auto_dismissed", members: { state: "auto_dismissed" } },
  advisories: { action: "published", members: { state: "withdrawn" } },
};

for (const kind of gitHubAlertKinds)
  describeSecuritySource(`GitHub's ${kind}`, async () => {
    const { github, clock, source } = await aBench({ maxPerPage: 3, basePath: "/api/v3" });
    const numbers = new Map<string, number>();
    return {
      source: source(kind),
      secrets: [token, "sk-ant-made-up"],
      pageSize: 3,
      advance: (ms) => clock.advance(ms),
      now: () => clock.now(),
      async open() {
        const number = await github.open(served[kind]);
        const listed = await listAll(source(kind));
        const ref = listed.find(({ url }) => url?.endsWith(`/${number}`))?.ref ?? "";
        numbers.set(ref, number);
        return ref;
      },
      close: async (ref) => github.change(served[kind], { number: numbers.get(ref) ?? 0, ...closings[kind] }),
      blind: () => void (github.quirks.proxyPage = true),
    };
  });

const failure = async (source: SecuritySource, listing = {}): Promise<string> => {
  const error: unknown = await listAll(source, listing).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: "SourceUnreadable" });
  return error instanceof Error ? error.message : "";
};

describe("a source at GitHub", () => {
  it("is down where secret scanning is disabled: 404 is not a repository without secrets", async () => {
    const { github, source } = await aBench();
    github.quirks.secretScanningDisabled = true;
    expect(await failure(source("secret-scanning"))).toBe(
      'Acme/Desk: GitHub finds no secret scanning there (404): it is disabled, the repository does not exist, or the token lacks "Secret scanning alerts: read". GitHub says: Secret scanning is disabled on this repository.',
    );
    expect(await listAll(source("dependabot"))).toEqual([]);
  });

  it.each([
    ["forbidden", /does not let us read code scanning \(403\).*"Code scanning alerts: read"\. GitHub says: Code Security must be enabled/],
    ["unavailable", /answered 503 for code scanning/],
  ] as const)("is down where code scanning is %s", async (state, reason) => {
    const { github, source } = await aBench();
    github.quirks.codeScanning = state;
    expect(await failure(source("code-scanning"))).toMatch(reason);
  });

  it("is down with a token that GitHub refuses, and does not repeat it", async () => {
    const { source } = await aBench({}, { token: "github_pat_revoked_0123456789" });
    const reason = await failure(source("dependabot"));
    expect(reason).toBe("Acme/Desk: GitHub refuses the token (401); renew GITHUB_TOKEN. GitHub says: Bad credentials.");
  });

  it("lists the repositories that it can read before it says which it cannot", async () => {
    const { github, source } = await aBench({}, { repositories: ["acme/gone", "acme/desk"] });
    await github.open("dependabot");
    const seen: string[] = [];
    const listing = (async () => {
      for await (const { ref } of source("dependabot").list({ since: 0, whole: true, signal: new AbortController().signal }))
        seen.push(ref);
    })();
    await expect(listing).rejects.toThrow(/^acme\/gone: GitHub finds no Dependabot there/);
    expect(seen).toEqual(["acme/desk#1"]);
  });

  it("asks for nothing while a secondary limit lasts, and goes on behind it", async () => {
    const { github, clock, source, sources } = await aBench();
    await github.open("dependabot");
    github.quirks.secondaryLimit = { retryAfterS: 120 };
    expect(await failure(source("dependabot"))).toMatch(/limits our requests; nothing is asked before 2026-11-30T08:02:00\.000Z/);
    const asked = github.requests.length;
    github.quirks.secondaryLimit = undefined;
    await clock.advance(119_000);
    for (const one of sources) expect(await failure(one)).toMatch(/limits our requests/);
    expect(github.requests).toHaveLength(asked);
    await clock.advance(1000);
    expect(await listAll(source("dependabot"))).toHaveLength(1);
  });

  it("waits a minute behind a secondary limit that names no time, and until the hour is over behind the primary one", async () => {
    const { github, clock, source } = await aBench();
    github.quirks.secondaryLimit = {};
    expect(await failure(source("dependabot"))).toMatch(/before 2026-11-30T08:01:00/);
    github.quirks.secondaryLimit = undefined;
    await clock.advance(60_000);
    github.quirks.primaryLimitUntilS = Date.UTC(2026, 10, 30, 8, 40) / 1000;
    expect(await failure(source("dependabot"))).toMatch(/before 2026-11-30T08:40:00/);
    github.quirks.primaryLimitUntilS = undefined;
    await clock.advance(38 * 60_000);
    expect(await failure(source("dependabot"))).toMatch(/before 2026-11-30T08:40:00/);
  });

  it("asks for hidden secrets, and digests one that is shown all the same", async () => {
    const { github, source } = await aBench();
    await github.open("secret-scanning", { secret: "a made-up secret of many letters" });
    const [hidden] = await listAll(source("secret-scanning"));
    expect(hidden?.secret).toEqual({ type: "Anthropic API Key", validity: "active" });
    expect(github.requests.filter(({ path }) => path.includes("secret-scanning/alerts") && !path.includes("hide_secret=true"))).toEqual([]);
    github.quirks.secretsAlwaysShown = true;
    const [shown] = await listAll(source("secret-scanning"));
    expect(shown?.secret).toMatchObject({
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      last4: "ters",
    });
    expect(JSON.stringify(shown)).not.toContain("a made-up secret");
  });

  it("knows that a secret in a public repository is public", async () => {
    const { github, source } = await aBench({ repositories: [{ name: "acme/desk", private: false }] });
    await github.open("secret-scanning");
    expect((await listAll(source("secret-scanning")))[0]?.secret).toMatchObject({ public: true });
  });

  it("leaves a severity unknown that is null", async () => {
    const { github, source } = await aBench();
    await github.open("code-scanning");
    expect((await listAll(source("code-scanning")))[0]?.facts).toEqual({ sourceSeverity: "high" });
    github.quirks.nullSecuritySeverity = true;
    expect((await listAll(source("code-scanning")))[0]?.facts).toEqual({});
  });

  it("asks with the entity tag of the last listing, and reads again after one that broke off", async () => {
    const { github, clock, source } = await aBench({ maxPerPage: 1 });
    await github.open("dependabot");
    await clock.advance(1000);
    await github.open("dependabot");
    const incremental = { since: 0, whole: false } as const;
    const broken = source("dependabot").list({ ...incremental, signal: new AbortController().signal });
    for await (const finding of broken) if (finding.ref === "acme/desk#2") break;
    expect(await listAll(source("dependabot"), incremental)).toHaveLength(2);
    const before = github.requests.length;
    expect(await listAll(source("dependabot"), incremental)).toEqual([]);
    expect(github.requests.slice(before).map(({ status }) => status)).toEqual([304]);
    expect(await listAll(source("dependabot"))).toHaveLength(2);
  });

  it("reads only as far back as it must", async () => {
    const { github, clock, source } = await aBench({ maxPerPage: 1 });
    for (let count = 0; count < 5; count += 1) {
      await github.open("dependabot");
      await clock.advance(60_000);
    }
    const before = github.requests.length;
    expect(await listAll(source("dependabot"), { since: clock.now() - 90_000, whole: false })).toHaveLength(1);
    expect(github.requests.slice(before)).toHaveLength(2);
  });

  it("lists what is open although alerts close while it lists", async () => {
    const { github, clock, source } = await aBench({ maxPerPage: 1 });
    for (let count = 0; count < 4; count += 1) {
      await github.open("code-scanning");
      await clock.advance(1000);
    }
    const seen: string[] = [];
    for await (const { ref } of source("code-scanning").list({ since: 0, whole: true, signal: new AbortController().signal })) {
      if (seen.length === 0) await github.change("code-scanning", { number: 1, action: "fixed", members: { state: "fixed" } });
      seen.push(ref);
    }
    expect(seen).toEqual(["acme/desk#1", "acme/desk#2", "acme/desk#3", "acme/desk#4"]);
  });

  it("is down for an alert that cannot be read, and lists the others", async () => {
    const { github, source } = await aBench();
    await github.open("dependabot");
    github.quirks.oddAlerts = [{ number: 7 }, "nonsense"];
    const seen: string[] = [];
    const listing = (async () => {
      for await (const { ref } of source("dependabot").list({ since: 0, whole: true, signal: new AbortController().signal }))
        seen.push(ref);
    })();
    await expect(listing).rejects.toThrow("Acme/Desk: 2 of its alerts cannot be read (number 7, one without a number).");
    expect(seen).toEqual(["acme/desk#1"]);
  });

  it("sends its token to no other host: neither behind a redirect nor for a next page", async () => {
    const elsewhere = await aBench();
    const { github, clock, source } = await aBench({ maxPerPage: 1, basePath: "/api/v3" });
    github.quirks.movedTo = elsewhere.github.url;
    expect(await failure(source("dependabot"))).toBe(
      "Acme/Desk: It was renamed or moved (301); write its present name into github.repositories.",
    );
    github.quirks.movedTo = undefined;
    await github.open("dependabot");
    await clock.advance(1000);
    await github.open("dependabot");
    for (const address of [elsewhere.github.url, new URL("/other-service", github.url).href]) {
      github.quirks.nextPageAt = address;
      expect(await failure(source("dependabot"))).toBe("Acme/Desk: GitHub names a next page at another address, which was not asked.");
    }
    expect(elsewhere.github.requests).toEqual([]);
  });

  it("refuses to be made of nothing", async () => {
    await expect(aBench({}, { repositories: [] })).rejects.toThrow("at least one repository");
    await expect(aBench({}, { kinds: [] })).rejects.toThrow("at least one");
  });
});
