import { expect, it } from "@jest/globals";
import type { DemoView } from "./demo-view.ts";
import { createPlainPresenter } from "./presenter.ts";

const view: DemoView = {
  now: 5000,
  beganAt: 0,
  factor: 60,
  seed: 1,
  doing: "",
  milestones: [{ key: "traffic", label: "Normal traffic runs on plan", reached: 3000 }],
  gauges: [],
  steps: [],
  stepsToCome: [],
};

it("prints one line for every change and none for a repetition", () => {
  const lines: string[] = [];
  const presenter = createPlainPresenter(
    (line) => lines.push(line),
    () => 5000,
  );
  presenter.show(view);
  presenter.show(view);
  presenter.show({ ...view, steps: [{ step: "stop", name: "Stop", state: "running", at: 4000 }] });
  presenter.show({ ...view, steps: [{ step: "stop", name: "Stop", state: "done", at: 5000 }] });
  expect(lines).toEqual([
    "00:00:05.000 +0:03 ✔ Normal traffic runs on plan",
    "00:00:05.000 +0:04   Stop: running",
    "00:00:05.000 +0:05   Stop: done",
  ]);
});

it("prints the figures every ten seconds, on one line", () => {
  const lines: string[] = [];
  const presenter = createPlainPresenter(
    (line) => lines.push(line),
    () => 5000,
  );
  const gauges = [
    { label: "Budget", share: 0.1, text: "$1 of $10" },
    { label: "Tickets", text: "3 finished" },
  ];
  for (const now of [20_000, 25_000, 31_000]) presenter.show({ ...view, milestones: [], gauges, now });
  expect(lines).toEqual([
    "00:00:05.000 +0:20   budget $1 of $10, tickets 3 finished",
    "00:00:05.000 +0:31   budget $1 of $10, tickets 3 finished",
  ]);
});
