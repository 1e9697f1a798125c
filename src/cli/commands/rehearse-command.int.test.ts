import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { packageFolder } from "../process-context.ts";
import { runCli } from "../run-cli.ts";

describe("runbookd rehearse", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "runbookd-rehearse-"));
    // A document of the test's own: a shipped one changes, and what is edited here must be in it.
    cpSync(join(packageFolder(), "test/fixtures/rehearsed"), folder, { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const rehearse = async (...args: readonly string[]) => {
    const context = aCommandContext({ workingDirectory: folder });
    return { code: await runCli(["rehearse", ...args], context, "1"), ...context.printed };
  };
  const edit = (path: string, change: (text: string) => string) => {
    const file = join(folder, path);
    writeFileSync(file, change(readFileSync(file, "utf8")));
  };
  const rehearsal = "runbooks/rehearsals/security-incident/waits-for-a-person.yml";

  it("passes what comes out as expected", async () => {
    expect(await rehearse()).toEqual({
      code: 0,
      out: [
        "security-incident",
        "  pass  the people on call are told, and then the severity is theirs to assess: waiting after 30s of virtual time",
        "1 rehearsals, 0 failed",
        "",
      ].join("\n"),
      err: "",
    });
  });

  it("names the faults of a document that cannot be read, and fails", async () => {
    edit("runbooks/security-incident.md", (text) => text.replace("mode: approve", "mode: sometimes"));
    const { code, out, err } = await rehearse();
    expect(code).toBe(1);
    expect(out).toBe("0 rehearsals, 0 failed\n");
    expect(err).toContain("security-incident.md:");
  });

  it("tells what is different in an edited document", async () => {
    edit("runbooks/security-incident.md", (text) => text.replace("subject: Security incident in", "subject: Something about"));
    const { code, out } = await rehearse("security-incident", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(out).runbooks[0].rehearsals[0].differences).toEqual([
      "mails: expected \n    - Security incident in checkout (high) to default, there were \n    - Something about checkout (high) to default",
    ]);
  });

  it("tells a query that the rehearsal has no values for, and a fault that never happened", async () => {
    edit(rehearsal, (text) =>
      text.replace("sum by (severity_class, source)", "sum by (severity_class)").replace("overloaded, ok", "ok, refused"),
    );
    const { code, out } = await rehearse();
    expect(code).toBe(1);
    expect(out).toContain(
      'there are no values for the query `sum by (severity_class, source) (llm_security_findings_open{feature="checkout"})`',
    );
    expect(out).toContain("faults: 1 outcomes of step tell_the_people_who_are_on_call were never met");
  });

  it("names the place of what it cannot read", async () => {
    edit(rehearsal, (text) => text.replace("outcome: waiting", "outcome: splendid"));
    expect(await rehearse()).toMatchObject({
      code: 1,
      err: expect.stringContaining(`${rehearsal}:11:12: error rehearsal: \`expect.outcome\``),
    });
  });

  it("refuses a rehearsal that is not UTF-8, at its first wrong byte", async () => {
    writeFileSync(join(folder, rehearsal), Buffer.from("name: one\nalert: caf\u00e9\n", "latin1"));
    expect(await rehearse()).toMatchObject({ code: 1, err: expect.stringContaining(`${rehearsal}:2:11: error encoding`) });
  });

  it("prints the changes that no rehearsal notices", async () => {
    const { code, out } = await rehearse("--mutate");
    expect(code).toBe(1);
    expect(out).toContain("  survives  step 7 deploy_the_fix: drop step");
    expect(out).not.toContain("tell_the_people_who_are_on_call: drop step");
    expect(out).toMatch(/ {2}\d+ mutations, \d+ survive/);
  });

  it("answers 2 to a runbook that is not there", async () => {
    expect(await rehearse("cost")).toMatchObject({ code: 2, err: "cost: no such runbook; accepted: security-incident\n" });
  });
});

describe("a rehearsal whose alert comes from a rule", () => {
  const place = "runbooks/rehearsals/cost-incident-response";
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "runbookd-rule-"));
    for (const path of ["runbooks/cost-incident-response.md", `${place}/rule-fires.yml`, "alerts/rules"])
      cpSync(join(packageFolder(), path), join(folder, path), { recursive: true });
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const rehearse = async (path = process.env["PATH"] ?? "") => {
    const context = aCommandContext({ workingDirectory: folder, env: { PATH: path } });
    return { code: await runCli(["rehearse"], context, "1"), ...context.printed };
  };

  it("is held with what the shipped rule says of the series", async () => {
    expect(await rehearse()).toMatchObject({ code: 0, out: expect.stringContaining("1 rehearsals, 0 failed") });
  });

  it("fails when the rule does not fire any more, or names another runbook's alert", async () => {
    const file = join(folder, "alerts/rules/cost.rules.yml");
    writeFileSync(file, readFileSync(file, "utf8").replaceAll("> 14.4", "> 14400"));
    expect(await rehearse()).toMatchObject({ code: 1, out: expect.stringContaining("LLMBudgetBurnFast does not fire on these series") });
  });

  it("says that promtool is missing", async () => {
    expect(await rehearse("/nowhere")).toMatchObject({ code: 1, out: expect.stringContaining("promtool could not evaluate alerts/rules") });
  });
});
