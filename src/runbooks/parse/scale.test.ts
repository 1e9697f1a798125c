import { describe, expect, it } from "@jest/globals";
import type { Runbook } from "../../../packages/sdk/src/wire/runbooks.ts";
import { sampleCatalogue as catalogue } from "../../../test/builders/sample-catalogue.ts";
import { parseRunbook } from "./parse-runbook.ts";
import { divideDurations } from "./scale.ts";

const source = `---
cooldown: 30m
timeout: '2h'
params:
  d: { type: duration, default: 10m, enum: [10m, "20m"] }
  s: { type: string, default: 10m }
track:
  burn: rate(burn_total{a="\${{ params.s }}"}[5m])
  plain: up
---
# Wait 10m

## Scenario
It takes 30m, within 5m of the alert.

## Prerequisites
- Data of 5m:
  \`\`\`promql
  rate(x_total[5m]
    offset 1h)
  \`\`\`

## Procedure

1. **Pause for 10m**: Wait 10m.
   - Action: \`pause\`
     \`\`\`yaml
     budget: 10m
     for: "1h"
     \`\`\`
   - Expected: \`result.running == 0\` within 90s
   - If this fails: retry 3 times every 1m, then go to "Every 5m". Call within 10m, every 5m.
   - Approval: operator of 1 within 30m unless \`"within 5m" == ""\`
   - Timeout: 2m
2. **Every 5m**: Look.
   - Action: \`ask-prometheus\`
     \`\`\`yaml
     query: |
       sum(rate(x_total[10m]))
         > 5
     \`\`\`
   - Expected: \`result.value > 60\` within 10m
   - **Timeout:** 1m

   \`\`\`sh
   sleep 10m
   \`\`\`

## Verification
- Well in 5m: \`1 == 1\` within 5m
- Gone:
  \`\`\`promql
  absent(rate(x_total[2m]))
  \`\`\`
  within 10m
- Seen
  - Action: \`look\`
  - Expected: \`result.count == 0\` within 5m
`;

const parse = (text: string): Runbook => {
  const { runbook, diagnostics } = parseRunbook({ file: "wait.md", source: text, catalogue });
  if (runbook === undefined) throw new Error(JSON.stringify(diagnostics));
  return runbook;
};

describe("divideDurations", () => {
  const divided = divideDurations({ file: "wait.md", source, catalogue }, 60);

  it("divides what the machine reads and leaves prose, names, texts and plain numbers alone", () => {
    for (const line of [
      'cooldown: "30s"',
      'timeout: "2m"',
      'd: { type: duration, default: "10s", enum: ["10s", "20s"] }',
      'burn: "rate(burn_total{a=\\"${{ params.s }}\\"}[5s])"',
      "  rate(x_total[5s]\n    offset 1m)",
      'for: "1m"',
      "- Expected: `result.running == 0` within 1s500ms",
      '- If this fails: retry 3 times every 1s, then go to "Every 5m". Call within 10m, every 5m.',
      '- Approval: operator of 1 within 30s unless `"within 5m" == ""`',
      "- Timeout: 2s\n",
      'query: "sum(rate(x_total[10s]))\\n  > 5\\n"\n     ```',
      "- Expected: `result.value > 60` within 10s",
      "- **Timeout:** 1s",
      "- Well in 5m: `1 == 1` within 5s",
      "absent(rate(x_total[2s]))\n  ```\n  within 10s",
      "- Expected: `result.count == 0` within 5s",
      "1. **Pause for 10m**: Wait 10m.",
      "# Wait 10m",
    ]) {
      expect(divided).toContain(line);
    }
    expect(divided).toContain("It takes 30m, within 5m of the alert.");
    expect(divided).toContain("sleep 10m");
    expect(divided).toContain("budget: 10m");
    expect(divided).toContain("s: { type: string, default: 10m }");
  });

  it("gives a document that reads as the same program in other time", () => {
    const before = parse(source);
    const after = parse(divided);
    expect(
      after.steps.map(({ id, name, action, onFailure, timeoutMs, approval, expected }) => ({
        id,
        name,
        action: action?.name,
        then: onFailure.then,
        everyMs: onFailure.retryEveryMs * 60,
        timeoutMs: timeoutMs === undefined ? undefined : timeoutMs * 60,
        approvalMs: approval === undefined ? undefined : approval.withinMs * 60,
        withinMs: expected?.withinMs === undefined ? undefined : expected.withinMs * 60,
      })),
    ).toEqual(
      before.steps.map(({ id, name, action, onFailure, timeoutMs, approval, expected }) => ({
        id,
        name,
        action: action?.name,
        then: onFailure.then,
        everyMs: onFailure.retryEveryMs,
        timeoutMs,
        approvalMs: approval?.withinMs,
        withinMs: expected?.withinMs,
      })),
    );
    expect(after.cooldownMs * 60).toBe(before.cooldownMs);
    expect(after.timeoutMs * 60).toBe(before.timeoutMs);
    expect(after.verification).toHaveLength(before.verification.length);
    expect(after.params["d"]).toEqual({ type: "duration", default: "10s", enum: ["10s", "20s"] });
  });

  it("keeps CRLF and a byte order mark", () => {
    const windows = `\uFEFF${source.replaceAll("\n", "\r\n")}`;
    const result = divideDurations({ file: "wait.md", source: windows, catalogue }, 60);
    expect(result.startsWith("\uFEFF---\r\n")).toBe(true);
    expect(parse(result).cooldownMs).toBe(30_000);
    expect(parse(result).steps[1]?.expected?.withinMs).toBe(10_000);
  });

  it("changes nothing by 1 but how a value is written", () => {
    const same = parse(divideDurations({ file: "wait.md", source, catalogue }, 1));
    const timesOf = (runbook: Runbook) =>
      runbook.steps.map(({ expected, onFailure, timeoutMs }) => [expected?.withinMs, onFailure.retryEveryMs, timeoutMs]);
    expect(timesOf(same)).toEqual(timesOf(parse(source)));
  });

  it("refuses a document with errors, and says where", () => {
    expect(() => divideDurations({ file: "wait.md", source: source.replace("cooldown: 30m", "cooldown: x"), catalogue }, 60)).toThrow(
      "wait.md:2:11",
    );
  });
});
