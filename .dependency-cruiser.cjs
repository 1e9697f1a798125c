/**
 * The one order of the house. A folder imports only folders that come before it in this list, so data and control flow one way;
 * test/architecture.test.ts cruises every file against it, and ARCHITECTURE.md draws it.
 */
const order = [
  "packages/sdk/src/wire",
  "src/core",
  "src/platform",
  "src/runbooks",
  "src/actions",
  "src/alerts",
  "src/runs",
  "src/freeze",
  "src/guardrails",
  "src/llm/usage",
  "src/llm/budgets",
  "src/llm/tickets",
  "src/llm/batches",
  "src/llm/rollouts",
  "src/llm/caching",
  "src/llm/prompts",
  "src/llm/routing",
  "src/llm/changes",
  "src/llm/cost",
  "src/llm/findings",
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

/** Folders of the old layout, in their old order, until their last file has moved. */
const leaving = [
  ["src/runbook", "src/analysis", "src/workload"],
  ["src/intake", "src/engine"],
  ["src/config", "src/telemetry"],
  ["src/redis", "src/queue", "src/adapters", "src/simulators"],
  ["src/http"],
  ["src/demo"],
];

/** Folders of both layouts: they are held to the order once what leaves them has left. */
const mixed = ["src/actions", "src/cli"];

/** Each client library has one home; other folders name at most its types, which a test checks. */
const homes = {
  bullmq: ["src/platform/queue", "src/queue", "workers"],
  ioredis: ["src/platform/redis", "src/redis", "src/queue"],
  express: ["src/platform/http"],
  nodemailer: ["src/integrations/smtp", "src/adapters/smtp"],
  "prom-client": ["src/platform/telemetry", "src/telemetry"],
  undici: ["src/platform/requests", "src/adapters"],
  "@anthropic-ai/sdk": ["src/integrations/anthropic", "src/adapters/anthropic"],
  openai: ["src/integrations/openai", "src/adapters/openai"],
};

/** A connection is handed on by whoever wires, and a store names its type. */
const handsOn = {
  ioredis: "/redis-[^/]+\\.ts$|/jobs\\.ts$|-queue\\.ts$|^src/(app|cli|platform/queue)/|^workers/|^demo/|^src/demo/",
};

/** What belongs to one noun of the trade. */
const slices = order.slice(order.indexOf("src/runbooks"), order.indexOf("src/integrations"));
/** The files of a slice that meet Redis, HTTP, queues and metrics; its other files are rules. */
const edges = "/(redis-[^/]+|routes|[^/]+-routes|metrics|observe-[^/]+|jobs|[^/]+-queue|webhook|[^/]+-page)\\.ts$";

const under = (folders) => `^(${[folders].flat().join("|")})/`;
const tests = "\\.test\\.ts$|^src/testing/|^test/";
/** Runs beside the product from a clone: it measures it, or plays the world around it. */
const outside = "^(bench|demo|src/demo|src/simulators/(model-server|provider-batches))/|serve-loopback";
const npm = ["npm", "npm-dev", "npm-peer", "npm-optional"];

const rule = (name, from, to) => ({ name, severity: "error", from: { ...from, pathNot: [tests, from.pathNot ?? []].flat() }, to });

const oneWay = [...order, ...leaving]
  .filter((row) => !mixed.includes(row))
  .flatMap((row, place, rows) =>
    [row].flat().map((folder) => {
      // Old folders keep their order among themselves, and new ones among theirs.
      const below = rows.slice(place + 1).filter((other) => Array.isArray(other) === Array.isArray(row));
      const strangers = Array.isArray(row) ? row.filter((other) => other !== folder) : [];
      return rule(
        `${folder.replaceAll("/", "-")}-imports-what-comes-before-it`,
        { path: under(folder) },
        { path: under([...below.flat(), ...strangers, "(none)"]) },
      );
    }),
  );

const libraries = Object.entries(homes).map(([library, folders]) =>
  rule(
    `${library}-stays-home`,
    { pathNot: [under(folders), outside, ...(handsOn[library] === undefined ? [] : [handsOn[library]])] },
    { path: `node_modules/(@types/)?${library}/` },
  ),
);

module.exports = {
  forbidden: [
    ...oneWay,
    ...libraries,
    rule(
      "stores-and-routes-are-wired-by-the-app",
      { path: "^src/(?!app/|cli/|demo/)((?:llm/)?[^/]+)/" },
      { path: "^src/(?!platform/|redis/|http/|config/).*/(redis-[^/]+|routes|[^/]+-routes)\\.ts$", pathNot: "^src/$1/" },
    ),
    rule("rules-import-no-platform", { path: under(slices), pathNot: edges }, { path: "^src/(platform|integrations)/" }),
    rule("wire-imports-only-zod", { path: "^packages/sdk/src/wire/" }, { pathNot: "^packages/sdk/src/wire/|node_modules/zod/" }),
    rule(
      "sdk-imports-only-zod",
      { path: "^packages/sdk/src/" },
      { pathNot: "^packages/sdk/src/|node_modules/zod/|^(crypto|timers/promises)$" },
    ),
    rule(
      "product-imports-only-the-wire-of-the-sdk",
      // The demonstration's workload is an application like any other: it imports the client.
      { path: "^(src|workers|bench)/", pathNot: "^src/demo/" },
      { path: "^packages/sdk/src/", pathNot: "^packages/sdk/src/wire/" },
    ),
    rule("core-knows-only-zod", { path: "^src/core/" }, { dependencyTypes: npm, pathNot: "node_modules/zod/" }),
    rule("engine-knows-no-library", { path: "^src/(runs/)?engine/" }, { dependencyTypes: npm }),
    rule(
      "integrations-are-strangers",
      { path: "^src/integrations/([^/]+)/" },
      { path: "^src/integrations/[^/]+/", pathNot: "^src/integrations/$1/" },
    ),
    rule(
      "demo-workload-is-an-application",
      { path: "^(src/)?demo/workload/" },
      { path: "^(packages|src|workers|bench|demo)/", pathNot: "^(packages/sdk/src|(src/)?demo/workload|src/core)/" },
    ),
    rule("test-code-is-for-tests", { pathNot: "^bench/" }, { path: tests }),
    rule("product-imports-nothing-beside-it", { path: "^(src|workers|packages)/", pathNot: outside }, { path: outside }),
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    rule(
      "declared-dependencies",
      // The demonstration runs from a clone, with everything that a clone installs; dashboards are written from one.
      // The SDKs of providers are optional peers, and packages of the clone's tests as well.
      { pathNot: [outside, "/dashboards/"] },
      { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "node_modules/(@types|@anthropic-ai/sdk|openai)/" },
    ),
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^packages/[^/]+/dist/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
