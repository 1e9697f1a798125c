import { expect, it } from "@jest/globals";
import { classifyFailure } from "./batch-failures.ts";

it.each([
  ["429 rate_limit_error: Number of requests has exceeded your rate limit", "provider_rate_limit", "again"],
  ["429: You have reached your specified API usage limits: spend limit", "provider_spend_limit", "cost_incident"],
  ["400 invalid_request_error: Your credit balance is too low", "provider_spend_limit", "cost_incident"],
  ["529 overloaded_error", "provider_overload", "again"],
  ["500 api_error: Internal server error", "provider_error", "again"],
  ["request timed out", "provider_error", "again"],
  ["expired", "expired", "again"],
  ["worker_lost", "worker_lost", "again"],
  ["400 invalid_request_error: messages: roles must alternate", "invalid_request", "dead_letter"],
  ["prompt is too long: 210000 tokens", "context_overflow", "dead_letter"],
  ["refusal", "refusal", "person"],
  ["the tests are red", "unknown", "person"],
])("%s is %s: %s", (reason, failureClass, handling) => {
  expect(classifyFailure({ state: "failed", reason })).toEqual({ class: failureClass, handling });
});

it("leaves what a person cancelled alone", () => {
  expect(classifyFailure({ state: "cancelled", reason: "429" })).toEqual({ class: "cancelled", handling: "dead_letter" });
});
