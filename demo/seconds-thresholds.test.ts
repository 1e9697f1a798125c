import { expect, it } from "@jest/globals";
import { divideSecondsThresholds } from "./seconds-thresholds.ts";

it.each([
  ["x_remaining_seconds > 86400", "x_remaining_seconds > (86400) / 60"],
  ["86400 <= max by (b) (x_seconds)", "(86400) / 60 <= max by (b) (x_seconds)"],
  ["time() - x_timestamp_seconds > 90000 and on (a) y > 3", "time() - x_timestamp_seconds > (90000) / 60 and on (a) y > 3"],
  ["min by (p) (x_timestamp_seconds) - time() < 30 * 86400", "min by (p) (x_timestamp_seconds) - time() < (30 * 86400) / 60"],
  ["max_over_time(x_seconds[5m]) > bool 5", "max_over_time(x_seconds[5m]) > bool (5) / 60"],
  ["(x_seconds offset 1h) + y_seconds == 7 and z_seconds != 8", "(x_seconds offset 1h) + y_seconds == (7) / 60 and z_seconds != (8) / 60"],
])("divides the seconds of %s", (query, expected) => {
  expect(divideSecondsThresholds(query, 60)).toBe(expected);
});

it.each([
  "budget:llm_budget_burn:ratio1h > 14.4",
  "max by (p) (x_timestamp_seconds) > 0",
  "rate(x_seconds_sum[5m]) / rate(x_seconds_count[5m]) > 2",
  "a_per_second > 2",
  "x_seconds / y_seconds > 2",
  "max by (job) (runbookd_due_lag_seconds) > 30",
  "increase(x_total[1h]) >= 20",
])("leaves %s alone", (query) => {
  expect(divideSecondsThresholds(query, 60)).toBe(query);
});
