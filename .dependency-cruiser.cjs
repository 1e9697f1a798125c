/**
 * A module imports only from a row above its own.
 * Folders that share a row are strangers to each other; they meet through ports.
 */
const rows = [
  ["packages/sdk/src/wire"],
  ["src/core"],
  ["src/runbook", "src/analysis", "src/workload"],
  ["src/intake", "src/guardrails", "src/actions", "src/engine"],
  ["src/config", "src/telemetry"],
  ["src/redis", "src/queue", "src/adapters", "src/simulators"],
  ["src/reports", "src/http"],
  ["workers"],
  ["src/cli", "src/demo"],
];

/** What runs somewhere else than the server. */
const islands = {};

/** Each client library has one home; everyone else meets it through a port. */
const homes = {
  bullmq: ["src/queue", "workers"],
  ioredis: ["src/redis", "src/queue", "src/cli"],
  express: ["src/http", "src/simulators"],
  nodemailer: ["src/adapters/smtp"],
  "prom-client": ["src/telemetry"],
  undici: ["src/adapters"],
  "@anthropic-ai/sdk": ["src/adapters/anthropic"],
  openai: ["src/adapters/openai"],
};

const under = (folders) => `^(${folders.join("|")})/`;
const tests = "\\.test\\.ts$|^src/testing/|^test/";
// Measures the product against a floor of its own, which speaks to the libraries directly.
const bench = "^bench/";
const npm = ["npm", "npm-dev", "npm-peer", "npm-optional"];
const ours = [...rows.flat(), ...Object.keys(islands)];

const lowerThan = (folder, depth) =>
  rows
    .slice(depth)
    .flat()
    .filter((other) => other !== folder)
    .concat(Object.keys(islands));

// A port is an interface that its consumer owns, so whoever implements it looks down to name it. The cruiser cannot tell types from
// values under swc; src/cli/architecture.test.ts proves that only types are taken that way.
const ports = "/ports\\.ts$";
const layering = rows.flatMap((row, depth) =>
  row.map((folder) => ({
    name: `${folder}-looks-only-up`,
    severity: "error",
    from: { path: under([folder]), pathNot: tests },
    to: { path: under(lowerThan(folder, depth)), pathNot: ports },
  })),
);

const shores = Object.entries(islands).map(([island, allowed]) => ({
  name: `${island}-stands-alone`,
  severity: "error",
  from: { path: under([island]), pathNot: tests },
  to: { path: under(ours.filter((folder) => folder !== island && !allowed.includes(folder))) },
}));

// Wiring hands instances on, so it names their types; the same test proves that these are types.
const wiring = "^(workers|src/cli|src/demo)/";
const libraries = Object.entries(homes).map(([library, folders]) => ({
  name: `${library}-stays-home`,
  severity: "error",
  from: { pathNot: `${under(folders)}|${tests}|${bench}|${wiring}` },
  to: { path: `node_modules/(@types/)?${library}/` },
}));

module.exports = {
  forbidden: [
    ...layering,
    ...shores,
    ...libraries,
    {
      name: "wire-imports-only-zod",
      severity: "error",
      from: { path: "^packages/sdk/src/wire/", pathNot: tests },
      to: { pathNot: "^packages/sdk/src/wire/|node_modules/zod/" },
    },
    {
      name: "sdk-imports-only-zod",
      severity: "error",
      from: { path: "^packages/sdk/src/", pathNot: tests },
      to: { pathNot: "^packages/sdk/src/|node_modules/zod/|^(crypto|timers/promises)$" },
    },
    {
      name: "server-imports-only-the-wire-of-the-sdk",
      severity: "error",
      // The demonstration's workload is an application like any other: it imports the client.
      from: { path: "^(src|workers|bench)/", pathNot: `${tests}|^src/demo/` },
      to: { path: "^packages/sdk/src/", pathNot: "^packages/sdk/src/wire/" },
    },
    {
      name: "core-knows-only-zod",
      severity: "error",
      from: { path: "^src/core/", pathNot: tests },
      to: { dependencyTypes: npm, pathNot: "node_modules/zod/" },
    },
    {
      name: "engine-knows-no-library",
      severity: "error",
      from: { path: "^src/engine/", pathNot: tests },
      to: { dependencyTypes: npm },
    },
    {
      name: "adapters-are-strangers",
      severity: "error",
      from: { path: "^src/adapters/([^/]+)/", pathNot: tests },
      to: { path: "^src/adapters/[^/]+/", pathNot: "^src/adapters/$1/" },
    },
    {
      name: "demo-workload-is-an-application",
      severity: "error",
      from: { path: "^src/demo/workload/", pathNot: tests },
      to: { path: "^(packages|src|workers|bench)/", pathNot: "^(packages/sdk/src|src/demo/workload|src/core)/" },
    },
    { name: "testing-is-for-tests", severity: "error", from: { pathNot: `${tests}|${bench}` }, to: { path: tests } },
    { name: "nobody-imports-the-bench", severity: "error", from: { pathNot: bench }, to: { path: bench } },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "no-unresolved", severity: "error", from: {}, to: { couldNotResolve: true } },
    {
      name: "declared-dependencies",
      severity: "error",
      // The demonstration runs from a clone, with everything that a clone installs.
      from: { pathNot: `${tests}|${bench}|^src/demo/|^src/telemetry/dashboards/` },
      to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], pathNot: "node_modules/@types/" },
    },
  ],
  options: {
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
