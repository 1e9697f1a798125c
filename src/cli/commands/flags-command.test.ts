import { describe, expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { aDefinition, aTrial } from "../../../test/contracts/describe-flag-store.ts";
import { runCli } from "../run-cli.ts";

const at = Date.UTC(2026, 2, 1, 12);
const aFlag = {
  ...aDefinition(),
  key: "export",
  version: 3,
  at,
  by: "anna",
  reason: "fir\u001b[31mst",
  followers: { followers: 2, current: 1 },
};
const onTrial = { ...aFlag, ...aTrial({ feature: "export" }) };
const missing = { status: 404, body: { type: "urn:x", title: "There is no such thing", status: 404, detail: "There is no flag." } };
const read = "GET /api/flags/export";
const write = "PUT /api/flags/export";
const ok = (body: object) => ({ status: 200, body });

it("lists flags with the processes that hold them, and says how to make one when there is none", async () => {
  const context = aCommandContext({
    answers: { "GET /api/flags": ok({ items: [aFlag, { ...onTrial, key: "upload", state: "off" }], nextCursor: "x" }) },
  });
  expect(await runCli(["flags", "list"], context, "1")).toBe(0);
  expect(context.printed.out).toBe(
    `FLAG    STATE  DEFAULT  ON TRIAL  FEATURE  CURRENT  SINCE                 BY    REASON
export  on     on                          1/2      2026-03-01 12:00:00Z  anna  fir [31mst
upload  off    off      on 10 %   export   1/2      2026-03-01 12:00:00Z  anna  fir [31mst
More: --cursor x
`,
  );
  const empty = aCommandContext({ answers: { "GET /api/flags": ok({ items: [] }) } });
  await runCli(["flags", "list", "--limit", "2"], empty, "1");
  expect(empty.printed.out).toContain("runbookd flags set");
});

it("shows the variants of a flag, and what each is used for", async () => {
  const context = aCommandContext({ answers: { [read]: ok(onTrial) } });
  expect(await runCli(["flags", "show", "export"], context, "1")).toBe(0);
  expect(context.printed.out).toBe(
    `Flag export is on: off, on for 10 % of the keys
Version 3 of 2026-03-01 12:00:00Z by anna: fir [31mst
Feature export
1 of 2 processes that follow it hold this version.

VARIANT  VALUE  USE
on       true   on trial 10 %
off      false  default, while off

Type boolean
`,
  );
  const json = aCommandContext({ answers: { [read]: ok(onTrial) } });
  await runCli(["flags", "show", "export", "--json"], json, "1");
  expect(JSON.parse(json.printed.out)).toMatchObject({ key: "export", version: 3 });
});

describe("setting a flag", () => {
  it("makes one that is off, with two variants", async () => {
    const context = aCommandContext({ answers: { [read]: missing, [write]: ok({ ...aFlag, state: "off" }) } });
    expect(await runCli(["flags", "set", "export", "--feature", "export", "--reason", "first"], context, "1")).toBe(0);
    expect(context.requests[1]?.body).toEqual({ ...aDefinition({ state: "off", feature: "export" }), expected: 0, reason: "first" });
    expect(context.printed.out).toBe("Flag export is off: off for every key.\n");
  });

  it("makes one of another type, with values as the type writes them", async () => {
    const context = aCommandContext({ answers: { [read]: missing, [write]: ok(aFlag) } });
    const text = ["--type", "string", "--variant", "long=a=b", "--variant", "none=", "--default", "long", "--off", "none"];
    expect(await runCli(["flags", "set", "export", ...text, "--reason", "x"], context, "1")).toBe(0);
    expect(context.requests[1]?.body).toMatchObject({ type: "string", variants: { long: "a=b", none: "" }, offVariant: "none" });
    const list = ["--type", "object", "--variant", 'on={"max":3}', "--variant", "off={}"];
    await runCli(["flags", "set", "export", ...list, "--reason", "x"], context, "1");
    expect(context.requests[3]?.body).toMatchObject({ type: "object", variants: { on: { max: 3 }, off: {} } });
  });

  it("keeps what is not named, and the keys that are on trial", async () => {
    const context = aCommandContext({ answers: { [read]: ok(onTrial), [write]: ok(onTrial) } });
    await runCli(["flags", "set", "export", "--try", "on", "--share", "0.5", "--reason", "more"], context, "1");
    expect(context.requests[1]?.body).toEqual({
      ...aTrial({ feature: "export", rollout: { variant: "on", share: 0.5, salt: "run_1" } }),
      expected: 3,
      reason: "more",
    });
    await runCli(["flags", "set", "export", "--no-trial", "--reason", "worse"], context, "1");
    expect(context.requests[3]?.body).toMatchObject({ rollout: null, feature: "export", state: "on" });
    await runCli(["flags", "set", "export", "--variant", "some=true", "--try", "some", "--share", "1", "--reason", "x"], context, "1");
    expect(context.requests[5]?.body).toMatchObject({ variants: { on: true, off: false, some: true }, rollout: { variant: "some" } });
    expect(Object(context.requests[5]?.body).rollout.salt).not.toBe("run_1");
  });

  it.each([
    ["no reason", ["--feature", "export"], /--reason/],
    ["a share without a variant", ["--share", "0.1", "--reason", "x"], /come together/],
    ["a share of nothing", ["--try", "on", "--share", "0", "--reason", "x"], /above 0/],
    ["a share of more than all", ["--try", "on", "--share", "2", "--reason", "x"], /at most 1/],
    ["a share that is no number", ["--try", "on", "--share", "NaN", "--reason", "x"], /at most 1/],
    ["a trial that begins and ends", ["--try", "on", "--share", "1", "--no-trial", "--reason", "x"], /one of them/],
    ["a trial of the default variant", ["--try", "on", "--share", "1", "--reason", "x"], /default variant/],
    ["a variant without a value", ["--variant", "on", "--reason", "x"], /<name>=<value>/],
    ["a value that is no JSON", ["--variant", "on=yes", "--reason", "x"], /no JSON/],
    ["a value of another type", ["--variant", "on=7", "--reason", "x"], /the flag's type is boolean/],
    ["a feature that is no name", ["--feature", "Ex port", "--reason", "x"], /feature/],
    ["a default variant that is not there", ["--default", "none", "--reason", "x"], /there is no variant "none"/],
  ])("refuses %s before it changes anything", async (_name, args, names) => {
    const context = aCommandContext({ answers: { [read]: ok(aFlag) } });
    expect(await runCli(["flags", "set", "export", ...args], context, "1")).toBe(2);
    expect(context.requests.filter(({ method }) => method !== "GET")).toEqual([]);
    expect(context.printed.err).toMatch(names);
  });
});

it("switches on from the version that was read, and off without one", async () => {
  const off = { ...aFlag, state: "off" };
  const context = aCommandContext({ answers: { [read]: ok(off), [write]: ok(aFlag), "POST /api/flags/export/off": ok(off) } });
  expect(await runCli(["flags", "on", "export", "--reason", "fixed"], context, "1")).toBe(0);
  expect(context.requests[1]?.body).toEqual({ ...aDefinition(), expected: 3, reason: "fixed" });
  expect(await runCli(["flags", "off", "export", "--reason", "it leaks"], context, "1")).toBe(0);
  expect(context.requests[2]).toMatchObject({ method: "POST", body: { reason: "it leaks" } });
  expect(context.printed.out).toBe("Flag export is on: on.\nFlag export is off: off for every key.\n");
  expect(await runCli(["flags", "off", "export"], context, "1")).toBe(2);
  expect(context.requests).toHaveLength(3);
});

it("does not switch on what is not there, and prints a refusal", async () => {
  const context = aCommandContext({ answers: { [read]: missing } });
  expect(await runCli(["flags", "on", "export", "--reason", "x"], context, "1")).toBe(2);
  expect(context.printed.err).toContain("There is no flag export");
  const detail = "Only an approver may do this: state off -> on.";
  const forbidden = { status: 403, body: { type: "urn:x", title: "This role may not do this", status: 403, detail } };
  const refused = aCommandContext({ answers: { [read]: ok({ ...aFlag, state: "off" }), [write]: forbidden } });
  expect(await runCli(["flags", "on", "export", "--reason", "x"], refused, "1")).toBe(1);
  expect(refused.printed.err).toContain(detail);
});

describe("the honeytoken of a prompt", () => {
  const honeytoken = "0123456789abcdef0123456789abcdef";
  const make = "POST /api/prompts/a%20prompt/honeytoken";

  it("is shown when it is made, and alone in the output so that it can be piped", async () => {
    const context = aCommandContext({ answers: { [make]: ok({ prompt: "a prompt", made: true, honeytoken }) } });
    expect(await runCli(["flags", "honeytoken", "a prompt"], context, "1")).toBe(0);
    expect(context.printed.out).toBe(`${honeytoken}\n`);
    expect(context.printed.err).toContain("not shown again");
  });

  it("is not shown when there is one already", async () => {
    const answers = { [make]: ok({ prompt: "a prompt", made: false }) };
    const context = aCommandContext({ answers });
    expect(await runCli(["flags", "honeytoken", "a prompt"], context, "1")).toBe(0);
    expect(context.printed.out).toBe("");
    expect(context.printed.err).toContain("has a honeytoken, which was shown when it was made. --rotate makes another one.");
    const json = aCommandContext({ answers });
    await runCli(["flags", "honeytoken", "a prompt", "--json"], json, "1");
    expect(JSON.parse(json.printed.out)).toEqual({ prompt: "a prompt", made: false });
  });

  it("is replaced by --rotate", async () => {
    const context = aCommandContext({ answers: { [`${make}/rotate`]: ok({ prompt: "a prompt", made: true, honeytoken }) } });
    expect(await runCli(["flags", "honeytoken", "a prompt", "--rotate"], context, "1")).toBe(0);
    expect(context.printed.out).toBe(`${honeytoken}\n`);
    expect(context.printed.err).toContain("the new honeytoken");
  });

  it("is not made for a prompt that does not exist", async () => {
    const context = aCommandContext({ answers: { [make]: missing } });
    expect(await runCli(["flags", "honeytoken", "a prompt"], context, "1")).toBe(1);
    expect(context.printed.out).toBe("");
  });
});
