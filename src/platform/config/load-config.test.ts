import { describe, expect, it } from "@jest/globals";
import type { Config } from "./config.ts";
import { describeFaults } from "./config-fault.ts";
import { isLoopback, loadConfig } from "./load-config.ts";
import type { ConfigSources } from "./read-settings.ts";
import { configJsonSchema } from "./settings-schema.ts";

const token = "a-token-of-sixteen-characters";
const noFiles = (path: string): string => {
  throw new Error(`ENOENT ${path}`);
};

function load(sources: Partial<ConfigSources> = {}) {
  return loadConfig({ env: {}, readFile: noFiles, ...sources });
}

function config(sources: Partial<ConfigSources> = {}): Config {
  const loaded = load(sources);
  if (!loaded.ok) throw new Error(describeFaults(loaded.faults));
  return loaded.config;
}

function faults(sources: Partial<ConfigSources>) {
  const loaded = load(sources);
  return loaded.ok ? [] : loaded.faults;
}

describe("without any setting", () => {
  it("everything has a default that is safe on this machine", () => {
    expect(config()).toEqual({
      redis: { kind: "embedded" },
      replicas: 0,
      dataFolder: ".runbookd",
      host: "127.0.0.1",
      trustedProxies: [],
      port: 9097,
      metricsHost: "127.0.0.1",
      metricsPort: undefined,
      webhookTokens: [],
      publicUrl: undefined,
      prometheus: undefined,
      alertmanagers: [],
      gitHubWebhookSecrets: [],
      gitHub: undefined,
      gitHubAccess: undefined,
      gitRepositories: {},
      exploitation: { kevUrl: undefined, epssUrl: undefined },
      providers: {
        anthropic: { baseUrl: "https://api.anthropic.com", apiKey: undefined, adminKey: undefined },
        openai: { baseUrl: "https://api.openai.com/v1", apiKey: undefined, adminKey: undefined },
      },
      mail: { smtpUrl: undefined, from: undefined, groups: {}, targets: {} },
      runbooks: "runbooks",
      attacks: "security/attacks",
      httpAllow: [],
      concurrency: 10,
      maxBudgets: 2000,
      usageRetention: { retentionMs: 35 * 86_400_000, maxBytes: 64 * 1024 * 1024 },
      usageDays: 2,
      unknownCostUsd: 0.05,
      findingDays: 400,
      graceMs: 60_000,
      freezeFile: undefined,
      ticketWork: undefined,
      logLevel: "info",
      guardrails: {},
      severities: {},
      protectedTargets: [],
      commands: [],
      features: [],
      priceTable: undefined,
      priceOverlay: undefined,
      modelTable: undefined,
      secrets: [],
      timeFactor: 1,
    });
  });
});

describe("settings that fit", () => {
  it("come from the environment, which wins over runbookd.yml", () => {
    const loaded = config({
      env: { RUNBOOKD_PORT: "1234", RUNBOOKD_CONCURRENCY: "", PROMETHEUS_URL: "http://prometheus:9090/" },
      yaml: "RUNBOOKD_PORT: 9999\nRUNBOOKD_CONCURRENCY: 3\nRUNBOOKD_METRICS_PORT: 0\n",
    });
    expect(loaded).toMatchObject({
      port: 1234,
      concurrency: 3,
      metricsPort: 0,
      prometheus: { url: "http://prometheus:9090", headers: {} },
    });
  });

  it("hold structures in runbookd.yml, with credentials read from files", () => {
    const yaml = [
      "PROMETHEUS_URL: http://prometheus:9090",
      "ALERTMANAGER_URL: http://a:9093,http://b:9093",
      "prometheus: { headers: { X-Scope-OrgID: team-a }, bearer_token_file: /run/token }",
      "alertmanager: { username: runbookd, password_file: /run/password, ca_file: /run/ca }",
      "mail_groups: { owners: [ann@example.com, bob@example.com] }",
      "guardrails: { runs_per_hour: 3 }",
      "severities: { page: critical, P2: warning }",
    ].join("\n");
    const files: Readonly<Record<string, string>> = { "/run/token": "prom-secret\n", "/run/password": "am-secret\n", "/run/ca": "PEM" };
    const loaded = config({ yaml, readFile: (path) => files[path] ?? noFiles(path) });
    expect(loaded.prometheus).toEqual({
      url: "http://prometheus:9090",
      headers: { "X-Scope-OrgID": "team-a", authorization: "Bearer prom-secret" },
      ca: undefined,
    });
    expect(loaded.alertmanagers).toEqual(
      ["http://a:9093", "http://b:9093"].map((url) => ({
        url,
        headers: { authorization: `Basic ${btoa("runbookd:am-secret")}` },
        ca: "PEM",
      })),
    );
    expect(loaded.mail.groups).toEqual({ owners: ["ann@example.com", "bob@example.com"] });
    expect(loaded.guardrails).toEqual({ runs_per_hour: 3 });
    expect(loaded.severities).toEqual({ page: "critical", P2: "warning" });
    expect(loaded.secrets).toEqual(expect.arrayContaining(["prom-secret", "am-secret", "team-a"]));
  });

  it("may be secrets in files, and every secret is known for redaction", () => {
    const files: Readonly<Record<string, string>> = { "/run/webhook": `${token}\n`, "/run/redis": "redis://:p%40ss@redis:6379\n" };
    const loaded = config({
      env: {
        RUNBOOKD_WEBHOOK_TOKEN_FILE: "/run/webhook",
        REDIS_URL_FILE: "/run/redis",
        SMTP_URL: "smtp://u:mailpass@mail:25",
        MAIL_FROM: "r@example.com",
        MAIL_TO: "a@example.com",
      },
      readFile: (path) => files[path] ?? noFiles(path),
    });
    expect(loaded.webhookTokens).toEqual([token]);
    expect(loaded.redis).toEqual({ kind: "url", url: "redis://:p%40ss@redis:6379" });
    expect(loaded.mail.groups).toEqual({ default: ["a@example.com"] });
    expect(loaded.secrets).toEqual(expect.arrayContaining([token, "p%40ss", "p@ss", "mailpass"]));
  });

  it("may name two webhook tokens while rotating, and Redis by socket", () => {
    const loaded = config({
      env: { RUNBOOKD_HOST: "0.0.0.0", RUNBOOKD_WEBHOOK_TOKEN: `${token}, ${token}2`, REDIS_URL: "unix:///run/redis.sock" },
    });
    expect(loaded.webhookTokens).toEqual([token, `${token}2`]);
    expect(loaded.redis).toEqual({ kind: "socket", path: "/run/redis.sock" });
  });

  it("say where /metrics listens apart from the API, which decides when they do not", () => {
    const env = { RUNBOOKD_HOST: "0.0.0.0", RUNBOOKD_WEBHOOK_TOKEN: token };
    expect(config({ env }).metricsHost).toBe("0.0.0.0");
    expect(config({ env: { ...env, RUNBOOKD_METRICS_HOST: "127.0.0.1" } })).toMatchObject({ host: "0.0.0.0", metricsHost: "127.0.0.1" });
  });

  it("name origins that actions may call", () => {
    expect(config({ env: { RUNBOOKD_HTTP_ALLOW: "https://api.example.com, http://127.0.0.1:8080/" } }).httpAllow).toEqual([
      "https://api.example.com",
      "http://127.0.0.1:8080",
    ]);
  });
});

describe("settings that do not fit", () => {
  it.each<[string, string]>([
    ["REDIS_URL", "localhost:6379"],
    ["REDIS_URL", "http://redis"],
    ["RUNBOOKD_PORT", "tcp://10.0.0.1:9097"],
    ["RUNBOOKD_PORT", "65536"],
    ["RUNBOOKD_PORT", "-1"],
    ["RUNBOOKD_HOST", "not a host"],
    ["RUNBOOKD_METRICS_HOST", "10.0.0.5:9098"],
    ["RUNBOOKD_WEBHOOK_TOKEN", "short"],
    ["RUNBOOKD_WEBHOOK_TOKEN", `${token},${token},${token}`],
    ["RUNBOOKD_WEBHOOK_TOKEN", `${token},`],
    ["RUNBOOKD_PUBLIC_URL", "javascript:alert(1)"],
    ["PROMETHEUS_URL", "http://user:secret@prometheus:9090"],
    ["PROMETHEUS_URL", "prometheus:9090"],
    ["ALERTMANAGER_URL", "http://a:9093,b"],
    ["SMTP_URL", "mail.example.com"],
    ["MAIL_TO", '"evil@x"@internal'],
    ["MAIL_TO", "a@example.com,b@example.com"],
    ["MAIL_TO", "group: a@example.com;"],
    ["MAIL_TO", "Ann <a@example.com>"],
    ["MAIL_TO", "a@example.com\r\nBcc: b@example.com"],
    ["MAIL_TO", `${"a".repeat(10_000)}@example.com`],
    ["MAIL_FROM", "nobody"],
    ["RUNBOOKD_HTTP_ALLOW", "https://*.example.com"],
    ["RUNBOOKD_HTTP_ALLOW", "https://api.example.com/path"],
    ["RUNBOOKD_HTTP_ALLOW", "https://good@evil"],
    ["RUNBOOKD_HTTP_ALLOW", "file:///etc"],
    ["RUNBOOKD_CONCURRENCY", "0"],
    ["RUNBOOKD_CONCURRENCY", "101"],
    ["RUNBOOKD_CONCURRENCY", "many"],
    ["RUNBOOKD_MAX_BUDGETS", "0"],
    ["RUNBOOKD_MAX_BUDGETS", "10001"],
    ["RUNBOOKD_USAGE_EVENT_DAYS", "0"],
    ["RUNBOOKD_USAGE_EVENT_DAYS", "401"],
    ["RUNBOOKD_USAGE_MEGABYTES", "0"],
    ["RUNBOOKD_USAGE_MEGABYTES", "100001"],
    ["RUNBOOKD_USAGE_EVENTS", "999"],
    ["RUNBOOKD_USAGE_EVENTS", "5000001"],
    ["RUNBOOKD_USAGE_DAYS", "0"],
    ["RUNBOOKD_USAGE_DAYS", "31"],
    ["RUNBOOKD_UNKNOWN_COST_USD", "0"],
    ["RUNBOOKD_UNKNOWN_COST_USD", "0.0000001"],
    ["RUNBOOKD_LOG_LEVEL", "loud"],
  ])("%s=%j is refused with its key, and without its value", (key, value) => {
    const found = faults({ env: { [key]: value } });
    expect(found).toEqual([{ key, source: "environment", problem: expect.stringMatching(/\S/), accepted: expect.stringMatching(/\S/) }]);
    // A value of a few letters may stand in the sentence by chance.
    expect(describeFaults(found)).not.toContain(value.length > 6 ? value : "\0");
  });

  it("are all told at once, with where they came from", () => {
    const found = faults({
      env: { RUNBOOKD_PORT: "x", MAIL_TO: "y" },
      yaml: "RUNBOOKD_CONCURRENCY: 0\nRUNBOKD_PORT: 1\nmail_groups: { owners: [] }\n",
    });
    expect(found.map(({ key, source }) => `${key} ${source}`).sort()).toEqual([
      "MAIL_TO environment",
      "RUNBOKD_PORT runbookd.yml",
      "RUNBOOKD_CONCURRENCY runbookd.yml",
      "RUNBOOKD_PORT environment",
      "mail_groups runbookd.yml",
    ]);
    expect(describeFaults(found)).toContain("RUNBOOKD_PORT (environment) must be a port number. Accepted: a port number from 0 to 65535");
  });

  it("are faults together: a reachable host without a token", () => {
    expect(faults({ env: { RUNBOOKD_HOST: "0.0.0.0" } })).toMatchObject([{ key: "RUNBOOKD_WEBHOOK_TOKEN", source: "together" }]);
  });

  it("are faults together: mail without a sender or a recipient", () => {
    expect(faults({ env: { SMTP_URL: "smtp://mail:25" } }).map(({ key }) => key)).toEqual(["MAIL_FROM", "MAIL_TO"]);
  });

  it.each<[string, Partial<ConfigSources>]>([
    ["a file that cannot be read", { env: { RUNBOOKD_WEBHOOK_TOKEN_FILE: "/nowhere" } }],
    ["an empty file", { env: { RUNBOOKD_WEBHOOK_TOKEN_FILE: "/empty" }, readFile: () => "\n" }],
    [
      "a secret and its file at once",
      { env: { RUNBOOKD_WEBHOOK_TOKEN: token, RUNBOOKD_WEBHOOK_TOKEN_FILE: "/run/token" }, readFile: () => token },
    ],
  ])("are %s", (_name, sources) => {
    expect(faults(sources)).toMatchObject([{ key: "RUNBOOKD_WEBHOOK_TOKEN_FILE", source: "environment" }]);
  });

  it.each([
    ["is no YAML", "a: [1"],
    ["is a list", "- a"],
    ["names a key twice", "RUNBOOKD_PORT: 1\nRUNBOOKD_PORT: 2"],
    ["is a bomb of aliases", `a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [${"*a,".repeat(9)}]\nc: &c [${"*b,".repeat(9)}]\nd: [${"*c,".repeat(9)}]`],
    ["is too large", `# ${"x".repeat(300_000)}`],
  ])("are a runbookd.yml that %s", (_name, yaml) => {
    expect(faults({ yaml })).toMatchObject([{ key: "runbookd.yml" }]);
  });

  it("hold the keys of providers as secrets, from files too, and none of them in a fault", () => {
    const env = { ANTHROPIC_API_KEY: "sk-ant-api03-1", OPENAI_API_KEY_FILE: "/run/key", OPENAI_BASE_URL: "http://127.0.0.1:1/v1/" };
    const { providers, secrets } = config({ env, readFile: () => "sk-proj-1\n" });
    expect(providers).toEqual({
      anthropic: { baseUrl: "https://api.anthropic.com", apiKey: "sk-ant-api03-1", adminKey: undefined },
      openai: { baseUrl: "http://127.0.0.1:1/v1", apiKey: "sk-proj-1", adminKey: undefined },
    });
    expect(secrets).toEqual(expect.arrayContaining(["sk-ant-api03-1", "sk-proj-1"]));
    const refused = faults({ env: { ANTHROPIC_ADMIN_KEY: "two words are no key", OPENAI_BASE_URL: "ftp://x" } });
    expect(refused.map(({ key }) => key)).toEqual(["ANTHROPIC_ADMIN_KEY", "OPENAI_BASE_URL"]);
    expect(JSON.stringify(refused)).not.toContain("two words");
  });

  it("GitHub is listed with a token and named repositories; a token alone is none of ours, repositories alone are a fault", () => {
    const yaml = "github: { repositories: [acme/desk], alerts: [dependabot] }";
    const env = { GITHUB_TOKEN: "github_pat_0123456789", GITHUB_WEBHOOK_SECRET: "an-old-secret-of-ours, a-new-secret-of-ours" };
    expect(config({ env, yaml })).toMatchObject({
      gitHub: { apiUrl: "https://api.github.com", token: env.GITHUB_TOKEN, repositories: ["acme/desk"], alerts: ["dependabot"] },
      gitHubWebhookSecrets: ["an-old-secret-of-ours", "a-new-secret-of-ours"],
      secrets: expect.arrayContaining(["an-old-secret-of-ours", "a-new-secret-of-ours", env.GITHUB_TOKEN]),
    });
    expect(config({ env, yaml: "github: { repositories: [acme/desk] }" }).gitHub?.alerts).toHaveLength(4);
    expect(config({ env }).gitHub).toBeUndefined();
    expect(faults({ yaml })).toMatchObject([{ key: "GITHUB_TOKEN", source: "together" }]);
    for (const github of ["{ repositories: [] }", "{ repositories: [acme] }", "{ repositories: [acme/desk], alerts: [] }", "{}"])
      expect(faults({ env, yaml: `github: ${github}` })).toMatchObject([{ key: "github" }]);
  });

  it("are faults together: Langfuse by half", () => {
    const env = { LANGFUSE_URL: "https://cloud.langfuse.com", LANGFUSE_PUBLIC_KEY: "pk-lf-1", LANGFUSE_SECRET_KEY: "sk-lf-1" };
    expect(config({ env }).langfuse).toEqual({
      url: "https://cloud.langfuse.com",
      headers: { authorization: `Basic ${Buffer.from("pk-lf-1:sk-lf-1").toString("base64")}` },
    });
    expect(config({ env }).secrets).toContain("sk-lf-1");
    const { LANGFUSE_SECRET_KEY: _secret, ...half } = env;
    expect(faults({ env: half })).toMatchObject([{ key: "LANGFUSE_SECRET_KEY", source: "together" }]);
  });

  it("are faults together: Unleash, flagd and LiteLLM by half", () => {
    const unleash = {
      UNLEASH_URL: "https://unleash.example.com/",
      UNLEASH_ADMIN_TOKEN: "user:0123456789",
      UNLEASH_FRONTEND_TOKEN: "default:production.0123456789",
    };
    const others = { FLAGD_FILE: "/etc/flagd/flags.json", FLAGD_URL: "http://127.0.0.1:8016", LITELLM_URL: "http://127.0.0.1:4000" };
    const env = { ...unleash, ...others, LITELLM_MASTER_KEY: "sk-0123456789" };
    const yaml = "unleash: { environment: production }";
    expect(config({ env, yaml })).toMatchObject({
      unleash: {
        url: "https://unleash.example.com",
        adminToken: "user:0123456789",
        frontendToken: "default:production.0123456789",
        project: "default",
        environment: "production",
      },
      flagd: { file: "/etc/flagd/flags.json", url: "http://127.0.0.1:8016" },
      litellm: { url: "http://127.0.0.1:4000", masterKey: "sk-0123456789" },
      secrets: expect.arrayContaining(["user:0123456789", "default:production.0123456789", "sk-0123456789"]),
    });
    expect(config({ env: {} })).toMatchObject({ unleash: undefined, flagd: undefined, litellm: undefined });
    for (const key of Object.keys(env)) {
      const half = Object.fromEntries(Object.entries(env).filter(([name]) => name !== key));
      expect(faults({ env: half, yaml })).toMatchObject([{ key, source: "together" }]);
    }
    expect(faults({ env })).toMatchObject([{ key: "unleash", source: "together" }]);
  });

  it("refuse a token of another environment of Unleash, and names that are none", () => {
    const env = {
      UNLEASH_URL: "https://u.example",
      UNLEASH_ADMIN_TOKEN: "user:0123456789",
      UNLEASH_FRONTEND_TOKEN: "*:development.0123456789",
    };
    const refused = faults({ env, yaml: "unleash: { environment: production }" });
    expect(refused).toMatchObject([{ key: "UNLEASH_FRONTEND_TOKEN", source: "together" }]);
    expect(JSON.stringify(refused)).not.toContain("0123456789");
    for (const name of ["..", ".", "", "a/b", "a b"])
      expect(faults({ env, yaml: `unleash: { environment: ${JSON.stringify(name)} }` })).toMatchObject([{ key: "unleash" }]);
  });

  it("takes the evaluator under its old names, and refuses both at once", () => {
    const url = "http://127.0.0.1:8085/evaluations";
    const section = (name: string) => `${name}: { headers: { x-team: core } }`;
    const reached = { url, headers: { "x-team": "core" } };
    expect(config({ env: { EVALUATOR_URL: url }, yaml: section("evaluator") }).evaluator).toMatchObject(reached);
    expect(config({ env: { PROMPT_EVALUATOR_URL: url }, yaml: section("prompt_evaluator") }).evaluator).toMatchObject(reached);
    expect(config({ env: { EVALUATOR_URL: url }, yaml: section("prompt_evaluator") }).evaluator).toMatchObject(reached);
    expect(config({ yaml: section("evaluator") }).evaluator).toBeUndefined();
    const both = { EVALUATOR_URL: url, PROMPT_EVALUATOR_URL: url };
    expect(faults({ env: both, yaml: `${section("evaluator")}\n${section("prompt_evaluator")}` })).toMatchObject([
      { key: "PROMPT_EVALUATOR_URL", source: "together", problem: expect.stringContaining("old name of EVALUATOR_URL") },
      { key: "prompt_evaluator", source: "together", problem: expect.stringContaining("old name of evaluator") },
    ]);
  });

  it("are credentials that lack a half, are double, or cannot be read", () => {
    const prometheus = (fields: string) =>
      faults({ yaml: `prometheus: { ${fields} }`, readFile: (path) => (path === "/ok" ? "x" : noFiles(path)) });
    expect(prometheus("username: a")).toHaveLength(1);
    expect(prometheus("password_file: /ok")).toHaveLength(1);
    expect(prometheus("username: a, password_file: /ok, bearer_token_file: /ok")).toHaveLength(1);
    expect(prometheus("bearer_token_file: /nowhere")).toMatchObject([{ problem: expect.stringContaining("bearer_token_file") }]);
    expect(prometheus("pasword: x")).toMatchObject([{ problem: expect.stringContaining("pasword") }]);
  });
});

it.each([
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["::1", true],
  ["localhost", true],
  ["0.0.0.0", false],
  ["::", false],
  ["127.0.0.1.evil.example", false],
  ["localhost.evil.example", false],
])("takes %s for loopback: %s", (host, loopback) => {
  expect(isLoopback(host)).toBe(loopback);
});

it("is described by a JSON Schema that names every setting with what is accepted", () => {
  expect(configJsonSchema()).toMatchObject({
    type: "object",
    additionalProperties: false,
    properties: {
      RUNBOOKD_PORT: { description: expect.any(String), accepted: expect.stringContaining("port number") },
      mail_groups: { type: "object" },
    },
  });
});

describe("commands", () => {
  it("are templates with defaults, and with secrets from files as their environment", () => {
    const yaml = [
      "commands:",
      "  restart:",
      "    argv: [/usr/bin/systemctl, restart, --, '{service}']",
      "    args: { service: { enum: [api] }, }",
      "    env_files: { TOKEN: /run/token }",
      "    probe: { argv: [/usr/bin/systemctl, is-active, '{service}'], not_applied: [3] }",
      "    effect: probed",
      "    timeout: 2m",
    ].join("\n");
    const loaded = config({ yaml, readFile: (path) => (path === "/run/token" ? "t{x}n\n" : noFiles(path)) });
    expect(loaded.commands).toEqual([
      {
        name: "restart",
        argv: ["/usr/bin/systemctl", "restart", "--", "{service}"],
        args: { service: { kind: "enum", values: ["api"] } },
        env: { TOKEN: "t{{x}}n" },
        openEnv: {},
        cwd: "/",
        timeoutMs: 120_000,
        effect: "probed",
        risk: "raises",
        target: "command/restart",
        okExits: [0],
        notAppliedExits: [],
        probe: { argv: ["/usr/bin/systemctl", "is-active", "{service}"], applied: [0], notApplied: [3] },
      },
    ]);
    expect(loaded.secrets).toEqual(["t{x}n"]);
  });

  it.each([
    ["a shell", "x: { argv: [/bin/sh, -c, id] }", "(at x) argv: sh with code in its arguments"],
    ["a type that is none", "x: { argv: [/bin/x, '{a}'], args: { a: { glob: '*' } } }", "(at x.args.a) must be one of"],
    ["an unknown key", "x: { argv: [/bin/x], shell: true }", "has unknown keys: shell"],
    ["a name that is none", "'X Y': { argv: [/bin/x] }", "Invalid key in record"],
    ["a secret that is not there", "x: { argv: [/bin/x], env_files: { A: /gone } }", "(at x.env_files.A) names a file"],
    ["a secret in two places", "x: { argv: [/bin/x], env: { A: '1' }, env_files: { A: /gone } }", "stands in env or open_env too"],
  ])("are refused with %s", (_name, yaml, problem) => {
    const found = faults({ yaml: `commands: { ${yaml} }` });
    expect(found[0]).toMatchObject({ key: "commands", problem: expect.stringContaining(problem) });
  });
});

describe("groups that are told", () => {
  const key = "0123456789abcdef0123456789abcdef";
  const files: Readonly<Record<string, string>> = {
    "/run/slack": "https://hooks.slack.com/services/T/B/secret\n",
    "/run/key": key,
    "/run/token": "hub-token",
    "/run/text": "no url",
  };
  const readFile = (path: string) => files[path] ?? noFiles(path);

  it("hold addresses and targets, with secrets from files", () => {
    const yaml = [
      "mail_groups: { oncall: [ann@example.com] }",
      "notify_groups:",
      "  oncall:",
      "    mail: [bob@example.com, ann@example.com]",
      "    slack: [{ name: ops, url_file: /run/slack }]",
      "    webhooks: [{ name: hub, url: 'http://127.0.0.1:1/hook', headers: { X-Team: a }, bearer_token_file: /run/token }]",
      "    pagerduty: [{ name: primary, routing_key_file: /run/key }]",
      "  quiet: { mail: [carl@example.com] }",
    ].join("\n");
    const { mail, secrets } = config({ yaml, readFile });
    expect(mail.groups).toEqual({ oncall: ["ann@example.com", "bob@example.com"], quiet: ["carl@example.com"] });
    expect(mail.targets).toEqual({
      oncall: [
        { kind: "webhook", name: "hub", url: "http://127.0.0.1:1/hook", headers: { "X-Team": "a", authorization: "Bearer hub-token" } },
        { kind: "slack", name: "ops", url: "https://hooks.slack.com/services/T/B/secret" },
        { kind: "pagerduty", name: "primary", url: "https://events.pagerduty.com/v2/enqueue", routingKey: key, severity: "error" },
      ],
    });
    expect(secrets).toEqual(expect.arrayContaining([key, "hub-token", "https://hooks.slack.com/services/T/B/secret"]));
  });

  it("may be where reports go", () => {
    const env = { SMTP_URL: "smtp://mail:25", MAIL_FROM: "r@example.com" };
    expect(faults({ env, yaml: "notify_groups: { default: { slack: [{ name: ops, url: 'https://x.example/y' }] } }", readFile })).toEqual(
      [],
    );
  });

  it.each([
    ["nobody", "{ oncall: {} }", "reaches nobody"],
    ["no place", "{ oncall: { slack: [{ name: ops }] } }", "needs url or url_file, and not both"],
    [
      "two places",
      "{ oncall: { slack: [{ name: ops, url: 'https://x.example', url_file: /run/slack }] } }",
      "needs url or url_file, and not both",
    ],
    ["credentials in the URL", "{ oncall: { slack: [{ name: ops, url: 'https://u:p@x.example' }] } }", "must be an http(s) address"],
    ["another scheme", "{ oncall: { webhooks: [{ name: a, url: 'ftp://x.example' }] } }", "must be an http(s) address"],
    ["a backslash", "{ oncall: { webhooks: [{ name: a, url: 'https://good\\\\@evil' }] } }", "must be an http(s) address"],
    [
      "two of one name",
      "{ oncall: { slack: [{ name: a, url: 'https://x.example' }, { name: a, url: 'https://y.example' }] } }",
      "two targets of one kind",
    ],
    [
      "a secret that is no URL",
      "{ oncall: { slack: [{ name: ops, url_file: /run/text }] } }",
      "(at oncall.slack/ops.url_file) names a file with something else",
    ],
    [
      "a secret that is not there",
      "{ oncall: { pagerduty: [{ name: p, routing_key_file: /gone }] } }",
      "names a file that is empty or cannot be read",
    ],
    ["a key that is none", "{ oncall: { pagerduty: [{ name: p, routing_key_file: /run/text }] } }", "names a file with something else"],
    ["B61 quotes in an address", "{ oncall: { mail: ['\"evil@a x\"@internal'] } }", "must be one plain mail address"],
    ["B61 a list of addresses", "{ oncall: { mail: ['a@x.org, b@x.org'] } }", "must be one plain mail address"],
    ["B61 a group of addresses", "{ oncall: { mail: ['g:a@x.org;'] } }", "must be one plain mail address"],
    ["B61 a name beside the address", "{ oncall: { mail: ['Ann <a@x.org>'] } }", "must be one plain mail address"],
    ["B59 a header in an address", '{ oncall: { mail: ["a@x.org\\r\\nBcc: b@x.org"] } }', "must be one plain mail address"],
  ])("are refused with %s", (_name, groups, problem) => {
    const found = faults({ yaml: `notify_groups: ${groups}`, readFile });
    expect(found[0]).toMatchObject({ key: "notify_groups", problem: expect.stringContaining(problem) });
    expect(JSON.stringify(found)).not.toContain("no url");
  });
});

describe("features", () => {
  const read = (yaml: string) => config({ env: { RUNBOOKD_HTTP_ALLOW: "https://desk.example" }, yaml }).features;
  const refused = (yaml: string) =>
    faults({ env: { RUNBOOKD_HTTP_ALLOW: "https://desk.example" }, yaml })
      .map(({ problem }) => problem)
      .join("\n");

  it("say what is switched off with them, and what is known of them", () => {
    const yaml = `
features:
  search: {}
  export:
    flags: [export, { system: unleash, key: desk.export }]
    budgets: [checkout]
    keys: [{ system: litellm, id: team-key }]
    repository: acme/desk
    paths: [src/export/]
    probe: { url: "https://desk.example/export", method: POST, body: "{}", refused_by: [403, 404] }
    code_host: git
    tests: { command: test-desk }
    deployment: { command: deploy-desk }
    version_urls: [https://desk.example/version]
    attacks: { command: attack-desk }
    exposure: customers
    data: personal
    agency: { power: capable }
git_repositories: { Acme/desk: { path: /srv/desk.git } }
commands:
  test-desk: { argv: [/opt/test-desk, "{sha}"], args: { sha: { pattern: "[0-9a-f]{40}" } } }
  deploy-desk: { argv: [/opt/deploy-desk, "{sha}"], args: { sha: { pattern: "[0-9a-f]{40}" } }, effect: set }
  attack-desk: { argv: [/opt/attack-desk] }
`;
    expect(read(yaml)).toEqual([
      {
        name: "export",
        flags: [
          { system: "runbookd", key: "export" },
          { system: "unleash", key: "desk.export" },
        ],
        budgets: ["checkout"],
        keys: [{ system: "litellm", id: "team-key" }],
        repository: "acme/desk",
        paths: ["src/export/"],
        probe: { url: "https://desk.example/export", method: "POST", body: "{}", refusedBy: [403, 404] },
        codeHost: "git",
        tests: { kind: "command", name: "test-desk" },
        deployment: { kind: "command", name: "deploy-desk" },
        versionUrls: ["https://desk.example/version"],
        attacks: { kind: "command", name: "attack-desk" },
        exposure: "customers",
        data: "personal",
        agency: { power: "capable" },
      },
      { name: "search", flags: [], budgets: [], keys: [], paths: [], versionUrls: [] },
    ]);
  });

  it("name where their code is: repositories of plain git with their base branch, or GitHub", () => {
    const yaml = "{ git_repositories: { acme/desk: { path: /srv/desk.git }, acme/shop: { path: /srv/shop, main: trunk } } }";
    expect(config({ yaml }).gitRepositories).toEqual({
      "acme/desk": { path: "/srv/desk.git", main: "main" },
      "acme/shop": { path: "/srv/shop", main: "trunk" },
    });
    const env = { GITHUB_TOKEN: "github_pat_of_a_test", GITHUB_API_URL: "https://github.example/api/v3" };
    const hosted = "features: { export: { code_host: github, repository: acme/desk } }";
    expect(config({ env, yaml: hosted }).gitHubAccess).toEqual({ apiUrl: "https://github.example/api/v3", token: env.GITHUB_TOKEN });
    expect(config({ env }).gitHubAccess).toBeUndefined();
    for (const wrong of ["desk: { path: /srv }", "acme/desk: { path: srv }", "acme/desk: { path: /srv, main: --all }", "acme/desk: {}"])
      expect(faults({ yaml: `git_repositories: { ${wrong} }` })).toMatchObject([{ key: "git_repositories" }]);
  });

  it("count 403 and 503 as refused unless they say otherwise", () => {
    const [feature] = read('features: { export: { probe: { url: "https://desk.example/export" } } }');
    expect(feature?.probe).toEqual({ url: "https://desk.example/export", method: "GET", refusedBy: [403, 503] });
  });

  it.each([
    ["export: { flags: [{ system: launchpad, key: export }] }", "(at export.flags.0) must be a flag's key, or { system, key }"],
    ["export: { flags: [] }", "(at export.flags) is empty"],
    ["export: { flags: [a, a] }", "(at export.flags) names something twice"],
    ["export: { budgets: [] }", "(at export.budgets) is empty"],
    ["export: { budgets: [Checkout] }", "(at export.budgets.0)"],
    ["export: { keys: [{ system: openai, id: k }] }", "(at export.keys.0.system)"],
    ["export: { keys: [{ system: litellm, id: 'a key' }] }", "never the key's text"],
    ["export: { paths: [/etc] }", "must be a path below the repository's folder"],
    ["export: { paths: [a/../../b] }", "must be a path below the repository's folder"],
    ["export: { repository: desk }", "must be owner/name"],
    ["export: { probe: { url: 'ftp://desk.example/' } }", "must be an http(s) URL"],
    ["export: { probe: { url: 'https://user:pass@desk.example/' } }", "must be an http(s) URL"],
    ["export: { probe: { url: 'https://desk.example/', body: x } }", "has a body, which only POST sends"],
    ["export: { probe: { url: 'https://desk.example/', refused_by: [200] } }", "(at export.probe.refused_by.0)"],
    ["export: { probe: { url: 'https://desk.example/', refused_by: [] } }", "then no answer would ever mean refused"],
    ["export: { probe: { url: 'https://other.example/' } }", "which RUNBOOKD_HTTP_ALLOW does not list"],
    ["export: { version_urls: ['https://other.example/version'] }", "(at export.version_urls) names the origin https://other.example"],
    ["export: { tests: { command: gone } }", "(at export.tests) names the command gone"],
    ["export: { exposure: everyone }", "(at export.exposure)"],
    ["export: { code_host: github }", "(at export.code_host) is set without repository"],
    ["export: { code_host: git, repository: acme/desk }", "is git, and git_repositories has no acme/desk"],
    ["export: { code_host: github, repository: acme/desk }", "is missing while a feature has code_host github"],
    ["export: { flag: export }", "has unknown keys: flag"],
    ["unknown: {}", "is the name of what belongs to no feature"],
    ["Export: {}", "must be a name of 1 to 60 letters"],
    ["export: {}, export: {}", "is no YAML: Map keys must be unique"],
  ])("refuse %s", (yaml, problem) => {
    expect(refused(`features: { ${yaml} }`)).toContain(problem);
  });
});
