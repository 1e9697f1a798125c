import { expect, it } from "@jest/globals";
import { dayMs, hourMs } from "../../core/duration.ts";
import { judgeSecuritySources } from "./judge-security-sources.ts";

it("says of each configured source whether it can be read, and why not", () => {
  const now = Date.UTC(2026, 10, 30);
  const statuses = [
    { source: "up", up: true, seenAt: now - 1000 },
    { source: "down", up: false, reason: "it is disabled.", seenAt: now - 3 * hourMs },
    { source: "old", up: false, reason: "it is gone.", seenAt: now - 2 * dayMs },
    { source: "never", up: false, reason: "the token is refused." },
    { source: "not ours", up: false },
  ];
  expect(
    judgeSecuritySources(statuses, ["up", "down", "old", "never", "new"], now).map(({ verdict, detail }) => `${verdict}: ${detail}`),
  ).toEqual([
    "ok: last read within the hour",
    "warning: cannot be read (last read 3 h ago): it is disabled.",
    "warning: cannot be read (last read 2 days ago): it is gone.",
    "warning: cannot be read (never read): the token is refused.",
    "warning: not read yet",
  ]);
});
