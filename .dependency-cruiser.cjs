/**
 * The one order of the house. A folder imports only folders that come before it in this list, so data and control flow one way;
 * test/architecture.test.ts cruises every file against it, and ARCHITECTURE.md draws it.
 */
const order = [
  "packages/sdk/src/wire",
  "src/console",
  "src/core",
  "src/platform",
  "src/runbooks",
  "src/actions",
  "src/alerts",
  "src/runs",
  "src/freeze",
  "src/guardrails",
  "src/llm/usage",
  "src/llm/models",
  "src/llm/budgets",
  "src/llm/tickets",
  "src/llm/batches",
  "src/llm/rollouts",
  "src/llm/caching",
  "src/llm/prompts",
  "src/llm/routing",
  "src/llm/flags",
  "src/llm/changes",
  "src/llm/cost",
  "src/llm/findings",
  "src/llm/attacks",
  "src/llm/releases",
  "src/llm/features",
  "src/reports",
  "src/notifications",
  "src/approvals",
  "src/audit",
  "src/integrations",
  "src/app",
  "workers",
  "src/rehearsal",
  "src/cli",
  "demo",
  "test",
  "bench",
];

/** What belongs to one noun of the trade. */
const slices = order.slice(order.indexOf("src/runbooks"), order.indexOf("src/integrations"));
/** The files of a slice that meet Redis, HTTP, queues, metrics and the disk; its other files are rules. */
const edges = "/(redis-[^/]+|routes|[^/]+-routes|metrics|record-[^/]+-events|jobs|[^/]+-queue|webhook|[^/]+-page|[^/]+-folder)\\.ts$";

/** Each client library has one home. */
const homes = {
  bullmq: "src/platform/queue",
  ioredis: "src/platform/redis",
  express: "src/platform/http",
  nodemailer: "src/integrations/smtp",
  "prom-client": "src/platform/telemetry",
  undici: "src/platform/requests",
  "@anthropic-ai/sdk": "src/integrations/anthropic",
  openai: "src/integrations/openai",
  "ae-cvss-calculator": "src/llm/findings",
  "@secretlint": "src/integrations/secretlint",
  preact: "src/console",
  "@preact": "src/console",
};
/** Names the type of a connection that the app hands on: what is opened on it. Only the home runs the library, which a test checks. */
const handsOn = { ioredis: "/(redis-[^/]+|jobs|[^/]+-queue)\\.ts$|^src/(app|cli|platform/queue)/" };

const under = (...folders) => `^(${folders.join("|")})/`;
const tests = "\\.test\\.tsx?$|^test/";
/** Runs beside the product from a clone: it measures it, or plays the world around it. */
const outside = under("demo", "bench");
const npm = ["npm", "npm-dev", "npm-peer", "npm-optional"];

const rule = (name, from, to) => ({ name, severity: "error", from: { ...from, pathNot: [tests, from.pathNot ?? []].flat() }, to });

const oneWay = order.map((folder, place) =>
  rule(
    `${folder.replaceAll("/", "-")}-imports-what-comes-before-it`,
    { path: under(folder) },
    { path: under(...order.slice(place + 1), "(none)") },
  ),
);

const libraries = Object.entries(homes).map(([library, home]) =>
  rule(
    `${library}-stays-home`,
    { pathNot: [under(home), outside, handsOn[library] ?? []].flat() },
    { path: `node_modules/(@types/)?${library}/` },
  ),
);

module.exports = {
  forbidden: [
    ...oneWay,
    ...libraries,
    rule("rules-import-no-platform", { path: under(...slices), pathNot: edges }, { path: under("src/platform", "src/integrations") }),
    rule(
      "stores-and-routes-are-wired-by-the-app",
      { path: "^src/((?:llm/)?[^/]+)/", pathNot: under("src/app") },
      { path: "^src/.*/(redis-[^/]+|routes|[^/]+-routes)\\.ts$", pathNot: "^src/($1|platform)/" },
    ),
    rule("core-knows-only-zod-and-re2js", { path: under("src/core") }, { dependencyTypes: npm, pathNot: "node_modules/(zod|re2js)/" }),
    rule("engine-knows-no-library", { path: under("src/runs/engine") }, { dependencyTypes: npm }),
    rule(
      "integrations-are-strangers",
      { path: "^src/integrations/([^/]+)/" },
      { path: under("src/integrations"), pathNot: "^src/integrations/$1/" },
    ),
    rule(
      "wire-imports-only-zod",
      { path: under("packages/sdk/src/wire") },
      { pathNot: [under("packages/sdk/src/wire"), "node_modules/zod/"] },
    ),
    rule(
      "client-imports-only-zod",
      { path: under("packages/sdk/src") },
      { pathNot: [under("packages/sdk/src"), "node_modules/zod/", "^(crypto|fs|fs/promises|timers/promises)$"] },
    ),
    rule(
      // Applications assign tickets and the product checks the assignment, with the same hash.
      "product-imports-only-wire-and-assignment-of-the-client",
      { path: under("src", "workers", "bench") },
      { path: under("packages/sdk/src"), pathNot: [under("packages/sdk/src/wire"), "^packages/sdk/src/assignment\\.ts$"] },
    ),
    rule(
      // It is an application like any other: it imports the client.
      "demo-workload-is-an-application",
      { path: under("demo/workload") },
      { path: under("packages", "src", "workers", "demo"), pathNot: under("packages/sdk/src", "src/core", "demo/workload") },
    ),
    rule(
      // It runs in a browser, from a bundle of its own; only types of the wire reach into it.
      "console-is-an-island",
      { pathNot: under("src/console") },
      { path: under("src/console") },
    ),
    rule("test-code-is-for-tests", { pathNot: under("bench") }, { path: tests }),
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    rule(
      "declared-dependencies",
      // What runs from a clone has everything that a clone installs; dashboards are written from one.
      // The SDKs of providers are optional peers, and packages of the clone's tests as well.
      // The console's page is bundled when the product is built.
      { pathNot: [outside, "/dashboards/", under("src/console")] },
      { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "node_modules/(@types|@anthropic-ai/sdk|openai)/" },
    ),
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^packages/[^/]+/dist/|^test/clients/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
