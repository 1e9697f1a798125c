import { describe, expect, it } from "@jest/globals";
import type { Json } from "../../packages/sdk/src/wire/json.ts";
import { aCommandStream, aCommandTemplate, createActionBench, outputOf } from "../../test/builders/action-bench.ts";
import { actionCatalogue } from "../app/action-registry.ts";
import type { ArgumentType, CommandTemplate } from "../core/command-template.ts";
import { StepFailure } from "../core/failure.ts";
import { withCommands } from "./run-command.ts";

const enumOf = (...values: readonly string[]): ArgumentType => ({ kind: "enum", values });
const pattern = (text: string, leadingDash = false): ArgumentType => ({ kind: "pattern", pattern: text, leadingDash });
const integer: ArgumentType = { kind: "integer", min: -5, max: 100 };

function aBench(
  change: Partial<CommandTemplate> = {},
  args: { readonly [name: string]: Json } = {},
  env: { readonly [name: string]: Json } = {},
) {
  const bench = createActionBench();
  const names = Object.keys(change.args ?? {});
  const argv = ["/opt/tool", ...names.map((name) => `{${name}}`)];
  bench.world.commands = [aCommandTemplate({ argv, ...change })];
  const action = bench.bind("run-command", { command: "restart", args, env });
  return { ...bench, action, run: async () => action.run(await action.plan(bench.context()), bench.context()) };
}

/** What became of a plan that must not be made. */
async function planned(bench: ReturnType<typeof aBench>): Promise<unknown> {
  return bench.action.plan(bench.context()).then(
    () => "planned",
    (error: unknown) => (error instanceof StepFailure && bench.started.length === 0 ? error.failure : error),
  );
}

const refused = { reason: "invalid_parameters", applied: "no" };

describe("a registered command", () => {
  it("plans exactly what will be started, and starts that", async () => {
    const { action, context, started, run } = aBench(
      {
        argv: ["/usr/bin/systemctl", "restart", "--lines={lines}", "--", "{service}.service"],
        args: { service: enumOf("api", "worker"), lines: integer },
        env: { LANG: "C", SERVICE: "{service}" },
        openEnv: { REGION: enumOf("eu") },
        target: "service/{service}",
        cwd: "/srv",
      },
      { service: "api", lines: 5 },
      { REGION: "eu" },
    );
    expect(await action.plan(context())).toEqual({
      summary: "Run restart: /usr/bin/systemctl restart --lines=5 -- api.service",
      targets: ["service/api"],
      changes: [],
      reversible: false,
      data: {
        command: "restart",
        argv: ["/usr/bin/systemctl", "restart", "--lines=5", "--", "api.service"],
        env: expect.stringMatching(/^[0-9a-f]{64}$/),
        cwd: "/srv",
      },
    });
    await run();
    expect(started).toEqual([
      {
        argv: ["/usr/bin/systemctl", "restart", "--lines=5", "--", "api.service"],
        env: { LANG: "C", SERVICE: "api", REGION: "eu" },
        cwd: "/srv",
        cookie: expect.stringMatching(/^[0-9a-f]{32}$/),
        signal: expect.any(AbortSignal),
      },
    ]);
  });

  it("takes class, risk and time limit from its template", () => {
    expect(aBench({ effect: "set", risk: "lowers", timeoutMs: 7 }).action).toMatchObject({ effect: "set", risk: "lowers", timeoutMs: 7 });
    expect(aBench().action).toMatchObject({ effect: "once", risk: "raises" });
  });

  it("keeps a value one element and fills it once", async () => {
    const values = { a: "x y; {b}", b: "$(id)" };
    const bench = aBench({ args: { a: pattern("[a-z {};]+"), b: pattern("[$()a-z]+") } }, values);
    await bench.run();
    expect(bench.started[0]?.argv).toEqual(["/opt/tool", "x y; {b}", "$(id)"]);
  });

  it("is not started when its template has changed since the plan", async () => {
    const bench = aBench({ argv: ["/opt/tool", "one"] });
    const plan = await bench.action.plan(bench.context());
    bench.world.commands = [aCommandTemplate({ argv: ["/opt/tool", "two"] })];
    const later = bench.bind("run-command", { command: "restart" });
    await expect(later.run(plan, bench.context())).rejects.toMatchObject({ failure: { reason: "invalid_parameters", applied: "no" } });
    expect(bench.started).toEqual([]);
  });

  it("must be registered", async () => {
    const bench = createActionBench();
    await expect(bench.bind("run-command", { command: "other" }).plan(bench.context())).rejects.toMatchObject({
      failure: { reason: "invalid_parameters", message: expect.stringContaining('no registered command "other"') },
    });
    expect(bench.actions.find("run-command")?.bind({ command: "/bin/sh" })).toMatchObject({ ok: false });
  });
});

describe("values that are refused before anything is planned", () => {
  const word = pattern("[A-Za-z0-9._:/= -]+");
  const free = pattern("[^x]+");
  const path: ArgumentType = { kind: "path", root: "/srv/data" };
  const gitUrl = pattern("https://git\\.example\\.com/[a-z/-]+");
  it.each<[string, ArgumentType, Json]>([
    ["B01 a quote and a command", word, '"; rm -rf / #'],
    ["B02 a substitution", word, "$(curl evil)"],
    ["B02 backticks", word, "`id`"],
    ["B02 two commands", word, "a && b"],
    ["B03 a new line", free, "a\nb"],
    ["B03 NUL", free, "a\0b"],
    ["B03 a line separator", free, "a\u2028b"],
    ["B03 a mark that turns text", free, "a\u202eb"],
    ["B03 a character without width", free, "a\u200bb"],
    ["B06 --help", word, "--help"],
    ["B06 -rf", word, "-rf"],
    ["B06 -oProxyCommand=", word, "-oProxyCommand=id"],
    ["B07 1e309", integer, "1e309"],
    ["B07 infinity", integer, "Infinity"],
    ["B07 NaN", integer, "NaN"],
    ["B07 minus zero as a text", integer, "-0"],
    ["B07 minus zero", integer, -0],
    ["B07 hexadecimal", integer, "0x10"],
    ["B07 a separator", integer, "1_000"],
    ["B07 spaces", integer, " 5 "],
    ["B07 a fraction", integer, 1.5],
    ["B07 above the range", integer, 101],
    ["B07 below the range", integer, "-6"],
    ["B08 another case", enumOf("prod"), "PROD"],
    ["B08 a wide letter", enumOf("PROD"), "\uff30ROD"],
    ["B08 a Cyrillic letter", enumOf("staging"), "st\u0430ging"],
    ["B09 a parent", path, "../../etc/passwd"],
    ["B09 a parent inside", path, "a/../../b"],
    ["B09 an absolute path", path, "/etc/passwd"],
    ["B09 a URL", path, "file:///etc/passwd"],
    ["B09 what does not exist, or is elsewhere", path, "gone"],
    ["B12 nothing", free, ""],
    ["B12 a star", free, "*"],
    ["B12 a dot and a star", free, ".*"],
    ["B12 a percent", free, "%"],
    ["B13 ext::", gitUrl, "ext::sh -c id"],
    ["B13 EXT::", gitUrl, "EXT::sh"],
    ["B13 file://", gitUrl, "file:///etc"],
    ["B13 an option", gitUrl, "-u evil"],
    ["B14 an option as a ref", word, "--upload-pack=touch /tmp/x"],
    ["B14 -c", word, "-c core.sshCommand=id"],
    ["a number where a text is meant", word, 5],
  ])("%s", async (_name, type, value) => {
    expect(await planned(aBench({ args: { a: type } }, { a: value }))).toMatchObject(refused);
  });

  it("B04 64 kB", () => {
    const found = createActionBench().actions.find("run-command");
    expect(found?.bind({ command: "restart", args: { a: "a".repeat(64_000) } })).toMatchObject({ ok: false });
  });

  it("B05 an argument that is called like a part of every object", async () => {
    for (const name of ["constructor", "toString"]) expect(await planned(aBench({}, JSON.parse(`{"${name}":"x"}`)))).toMatchObject(refused);
    expect(await planned(aBench({}, JSON.parse('{"__proto__":{"admin":true}}')))).toBe("planned");
    expect("admin" in {}).toBe(false);
  });

  it("B10 a variable that the template does not open", async () => {
    expect(await planned(aBench({}, {}, { LD_PRELOAD: "x" }))).toMatchObject(refused);
    expect(await planned(aBench({ openEnv: { REGION: enumOf("eu") } }, {}, { REGION: "us" }))).toMatchObject(refused);
  });

  it("B11 a command of more than 8 kB", async () => {
    const args = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`a${index}`, pattern("[a-z]+")]));
    expect(await planned(aBench({ args }, Object.fromEntries(Object.keys(args).map((name) => [name, "x".repeat(1000)]))))).toMatchObject(
      refused,
    );
  });

  it("a missing and an unknown argument", async () => {
    expect(await planned(aBench({ args: { a: integer } }))).toMatchObject(refused);
    expect(await planned(aBench({}, { other: "x" }))).toMatchObject(refused);
  });
});

describe("values that are what their type names", () => {
  it.each<[string, ArgumentType, Json, string]>([
    ["a negative number of a range that has one", integer, -5, "-5"],
    ["a number as a text", integer, "7", "7"],
    ["a listed value with a dash", enumOf("-v"), "-v", "-v"],
    ["a dash that is typed", pattern("[a-z-]+", true), "-x", "-x"],
    ["percent signs and braces", pattern("[%a-z{}]+"), "%s%n{a}", "%s%n{a}"],
    ["a path", { kind: "path", root: "/srv" }, "a/b.txt", "/srv/a/b.txt"],
  ])("%s", async (_name, type, value, expected) => {
    const bench = aBench({ args: { a: type } }, { a: value });
    await bench.run();
    expect(bench.started[0]?.argv[1]).toBe(expected);
  });
});

describe("how a command ended", () => {
  it("is its result, cleaned, with the beginning and the end", async () => {
    const { run, world } = aBench();
    const stdout = { ...aCommandStream(`\u001b[31mred\u001b[0m\u0007${"x".repeat(20_000)}end`), bytes: 1e9, truncated: true };
    world.outcome = { kind: "exited", code: 0, hasOrphans: false, stdout, stderr: aCommandStream("") };
    const output = outputOf(await run());
    expect(output).toMatchObject({ exit_code: 0, stdout_bytes: 1e9, stdout_sha256: stdout.sha256, stderr: "", truncated: true });
    expect(output["stdout"]).toMatch(/^redx+\n…\nx+end$/);
    expect(output["stdout"]).toHaveLength(6003);
  });

  const streams = { stdout: aCommandStream(""), stderr: aCommandStream("warning\n\u001b[31mno such service\u001b[0m\n") };
  it.each([
    ["never started", { kind: "not_started", reason: "ENOENT" }, "not_reachable", "no", "could not be started: ENOENT"],
    [
      "a status that is not known",
      { kind: "exited", code: 3, hasOrphans: false, ...streams },
      "unknown_outcome",
      "unknown",
      "status 3. Its last line: no such service",
    ],
    [
      "a status that says no",
      { kind: "exited", code: 64, hasOrphans: false, ...streams },
      "refused_by_target",
      "no",
      "refused with status 64",
    ],
    [
      "processes left behind",
      { kind: "exited", code: 0, hasOrphans: true, ...streams },
      "unknown_outcome",
      "unknown",
      "left processes behind",
    ],
    ["its time is over", { kind: "killed", why: "timeout", signal: "SIGTERM", ...streams }, "timeout", "unknown", "ran for too long"],
    ["it was stopped", { kind: "killed", why: "stopped", signal: "SIGKILL", ...streams }, "timeout", "unknown", "was stopped"],
    ["a signal", { kind: "killed", why: "signal", signal: "SIGSEGV", ...streams }, "unknown_outcome", "unknown", "SIGSEGV"],
  ] as const)("%s", async (_name, outcome, reason, applied, message) => {
    const { run, world } = aBench({ notAppliedExits: [64] });
    world.outcome = outcome;
    await expect(run()).rejects.toMatchObject({ failure: { reason, applied, message: expect.stringContaining(message) } });
  });

  it("may be well with another status", async () => {
    const { run, world } = aBench({ okExits: [0, 2] });
    world.outcome = { kind: "exited", code: 2, hasOrphans: false, stdout: aCommandStream("x"), stderr: aCommandStream("") };
    expect(outputOf(await run())).toMatchObject({ exit_code: 2, stdout: "x" });
  });
});

describe("the probe of a command", () => {
  const probe = { argv: ["/opt/is-there", "{a}"], applied: [0], notApplied: [1] };
  it.each([
    [0, "applied"],
    [1, "not_applied"],
    [2, "unknown"],
  ])("reads status %i as %s", async (code, kind) => {
    const { action, context, started, world } = aBench({ args: { a: integer }, effect: "probed", probe }, { a: 5 });
    const plan = await action.plan(context());
    world.outcome = { kind: "exited", code, hasOrphans: false, stdout: aCommandStream(""), stderr: aCommandStream("") };
    expect(await action.probe?.(plan, context())).toMatchObject({ kind });
    expect(started[0]?.argv).toEqual(["/opt/is-there", "5"]);
  });

  it("is unknown when there is none, or it could not run", async () => {
    const none = aBench();
    expect(await none.action.probe?.(await none.action.plan(none.context()), none.context())).toMatchObject({ kind: "unknown" });
    const dead = aBench({ args: { a: integer }, probe }, { a: 5 });
    const plan = await dead.action.plan(dead.context());
    dead.world.outcome = { kind: "not_started", reason: "ENOENT" };
    expect(await dead.action.probe?.(plan, dead.context())).toMatchObject({ kind: "unknown", reason: expect.stringContaining("ENOENT") });
  });
});

describe("the catalogue with registered commands", () => {
  const spec = withCommands(actionCatalogue, [aCommandTemplate({ effect: "set", args: { a: integer } })]).find("run-command");

  it("knows names, arguments and class", () => {
    const faults = (parameters: Json) => spec?.parameters.safeParse(parameters).error?.issues.map(({ message }) => message) ?? [];
    expect(faults({ command: "restart", args: { a: 1 } })).toEqual([]);
    expect(faults({ command: "reboot" })).toEqual([expect.stringContaining("accepted: restart")]);
    expect(faults({ command: "restart", args: { a: 1000 } })).toEqual([expect.stringContaining("a whole number from -5 to 100")]);
    expect(faults({ command: "restart", args: { a: 1 }, env: { X: "1" } })).toEqual([expect.stringContaining("X is not registered")]);
    expect(spec?.effectOf({ command: "restart" })).toBe("set");
    expect(spec?.effectOf({ command: "${{ params.name }}" })).toBe("once");
  });

  it("leaves the others as they are", () => {
    expect(withCommands(actionCatalogue, []).find("wait")).toBe(actionCatalogue.find("wait"));
  });
});
