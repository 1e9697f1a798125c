import { expect, it } from "@jest/globals";
import type { UsageEvent, UsageReport } from "../../../packages/sdk/src/wire/usage.ts";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { unreadableFindings } from "./unreadable-findings.ts";

const now = Date.UTC(2026, 10, 23);
const charged = (change: Partial<UsageReport> & { readonly id: string }, costMicroUsd: number): UsageEvent => ({
  ...aUsageEvent(change, now),
  costMicroUsd,
  estimated: "reservation",
});

it("names library and shape of usage that cannot be read, the model of usage without a price, and what it costs", () => {
  const aiSdk = { inputTokens: 9000, outputTokens: 10, totalTokens: 9010, cachedInputTokens: 8000 };
  const findings = unreadableFindings([
    aUsageEvent({ id: "fine" }, now),
    charged({ id: "a", usage: aiSdk }, 6_000_000),
    charged({ id: "b", usage: aiSdk }, 6_000_000),
    charged({ id: "c", model: "new-model" }, 50_000),
    charged({ id: "d", usage: { "<script>": 1, tokens: 2 } }, 20_000),
  ]);
  expect(findings).toMatchObject([
    {
      kind: "cost",
      severity: "high",
      title: expect.stringMatching(
        /^Usage of anthropic from the Vercel AI SDK \(shape ai-sdk\) cannot be read \(ambiguous_shape\), with the members inputTokens.*; \$12\.00 of it is estimated\. .*providerMetadata/,
      ),
      evidence: { library: "the Vercel AI SDK", shape: "ai-sdk", reports: 2, estimatedMicroUsd: 12_000_000 },
    },
    {
      severity: "medium",
      title: expect.stringContaining("Usage of anthropic/new-model has no price (unknown_model); $0.0500 of it is estimated."),
    },
    { title: expect.stringContaining("with the members ?script?, tokens"), evidence: { library: null, shape: null } },
  ]);
  expect(JSON.stringify(findings)).not.toContain("<script>");
  expect(new Set(findings.map(({ id }) => id)).size).toBe(3);
});
