import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "@jest/globals";
import { aCommandContext } from "../../../test/builders/command-context.ts";
import { packageFolder } from "../process-context.ts";
import { runCli } from "../run-cli.ts";

const root = packageFolder();
const document = readFileSync(join(root, "runbooks/cost-incident-response.md"), "utf8");
const start = Date.UTC(2026, 0, 5, 12);

/** A webhook of one alert, `minutes` after the beginning. */
function aWebhook(minutes: number, budget: string, status: "firing" | "resolved" = "firing", alertname = "LLMBudgetBurnFast") {
  const at = (minute: number) => new Date(start + minute * 60_000).toISOString();
  const alert = {
    status,
    labels: { alertname, budget },
    annotations: { summary: `Budget ${budget} burns` },
    startsAt: at(0),
    ...(status === "resolved" && { endsAt: at(minutes) }),
    fingerprint: Buffer.from(`${alertname}-${budget}`).toString("hex").slice(-16),
  };
  return { receivedAt: at(minutes), body: { version: "4", receiver: "runbookd", groupKey: "{}", truncatedAlerts: 0, alerts: [alert] } };
}

describe("runbookd replay", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "runbookd-replay-"));
    const recorded = [
      aWebhook(1, "checkout"),
      aWebhook(5, "checkout"),
      aWebhook(6, "checkout", "firing", "LLMBudgetBurnMedium"),
      aWebhook(20, "checkout", "resolved"),
      aWebhook(21, "search"),
      aWebhook(22, "search", "firing", "SomethingElse"),
    ];
    writeFileSync(join(folder, "alerts.jsonl"), recorded.map((line) => `${JSON.stringify(line)}\n`).join(""));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const edited = (change: (text: string) => string) => {
    const file = join(folder, "cost-incident-response.md");
    writeFileSync(file, change(document));
    return file;
  };
  const replay = async (...args: readonly string[]) => {
    const context = aCommandContext({ workingDirectory: root });
    const code = await runCli(["replay", "--alerts", join(folder, "alerts.jsonl"), ...args], context, "1");
    return { code, ...context.printed };
  };

  it("decides what was recorded as intake would: one run an episode, and what else shares its target joins", async () => {
    const { code, out } = await replay("--json");
    expect(code).toBe(0);
    const { decisions } = JSON.parse(out);
    expect(decisions.map((one: { decision: { decision: string } }) => one.decision.decision)).toEqual([
      "enqueued",
      "joined",
      "joined",
      "resolved",
      "enqueued",
      "unmatched",
    ]);
    expect(decisions[0].started).toMatchObject({ target: "budget/checkout", mode: "auto" });
  });

  it("finds no difference in an unchanged document", async () => {
    const { code, out } = await replay(
      "--with",
      edited((text) => text),
    );
    expect({ code, out }).toEqual({ code: 0, out: "6 decisions, no difference\n" });
  });

  it("finds no difference in an edit of the prose", async () => {
    expect(
      (
        await replay(
          "--with",
          edited((text) => text.replace("Every minute of it", "Each minute of it")),
        )
      ).out,
    ).toBe("6 decisions, no difference\n");
  });

  it("shows every alert that an edit of the triggers, the mode or the target would treat differently", async () => {
    const { code, out } = await replay(
      "--with",
      edited((text) =>
        text.replace("  - LLMBudgetBurnMedium\n", "").replace("mode: auto", "mode: approve").replace("target: budget/", "target: money/"),
      ),
    );
    expect(code).toBe(0);
    const lines = out.split("\n");
    expect(lines.filter((line) => line.startsWith("webhook")).map((line) => line.slice(0, 30))).toEqual([
      "webhook 1, LLMBudgetBurnFast 6",
      "webhook 3, LLMBudgetBurnMedium",
      "webhook 5, LLMBudgetBurnFast 7",
    ]);
    expect(lines[1]).toContain("- enqueued cost-incident-response on budget/checkout, mode auto, ");
    expect(lines[2]).toContain("+ enqueued cost-incident-response on money/checkout, mode approve, ");
    expect(lines[5]).toBe("  + unmatched (No runbook's triggers match these labels.)");
    expect(lines.at(-2)).toBe("6 decisions, 3 differences");
  });

  it("tells the faults of the edited document, and of the set that it would make", async () => {
    expect(
      await replay(
        "--with",
        edited((text) => text.replace("mode: auto", "mode: brave")),
      ),
    ).toMatchObject({
      code: 1,
      err: expect.stringContaining("cost-incident-response.md:"),
    });
    expect(
      await replay(
        "--with",
        edited((text) => text.replace("  - LLMBudgetExceeded", "  - LLMCacheHitRateLow")),
      ),
    ).toMatchObject({
      code: 1,
      err: expect.stringContaining("ambiguous-trigger"),
    });
  });

  it.each([
    ["no JSON", "{"],
    ["no webhook", '{"version":"4"}'],
  ])("names the line that is %s", async (_what, line) => {
    writeFileSync(join(folder, "alerts.jsonl"), `\n${line}\n`);
    expect(await replay()).toMatchObject({ code: 2, err: expect.stringContaining("alerts.jsonl:2: no ") });
  });

  it("refuses a recording or an edited document that is not UTF-8, at its first wrong byte", async () => {
    const file = edited((text) => text);
    writeFileSync(file, Buffer.from("# caf\u00e9\n", "latin1"));
    expect(await replay("--with", file)).toMatchObject({ code: 1, err: expect.stringContaining(":1:6: error encoding") });
    writeFileSync(join(folder, "alerts.jsonl"), Buffer.from('\n{"caf\u00e9":1}\n', "latin1"));
    expect(await replay()).toMatchObject({ code: 2, err: expect.stringContaining("alerts.jsonl:2:6: error encoding") });
  });

  it("takes the newest time of the alerts where no time of receipt was recorded", async () => {
    const { body } = aWebhook(1, "checkout");
    writeFileSync(join(folder, "alerts.jsonl"), `${JSON.stringify(body)}\n${JSON.stringify(aWebhook(20, "checkout", "resolved").body)}\n`);
    const { out } = await replay();
    expect(out).toContain("enqueued cost-incident-response on budget/checkout");
    expect(out).toContain("2 decisions");
  });
});
