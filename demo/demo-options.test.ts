import { describe, expect, it } from "@jest/globals";
import { parseDemoOptions } from "./demo-options.ts";

describe("the demo's options", () => {
  it("have defaults that need no argument", () => {
    expect(parseDemoOptions([])).toEqual({
      kind: "options",
      options: {
        once: false,
        json: false,
        killWorker: false,
        approve: false,
        factor: 60,
        mayGoSlower: true,
        seed: 1,
        scenario: "cost",
        codeHost: "github",
        keep: false,
      },
    });
  });

  it("read every flag", () => {
    const argv = ["--once", "--json", "--kill-worker", "--approve", "--factor", "40", "--seed", "7", "--code-host", "git", "--keep"];
    expect(parseDemoOptions(argv)).toMatchObject({
      options: { once: true, json: true, killWorker: true, approve: true, factor: 40, seed: 7, codeHost: "git", keep: true },
    });
  });

  it.each([
    [["--factor", "1000"], "--factor 1000"],
    [["--factor", "fast"], "--factor fast"],
    [["--seed", "1.5"], "--seed 1.5"],
    [["--scenario", "flood"], "--scenario flood: accepted are cost"],
    [["--approve", "--scenario", "batch"], "--approve: accepted with --scenario cost, not with batch"],
    [["--code-host", "svn"], "--code-host svn: accepted are github, git"],
    [["--onec"], "--onec"],
  ])("refuse %j and say what would be accepted", (argv, message) => {
    expect(parseDemoOptions(argv)).toMatchObject({ kind: "wrong", message: expect.stringContaining(message) });
  });

  it("show help", () => {
    expect(parseDemoOptions(["--once", "--help"])).toEqual({ kind: "help" });
  });
});
