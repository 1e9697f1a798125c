import { expect, it } from "@jest/globals";
import { aUsageEvent } from "../../../test/builders/a-usage-report.ts";
import { unsampledPrompts } from "./unsampled-prompts.ts";

it("names prompts that are used and told no prefix, the one that could win most first", () => {
  const usage = (read: number, uncached: number) => ({ input_tokens: uncached, cache_read_input_tokens: read, output_tokens: 1 });
  const events = [
    aUsageEvent({ id: "1", prompt: "small", usage: usage(0, 10) }, 0),
    aUsageEvent({ id: "2", prompt: "large", usage: usage(100, 300) }, 0),
    aUsageEvent({ id: "3", prompt: "large", usage: usage(100, 300) }, 0),
    aUsageEvent({ id: "4", prompt: "large", model: "claude-haiku-4-5", usage: usage(5, 0) }, 0),
    aUsageEvent({ id: "5", prompt: "failed", outcome: "error", usage: usage(0, 900) }, 0),
    aUsageEvent({ id: "6", prompt: "known", usage: usage(0, 900) }, 0),
  ];
  const group = { provider: "anthropic", model: "claude-sonnet-4-5" };
  expect(unsampledPrompts(events, [{ ...group, prompt: "known" }])).toEqual([
    { ...group, prompt: "large", requests: 2, hit: 0.25 },
    { ...group, prompt: "small", requests: 1, hit: 0 },
    { ...group, model: "claude-haiku-4-5", prompt: "large", requests: 1, hit: 1 },
  ]);
});
