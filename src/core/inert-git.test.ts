import { describe, expect, it } from "@jest/globals";
import * as fc from "fast-check";
import { gitConfigVariables, inertByName, inertSettings, irreplaceableNames } from "./inert-git.ts";

describe("settings that keep git from running what a configuration names", () => {
  it("replace whatever is called a command, a program or a helper, under any name", () => {
    const section = fc.stringMatching(/^[a-z]{1,8}$/);
    const name = fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }).filter((text) => !/[\n\0]/.test(text));
    const last = fc.constantFrom("command", "cmd", "program", "helper", "editor", "askPass", "someCommand", "Program");
    fc.assert(
      fc.property(section, name, last, (first, middle, end) => {
        const key = `${first}.${middle}.${end}`;
        expect(inertSettings([key], "fail").map(([named]) => named)).toEqual([key]);
      }),
      { seed: 3, numRuns: 200 },
    );
  });

  it("leave alone what names no program", () => {
    const names = [
      "user.name",
      "remote.origin.url",
      "branch.main.merge",
      "core.autocrlf",
      "lfs.repositoryformatversion",
      "submodule.lib.url",
    ];
    expect(inertSettings(names, "fail")).toEqual([]);
    expect(irreplaceableNames(names)).toEqual([]);
  });

  it("let a file whose filter is not run pass, or fail, as is asked", () => {
    const names = ["filter.lfs.clean", "filter.lfs.required"];
    expect(inertSettings(names, "pass")).toEqual([
      ["filter.lfs.clean", ""],
      ["filter.lfs.required", "false"],
    ]);
    expect(inertSettings(names, "fail")).toEqual([
      ["filter.lfs.clean", ""],
      ["filter.lfs.required", "true"],
    ]);
  });

  it("are numbered for git's environment", () => {
    const variables = gitConfigVariables(inertByName);
    expect(variables).toMatchObject({ GIT_CONFIG_COUNT: String(inertByName.length), GIT_CONFIG_KEY_0: "core.hooksPath" });
    expect(Object.keys(variables)).toHaveLength(2 * inertByName.length + 1);
  });
});
