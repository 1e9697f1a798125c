const compiled = (parser, transform = {}) => [
  "@swc/jest",
  {
    jsc: { target: "es2022", parser: { syntax: "typescript", explicitResourceManagement: true, ...parser }, transform },
    module: { type: "es6" },
    sourceMaps: "inline",
  },
];
const ts = {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts", ".tsx"],
  transform: {
    "^.+\\.ts$": compiled({}),
    "^.+\\.tsx$": compiled({ tsx: true }, { react: { runtime: "automatic", importSource: "preact" } }),
  },
};
const within = "<rootDir>/{packages/*/src,src,workers,demo,bench,test}/**/*";

export default {
  // A slow machine is no fault of the code; what hangs is still found.
  testTimeout: 30_000,
  projects: [
    {
      ...ts,
      displayName: "unit",
      testMatch: [`${within}.test.{ts,tsx}`],
      testPathIgnorePatterns: ["\\.(int|e2e|sim)\\.test\\.ts$", "/dist/"],
      setupFiles: ["<rootDir>/test/property-seed.ts"],
    },
    { ...ts, displayName: "integration", testMatch: [`${within}.int.test.ts`], setupFiles: ["<rootDir>/test/property-seed.ts"] },
    // Hides the machine's clocks and timers while it works: in a process of its own it hides them from no other test.
    { ...ts, displayName: "simulation", testMatch: [`${within}.sim.test.ts`] },
    { ...ts, displayName: "e2e", testMatch: [`${within}.e2e.test.ts`] },
  ],
};
