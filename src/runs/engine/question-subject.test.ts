import { expect, it } from "@jest/globals";
import { subjectOf } from "./question-subject.ts";

const alert = {
  status: "firing",
  labels: { alertname: "Burn", budget: "checkout", key: `sk-ant-api03-${"A".repeat(93)}AA`, text: "a\nb\u202e" },
  annotations: { summary: "It burns.\n\u001b[2J" },
  startsAt: 1,
  generatorUrl: "",
  fingerprint: "f",
} as const;

it("names target, alert, summary and labels on one line each, without secrets", () => {
  const { labels, ...subject } = subjectOf({ target: "budget/checkout", alert });
  expect(subject).toEqual({ target: "budget/checkout", alertName: "Burn", summary: "It burns. [2J" });
  expect(labels).toMatchObject({ budget: "checkout", text: "a b" });
  expect(JSON.stringify(labels)).not.toContain("AAAAAAAA");
});

it("is empty for a run by hand without a target", () => {
  expect(subjectOf({})).toEqual({});
});
